// Tables that sort by their headings and are searched: rows that Dash drew are moved and hidden inside of their groups.
(function () {
  const NUMBER = /[-−+]?\d[\d,]*(\.\d+)?/;

  /**
   * What a cell is sorted by: its first number, or its words; nothing for an empty one.
   * @param {Element | undefined} cell
   */
  function valueOf(cell) {
    const text = (cell?.textContent || "").trim();
    if (!text || text.startsWith("–")) return null;
    const found = cell?.localName === "td" ? NUMBER.exec(text) : null;
    return found ? Number(found[0].replace("−", "-").replaceAll(",", "")) : text.toLowerCase();
  }

  /**
   * Smaller first, numbers before words, empty cells last whichever way.
   * @param {string | number | null} first
   * @param {string | number | null} second
   * @param {number} sign
   */
  function compare(first, second, sign) {
    if (first === null || second === null) return Number(first === null) - Number(second === null);
    if (typeof first !== typeof second) return typeof first === "number" ? -1 : 1;
    return sign * (first < second ? -1 : Number(first > second));
  }

  /**
   * The rows of a table by group: a heading over rows begins a new one.
   * @param {Element} body
   */
  function groupsOf(body) {
    /** @type {Element[][]} */
    const groups = [[]];
    for (const row of body.children) {
      if (row.classList.contains("group-row")) groups.push([row]);
      else groups[groups.length - 1]?.push(row);
    }
    return groups;
  }

  /** @param {HTMLElement} button */
  function sort(button) {
    const heading = button.closest("th"), table = button.closest("table"), body = table?.querySelector("tbody");
    if (!heading || !table || !body) return;
    const column = Array.from(heading.parentElement?.children || []).indexOf(heading);
    const isDown = heading.getAttribute("aria-sort") === "ascending";
    for (const other of table.querySelectorAll("[aria-sort]")) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", isDown ? "descending" : "ascending");
    for (const group of groupsOf(body)) {
      const heads = group.filter((row) => row.classList.contains("group-row"));
      const rows = group.filter((row) => !row.classList.contains("group-row"));
      rows.sort((a, b) => compare(valueOf(a.children[column]), valueOf(b.children[column]), isDown ? -1 : 1));
      body.append(...heads, ...rows);
    }
  }

  /**
   * Leave the rows that hold every word, and the headings of groups that still have rows.
   * @param {HTMLInputElement} field
   */
  function search(field) {
    const holder = field.closest(".searched-table"), body = holder?.querySelector("tbody");
    if (!holder || !body) return;
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0, all = 0;
    for (const group of groupsOf(body)) {
      const title = group[0]?.classList.contains("group-row") ? group[0].textContent || "" : "";
      let left = 0;
      for (const row of group) {
        if (row.classList.contains("group-row")) continue;
        const text = (title + " " + row.textContent).toLowerCase();
        const isLeft = words.every((word) => text.includes(word));
        row.toggleAttribute("hidden", !isLeft);
        left += Number(isLeft);
        all += 1;
      }
      if (title) group[0]?.toggleAttribute("hidden", !left);
      shown += left;
    }
    const found = holder.querySelector(".table-found");
    if (found) found.textContent = words.length ? shown + " of " + all + " rows" : "";
  }

  document.addEventListener("click", (event) => {
    const button = thinice.elements.closest(event, ".searched-table [data-sort]");
    if (button) sort(button);
  });
  document.addEventListener("input", (event) => {
    if (event.target instanceof HTMLInputElement && event.target.closest(".table-search")) search(event.target);
  });
})();
