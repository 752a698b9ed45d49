// A wall of any number of tiles of one size: only those in sight are in the tree. Arrows, Home and End walk it; one tile
// at a time takes part in the order of Tab.
(function () {
  const NARROWEST = 112, GAP_X = 12, GAP_Y = 16; // pixels
  const FEWEST_COLUMNS = 3;
  const TEXT = 76; // pixels below a picture: samples.css gives the lines their heights
  const AHEAD = 500; // pixels drawn above and below the window

  /** @type {Map<string, WallState>} */
  const walls = new Map();

  /**
   * Show tiles in the element of this id.
   * @param {string} id
   * @param {WallContent} content
   */
  function show(id, content) {
    const holder = document.getElementById(id);
    if (!holder) return;
    let wall = walls.get(id);
    if (!wall || wall.holder !== holder) {
      if (wall) sizes.unobserve(wall.holder);
      wall = { holder, content, focus: 0, drawn: "" };
      walls.set(id, wall);
      sizes.observe(holder);
    }
    if (wall.content.places !== content.places) wall.focus = 0;
    Object.assign(wall, { content, drawn: "" });
    draw(wall);
  }

  /**
   * How many tiles stand in a row, and how large each is.
   * @param {WallState} wall
   */
  function measure({ holder, content }) {
    const width = holder.clientWidth, total = content.places.length;
    const columns = Math.max(FEWEST_COLUMNS, Math.floor((width + GAP_X) / ((content.narrowest ?? NARROWEST) + GAP_X)));
    const tile = Math.floor((width - GAP_X * (columns - 1)) / columns);
    const rows = Math.min(Math.ceil(total / columns), content.rows ?? Infinity);
    return { columns, tile, rows, step: tile + TEXT + GAP_Y, count: Math.min(total, rows * columns) };
  }

  /** @param {WallState} wall */
  function draw(wall) {
    const { holder, content } = wall, size = measure(wall), { columns, rows, step, count } = size;
    const top = holder.getBoundingClientRect().top;
    const ahead = content.rows === undefined ? AHEAD : Infinity; // a wall of few rows is there as a whole
    const first = Math.max(0, Math.floor((-top - ahead) / step)) * columns;
    const last = Math.min(count, Math.max(0, Math.ceil((window.innerHeight - top + ahead) / step)) * columns);
    if (!holder.contains(document.activeElement)) wall.focus = Math.max(0, Math.ceil(-top / step)) * columns;
    wall.focus = Math.min(wall.focus, Math.max(0, count - 1));
    const key = [first, last, columns, size.tile, wall.focus].join();
    if (wall.drawn === key) return;
    wall.drawn = key;
    holder.style.height = Math.max(0, rows * step - GAP_Y) + "px";
    if (count) holder.setAttribute("role", "list");
    else holder.removeAttribute("role");
    holder.setAttribute("aria-label", content.label);
    const spots = new Set([wall.focus]);
    for (let spot = first; spot < last; spot += 1) spots.add(spot);
    const sorted = [...spots].filter((spot) => spot < count).sort((a, b) => a - b);
    thinice.plain.draw(holder, sorted.map((spot) => item(wall, spot, size)));
  }

  /**
   * @param {WallState} wall
   * @param {number} spot
   * @param {{ columns: number, tile: number, step: number }} size
   * @returns {Tree}
   */
  function item({ content, focus }, spot, { columns, tile, step }) {
    const place = Number(content.places[spot]), made = content.tile(place);
    const left = (spot % columns) * (tile + GAP_X), top = Math.floor(spot / columns) * step;
    made.attributes["tabindex"] = spot === focus ? "0" : "-1";
    made.attributes["data-spot"] = String(spot);
    return {
      tag: "div",
      attributes: {
        key: made.attributes["data-sample"] || "",
        class: "wall-item",
        role: "listitem",
        style: `width:${tile}px;height:${step - GAP_Y}px;transform:translate(${left}px,${top}px)`,
        "aria-posinset": String(spot + 1),
        "aria-setsize": String(content.places.length),
      },
      children: [made],
    };
  }

  let isWaiting = false;
  function drawAll() {
    if (isWaiting) return;
    isWaiting = true;
    window.requestAnimationFrame(() => {
      isWaiting = false;
      for (const [id, wall] of walls) {
        if (wall.holder.isConnected) draw(wall);
        else forget(id, wall);
      }
    });
  }

  /**
   * @param {string} id
   * @param {WallState} wall
   */
  function forget(id, wall) {
    sizes.unobserve(wall.holder);
    walls.delete(id);
  }

  const sizes = new ResizeObserver(drawAll);
  document.addEventListener("scroll", drawAll, { passive: true });

  /**
   * The spot that a key leads to.
   * @param {string} key
   * @param {number} spot
   * @param {number} columns
   * @param {number} count
   */
  function spotAfter(key, spot, columns, count) {
    /** @type {Record<string, number>} */
    const spots = {
      ArrowLeft: spot - 1, ArrowRight: spot + 1, ArrowUp: spot - columns, ArrowDown: spot + columns, Home: 0, End: count - 1,
    };
    const next = spots[key];
    if (next === undefined || next < 0) return null;
    if (next < count) return next;
    const isLastRow = Math.floor(spot / columns) === Math.floor((count - 1) / columns);
    return key === "ArrowDown" && !isLastRow ? count - 1 : null;
  }

  document.addEventListener("keydown", (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey || event.shiftKey) return;
    const tile = thinice.elements.closest(event, ".wall-item [data-spot]"), holder = tile?.closest(".wall-list");
    const wall = holder && walls.get(holder.id);
    if (!tile || !wall) return;
    const { columns, step, count } = measure(wall);
    const next = spotAfter(event.key, Number(thinice.elements.data(tile, "spot")), columns, count);
    if (next === null) return;
    event.preventDefault();
    wall.focus = next;
    reveal(wall, Math.floor(next / columns) * step, step);
    draw(wall);
    /** @type {HTMLElement | null} */
    const wanted = wall.holder.querySelector(`[data-spot="${next}"]`);
    if (wanted) wanted.focus({ preventScroll: true });
  });

  /**
   * Scroll until a row is in sight.
   * @param {WallState} wall
   * @param {number} top
   * @param {number} height
   */
  function reveal({ holder }, top, height) {
    const start = holder.getBoundingClientRect().top + top;
    if (start < GAP_Y) window.scrollBy(0, start - GAP_Y);
    else if (start + height > window.innerHeight) window.scrollBy(0, start + height - window.innerHeight);
  }

  // A tile that is clicked or reached with Tab is where the arrows go on.
  document.addEventListener("focusin", (event) => {
    const tile = thinice.elements.closest(event, ".wall-item [data-spot]"), holder = tile?.closest(".wall-list");
    const wall = holder && walls.get(holder.id);
    if (tile && wall) wall.focus = Number(thinice.elements.data(tile, "spot"));
  });

  /** @type {ThinIce["wall"]} */
  const made = { show };
  window.thinice = Object.assign({}, window.thinice, { wall: made });
})();
