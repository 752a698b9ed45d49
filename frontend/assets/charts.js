// Charts that Plotly drew: lines, labels and dots that follow a slider without a new drawing. Plotly's own relayout
// computes a chart anew, 200 ms with 2,000 marks; here the one path moves, and the layout that Plotly keeps is changed
// along with it, so that the next drawing (a zoom, an export) shows the same.
(function () {
  const ICE_WORDS = 64; // pixels that "thin ice" takes: with less the label stands next to the zone

  /**
   * The chart in the element of this id, once it is drawn.
   * @param {string} id
   * @returns {Chart | null}
   */
  function find(id) {
    const holder = document.getElementById(id);
    /** @type {Chart | null} */
    const plot = holder && holder.querySelector(".js-plotly-plot");
    return plot && plot._fullLayout && plot._fullLayout.xaxis && plot._fullLayout.yaxis ? plot : null;
  }

  /**
   * Where a place on an axis is in the chart, in pixels. `ref`: "paper", or an axis.
   * @param {Chart} plot
   * @param {"x" | "y"} axis
   * @param {number} value
   * @param {string} [ref]
   */
  function pixel(plot, axis, value, ref) {
    const { _size: size, xaxis, yaxis } = plot._fullLayout;
    if (ref === "paper") return axis === "x" ? size.l + value * size.w : size.t + (1 - value) * size.h;
    const { _offset: offset, l2p } = axis === "x" ? xaxis : yaxis;
    return offset + l2p(value);
  }

  /**
   * Move the shapes of a name to other ends.
   * @param {Chart} plot
   * @param {string} name
   * @param {(shape: Shape) => Partial<Shape>} endsOf
   */
  function moveShapes(plot, name, endsOf) {
    const kept = plot.layout?.shapes || [], drawn = plot._fullLayout.shapes || [];
    kept.forEach((shape, place) => {
      const full = drawn[place];
      if (shape.name !== name || !full) return;
      const ends = endsOf(shape);
      Object.assign(shape, ends);
      Object.assign(full, ends);
      const path = plot.querySelector(`.shapelayer path[data-index="${place}"]`);
      if (path) path.setAttribute("d", outline(plot, full));
    });
  }

  /**
   * @param {Chart} plot
   * @param {Shape} shape
   */
  function outline(plot, shape) {
    const [left, right] = [shape.x0, shape.x1].map((end) => pixel(plot, "x", Number(end), shape.xref));
    const [low, high] = [shape.y0, shape.y1].map((end) => pixel(plot, "y", Number(end), shape.yref));
    if (shape.type === "rect") return `M${left},${low}H${right}V${high}H${left}Z`;
    return `M${left},${low}L${right},${high}`;
  }

  /**
   * Move the label of a name, and change its last line or word where `words` is given.
   * @param {Chart} plot
   * @param {string} name
   * @param {Partial<Note>} changes
   * @param {string} [words]
   */
  function moveLabel(plot, name, changes, words) {
    const kept = plot.layout?.annotations || [], drawn = plot._fullLayout.annotations || [];
    const place = kept.findIndex((note) => note.name === name);
    const note = kept[place], full = drawn[place];
    const group = plot.querySelector(`.annotation[data-index="${place}"]`);
    const text = group && group.querySelector("text");
    const mover = text && text.parentElement;
    if (!note || !full || !group || !text || !mover) return;
    if (!group.hasAttribute("data-height")) {
      const height = pixel(plot, "y", Number(full.y), full.yref) - Number(full.yshift || 0);
      group.setAttribute("data-height", String(height));
    }
    if (words !== undefined) write(text, words);
    Object.assign(note, changes);
    Object.assign(full, changes);
    const box = text.getBBox(), [left] = (/translate\(([-\d.e]+)/.exec(mover.getAttribute("transform") || "") || []).slice(1);
    const before = { left: 0, right: box.width, center: box.width / 2 }[String(note.xanchor || "center")] ?? box.width / 2;
    const wanted = pixel(plot, "x", Number(note.x), full.xref) + Number(note.xshift || 0) - before;
    const height = pixel(plot, "y", Number(note.y), full.yref) - Number(note.yshift || 0);
    const [across, down] = [wanted - Number(left) - box.x, height - Number(group.getAttribute("data-height"))];
    group.setAttribute("transform", `translate(${across},${down})`);
    const ground = group.querySelector("rect.bg");
    if (ground instanceof SVGElement) {
      ground.setAttribute("width", String(box.width + 2));
      if (note.bgcolor !== undefined) ground.style.fill = note.bgcolor;
      if (note.bgcolor !== undefined) ground.style.fillOpacity = note.bgcolor.startsWith("#") ? "1" : "";
    }
  }

  /**
   * Put words in the place of the last run of text in an SVG text.
   * @param {Element} text
   * @param {string} words
   */
  function write(text, words) {
    let last = text.lastChild;
    while (last && !(last instanceof Text)) last = last.lastChild;
    if (last instanceof Text && last.data !== words) last.data = words;
  }

  /**
   * The guides of eps and of thin ice, in shown units.
   * @param {Chart} plot
   * @param {number} eps
   * @param {string} epsText
   * @param {number} delta
   */
  function moveGuides(plot, eps, epsText, delta) {
    moveShapes(plot, "eps", (shape) => (shape.yref === "paper" ? { x0: eps, x1: eps } : { y0: eps, y1: eps }));
    moveLabel(plot, "eps-label", { x: eps, text: "ε " + epsText }, "ε " + epsText);
    moveShapes(plot, "ice", () => ({ x1: delta }));
    moveShapes(plot, "ice-edge", () => ({ x0: delta, x1: delta }));
    const isWide = pixel(plot, "x", delta) - pixel(plot, "x", 0) > ICE_WORDS;
    const card = window.getComputedStyle(document.documentElement).getPropertyValue("--card").trim();
    moveLabel(plot, "ice-label", {
      x: delta,
      xanchor: isWide ? "right" : "left",
      xshift: isWide ? -4 : 4,
      bgcolor: isWide ? "rgba(0,0,0,0)" : card,
    });
  }

  /** @type {WeakSet<Chart>} */
  const watched = new WeakSet();

  /**
   * Call back after each time that Plotly draws the chart of this id, and once it is there; and for a click on a mark.
   * @param {string} id
   * @param {() => void} onDrawn
   * @param {(id: string, point: ChartPoint | undefined) => void} [onClick]
   */
  function watch(id, onDrawn, onClick) {
    const plot = find(id);
    if (!plot || !plot.data.length) {
      if (document.getElementById(id)) window.setTimeout(watch, 100, id, onDrawn, onClick);
      return;
    }
    if (watched.has(plot)) return;
    watched.add(plot);
    plot.on("plotly_afterplot", onDrawn);
    if (onClick) plot.on("plotly_click", (event) => onClick(id, event.points?.[0]));
    onDrawn();
  }

  /** @type {ThinIce["charts"]} */
  const charts = { find, pixel, moveGuides, moveLabel, watch, write };
  window.thinice = Object.assign({}, window.thinice, { charts });
})();
