// Picking samples in Compare's pictures: a box or a lasso in the scatter, a bar of the histogram, a point of the shares, a
// bar of the classes. Each writes the address, so everything else on the page follows.
(function () {
  const ids = thinice.ids.compare;
  const HELD = 1 + 2e-7; // of backend/analysis/outcomes.py: a margin this much over eps holds
  /** @type {{ x: number, y: number }[] | null} */
  let path = null;
  let mode = "zoom";

  /** @param {Event} event */
  const area = (event) => thinice.elements.closest(event, `#${ids.SCATTER} .draglayer`);

  document.addEventListener("click", (event) => {
    const button = thinice.elements.closest(event, `#${ids.TOOLS} [data-mode]`);
    if (!button) return;
    mode = thinice.elements.data(button, "mode");
    showMode();
  });

  function showMode() {
    for (const one of document.querySelectorAll(`#${ids.TOOLS} [data-mode]`)) {
      one.setAttribute("aria-pressed", String(thinice.elements.data(one, "mode") === mode));
    }
    const holder = document.getElementById(ids.SCATTER);
    if (holder && holder.getAttribute("data-mode") !== mode) holder.setAttribute("data-mode", mode);
  }

  // Plotly's own drag, a zoom, begins with these; while samples are picked it must not.
  for (const name of ["mousedown", "touchstart"]) {
    document.addEventListener(name, (event) => {
      if (mode === "zoom" || !area(event)) return;
      event.stopImmediatePropagation();
      event.preventDefault();
    }, { capture: true, passive: false });
  }

  document.addEventListener("pointerdown", (event) => {
    path = area(event) && event.button === 0 ? [{ x: event.clientX, y: event.clientY }] : null;
  }, true);
  document.addEventListener("pointermove", (event) => {
    if (!path || mode === "zoom") return;
    path.push({ x: event.clientX, y: event.clientY });
    outline(path);
  }, true);
  document.addEventListener("pointercancel", end, true);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !path) return;
    event.preventDefault();
    end();
  }, true);
  document.addEventListener("pointerup", (event) => {
    const shown = thinice.compareCut.shown(), first = path?.[0], drawn = path || [];
    end();
    if (!first || !shown) return;
    if (Math.hypot(event.clientX - first.x, event.clientY - first.y) <= thinice.compareMarks.STILL && drawn.length < 12) {
      open(event, shown);
    } else if (mode === "box") {
      pickBox(first, { x: event.clientX, y: event.clientY }, shown);
    } else if (mode === "lasso") {
      const rows = thinice.compareMarks.inside(drawn, shown);
      if (rows.length) thinice.go({ pick: thinice.selection.writeRows(rows) }, false);
    }
  }, true);

  function end() {
    path = null;
    document.querySelector(`#${ids.SCATTER} .picking`)?.remove();
  }

  /**
   * A mark opens its sample.
   * @param {PointerEvent} event
   * @param {Shown} shown
   */
  function open(event, shown) {
    const mark = thinice.compareMarks.nearest(event.clientX, event.clientY, shown);
    if (!mark) return;
    const address = thinice.sampleLists.address("/sample", shown.cut, { index: Number(shown.columns.index[mark.place]) });
    thinice.visit("/sample", Object.fromEntries(new URLSearchParams(address.split("?")[1])));
  }

  /**
   * What is being drawn, over the chart.
   * @param {{ x: number, y: number }[]} points of the window
   */
  function outline(points) {
    const holder = document.getElementById(ids.SCATTER), first = points[0], last = points[points.length - 1];
    if (!holder || !first || !last) return;
    const space = "http://www.w3.org/2000/svg", box = holder.getBoundingClientRect();
    const svg = holder.querySelector(".picking") || document.createElementNS(space, "svg");
    if (!svg.isConnected) {
      svg.setAttribute("class", "picking");
      svg.append(document.createElementNS(space, "path"));
      holder.append(svg);
    }
    const corners = mode === "box" ? [first, { x: last.x, y: first.y }, last, { x: first.x, y: last.y }] : points;
    const d = "M" + corners.map(({ x, y }) => x - box.left + "," + (y - box.top)).join("L") + "Z";
    svg.firstElementChild?.setAttribute("d", d);
  }

  /**
   * The margins between two corners, to what a reader sees of them; a gutter counts as a whole.
   * @param {{ x: number, y: number }} from
   * @param {{ x: number, y: number }} to
   * @param {Shown} shown
   */
  function pickBox(from, to, { pair, columns }) {
    const plot = thinice.charts.find(ids.SCATTER), ground = plot?.querySelector(".nsewdrag")?.getBoundingClientRect();
    if (!plot || !ground) return;
    const { xaxis, yaxis } = plot._fullLayout;
    const across = [from.x - ground.left, to.x - ground.left], up = [ground.bottom - from.y, ground.bottom - to.y];
    const { endsOf } = thinice.compareGutters;
    const pick = thinice.selection.writeRanges({ dense: endsOf(across, xaxis, pair, false), pruned: endsOf(up, yaxis, pair, true) });
    const found = thinice.selection.mask(columns, thinice.selection.parse(pick));
    if (found.includes(1)) thinice.go({ pick }, false);
  }

  /**
   * Pick what a mark of a chart stands for; once more lets it go.
   * @param {Query} changes
   * @param {Shown} shown
   */
  function toggle(changes, { cut }) {
    const isOn = Object.entries(changes).every(([key, value]) => cut.query[key] === String(value));
    thinice.go(isOn ? Object.fromEntries(Object.keys(changes).map((key) => [key, null])) : changes, false);
  }

  /** What a click in each chart picks. @type {Record<string, (point: ChartPoint, shown: Shown) => Query>} */
  const PICKED = {
    [ids.HISTOGRAM]: ({ pointIndex }, { pair }) => ({ pick: thinice.compareTables.pickOf(pair, pointIndex) }),
    [ids.CLASSES]: ({ customdata }) => ({ class: Number(customdata?.[3]) }),
    [ids.SHARE]: ({ pointIndex, customdata }, { cut }) => {
      const first = cut.view === "robust" ? String(cut.eps * HELD) : "0";
      const low = pointIndex === 0 ? first : String(customdata?.[4]);
      return { pick: thinice.selection.writeRanges({ dense: { low, high: String(customdata?.[5]) } }) };
    },
  };

  /**
   * A click in a chart.
   * @param {string} id
   * @param {ChartPoint | undefined} point
   */
  function press(id, point) {
    const shown = thinice.compareCut.shown(), changes = PICKED[id];
    if (shown && point && changes && point.customdata !== undefined) toggle(changes(point, shown), shown);
  }

  /** @type {ThinIce["compareSelecting"]} */
  const compareSelecting = { press, showMode };
  window.thinice = Object.assign({}, window.thinice, { compareSelecting });
})();
