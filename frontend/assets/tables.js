// Every table on a page: its heads sort, a field filters its rows, and a menu saves it as it is shown.
// The tools stand before the scrolling box of a table and outlive the rows in it, which the server may send anew.
(function () {
  const FILTERED = 8; // from so many rows on a table has a field that filters them
  const SORTED = 3;

  /** @typedef {{ scroll: HTMLElement, bar: HTMLElement, field: HTMLInputElement | null, told: HTMLElement,
   *   column: number, isDescending: boolean, order: HTMLTableRowElement[], own: HTMLTableRowElement[] }} Tools */
  /** @type {Map<HTMLElement, Tools>} */
  const known = new Map();
  let isPlanned = false;

  /** @param {HTMLElement} scroll */
  const tableOf = (scroll) => /** @type {HTMLTableElement | null} */ (scroll.querySelector("table.table"));

  /** @param {Element} cell */
  const textOf = (cell) => (cell.textContent || "").replace(/\s+/g, " ").trim();

  /**
   * What a cell is sorted by: its own words, without the small ones under them.
   * @param {Element} cell
   */
  function keyTextOf(cell) {
    if (!cell.querySelector(".under")) return textOf(cell);
    const own = /** @type {Element} */ (cell.cloneNode(true));
    own.querySelectorAll(".under").forEach((part) => part.remove());
    return textOf(own);
  }

  /**
   * As it is laid out: lines of a cell stand apart.
   * @param {HTMLElement} cell
   */
  const linesOf = (cell) => cell.innerText.replace(/\s+/g, " ").trim();

  /** @param {HTMLTableElement} table */
  const rowsOf = (table) => Array.from(table.tBodies).flatMap((body) => Array.from(body.rows));

  /** @param {HTMLTableRowElement} row */
  const isGroup = (row) => row.classList.contains("group-row");

  function plan() {
    if (isPlanned) return;
    isPlanned = true;
    window.requestAnimationFrame(() => {
      isPlanned = false;
      visitAll();
    });
  }

  function visitAll() {
    for (const [scroll, tools] of known) {
      if (scroll.isConnected && tableOf(scroll)) continue;
      tools.bar.remove();
      known.delete(scroll);
    }
    /** @type {NodeListOf<HTMLElement>} */
    const boxes = document.querySelectorAll(`#${thinice.ids.shell.PAGE} .table-scroll`);
    boxes.forEach((scroll) => {
      const table = tableOf(scroll);
      if (!table || !table.tHead || table.closest("[data-plain]")) return;
      const tools = known.get(scroll) || prepare(scroll, table);
      if (!tools.bar.isConnected) scroll.before(tools.bar);
      refresh(tools, table);
    });
  }

  /**
   * @param {HTMLElement} scroll
   * @param {HTMLTableElement} table
   * @returns {Tools}
   */
  function prepare(scroll, table) {
    const bar = thinice.elements.make("div", "table-tools");
    bar.setAttribute("data-added", "");
    const told = thinice.elements.make("span", "muted small");
    told.setAttribute("role", "status");
    const field = document.createElement("input");
    field.type = "search";
    field.className = "table-filter";
    field.placeholder = "Filter rows";
    field.setAttribute("aria-label", "Filter the rows of: " + captionOf(table));
    bar.append(field, told, thinice.saving.menu("table", captionOf(table)));
    /** @type {Tools} */
    const tools = { scroll, bar, field, told, column: -1, isDescending: false, order: [], own: [] };
    field.addEventListener("input", () => filter(tools));
    known.set(scroll, tools);
    return tools;
  }

  /** @param {HTMLTableElement} table */
  const captionOf = (table) => textOf(table.caption || table.closest(".card")?.querySelector("h2") || table);

  /**
   * After the rows changed: heads that sort, the order and the filter that were chosen.
   * @param {Tools} tools
   * @param {HTMLTableElement} table
   */
  function refresh(tools, table) {
    const rows = rowsOf(table);
    const isSame = rows.length === tools.order.length && rows.every((row, place) => row === tools.order[place]);
    if (isSame) return;
    tools.own = rows;
    const many = rows.filter((row) => !isGroup(row)).length;
    if (tools.field) tools.field.hidden = many < FILTERED;
    if (many >= SORTED && !table.hasAttribute("data-unsorted")) markHeads(tools, table);
    if (tools.column >= 0) sort(tools, table);
    tools.order = rowsOf(table);
    filter(tools);
  }

  /**
   * @param {Tools} tools
   * @param {HTMLTableElement} table
   */
  function markHeads(tools, table) {
    const heads = Array.from(table.tHead?.rows[0]?.cells || []);
    heads.forEach((head, place) => {
      if (!textOf(head) || head.querySelector("button")) return; // such a head sorts by itself
      head.classList.add("is-sortable");
      head.tabIndex = 0;
      head.setAttribute("aria-sort", place !== tools.column ? "none" : tools.isDescending ? "descending" : "ascending");
    });
  }

  /**
   * Rows keep to their group. React does not mind: it changes rows in place, wherever they stand.
   * @param {Tools} tools
   * @param {HTMLTableElement} table
   */
  function sort(tools, table) {
    for (const body of Array.from(table.tBodies)) {
      const own = tools.own.filter((row) => row.parentNode === body);
      for (const group of grouped(own)) {
        const cells = group.rows.map((row) => keyTextOf(row.cells[tools.column] || row));
        const places = tools.column < 0 ? cells.map((_cell, place) => place) : thinice.tableTexts.order(cells, tools.isDescending);
        if (group.head) body.append(group.head);
        for (const place of places) {
          const row = group.rows[place];
          if (row) body.append(row);
        }
      }
    }
    tools.order = rowsOf(table);
  }

  /** @param {HTMLTableRowElement[]} rows */
  function grouped(rows) {
    /** @type {{ head: HTMLTableRowElement | null, rows: HTMLTableRowElement[] }[]} */
    const groups = [{ head: null, rows: [] }];
    for (const row of rows) {
      if (isGroup(row)) groups.push({ head: row, rows: [] });
      else groups[groups.length - 1]?.rows.push(row);
    }
    return groups;
  }

  /** @param {Tools} tools */
  function filter(tools) {
    const typed = (tools.field?.value || "").trim();
    let shown = 0, all = 0;
    for (const { head, rows } of grouped(tools.order)) {
      const title = head ? textOf(head) + " " : ""; // a row is found by the words over its group, too
      const found = rows.filter((row) => !typed || thinice.tableTexts.fits(title + textOf(row), typed));
      for (const row of rows) row.hidden = !found.includes(row);
      if (head) head.hidden = !found.length;
      shown += found.length;
      all += rows.length;
    }
    tools.told.textContent = typed ? `${thinice.numbers.count(shown)} of ${thinice.numbers.count(all)} rows` : "";
  }

  /** @param {HTMLTableCellElement} head */
  function press(head) {
    const scroll = /** @type {HTMLElement | null} */ (head.closest(".table-scroll"));
    const table = scroll && tableOf(scroll), tools = scroll && known.get(scroll);
    if (!table || !tools) return;
    const place = head.cellIndex;
    // up, down, and back to the order of the page
    if (place !== tools.column) Object.assign(tools, { column: place, isDescending: head.classList.contains("number-cell") });
    else if (tools.isDescending === head.classList.contains("number-cell")) tools.isDescending = !tools.isDescending;
    else Object.assign(tools, { column: -1, isDescending: false });
    sort(tools, table);
    markHeads(tools, table);
  }

  // A script draws a table anew: in its own order, and afterwards it is sorted and filtered again.
  document.addEventListener("drawing", (event) => {
    const scroll = /** @type {HTMLElement | null} */ (thinice.elements.closest(event, ".table-scroll"));
    const tools = scroll && known.get(scroll);
    if (!tools) return;
    if (tools.column >= 0) for (const row of tools.own) row.parentNode?.append(row);
    tools.order = [];
    plan();
  });

  /** @param {Event} event */
  const sortable = (event) => /** @type {HTMLTableCellElement | null} */ (thinice.elements.closest(event, "th.is-sortable"));

  document.addEventListener("click", (event) => {
    const head = sortable(event);
    if (head && !thinice.elements.closest(event, "a, button, .term")) press(head);
  });
  document.addEventListener("keydown", (event) => {
    const head = sortable(event);
    if (!head || event.target !== head || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    press(head);
  });

  /**
   * The rows that are shown, the head first, and which columns hold numbers.
   * @param {HTMLElement} bar
   */
  function read(bar) {
    const tools = Array.from(known.values()).find((one) => one.bar === bar);
    const table = tools && tableOf(tools.scroll);
    if (!table) return null;
    const heads = Array.from(table.tHead?.rows[0]?.cells || []);
    const shown = rowsOf(table).filter((row) => !row.hidden);
    const rows = shown.map((row) => (isGroup(row) ? heads.map((_head, place) => (place ? "" : textOf(row))) : Array.from(row.cells).map(linesOf)));
    return { rows: [heads.map(textOf), ...rows], numeric: heads.map((head) => head.classList.contains("number-cell")) };
  }

  new MutationObserver(plan).observe(document.documentElement, { childList: true, subtree: true });
  window.thinice = Object.assign({}, window.thinice, { tables: { read } });
})();
