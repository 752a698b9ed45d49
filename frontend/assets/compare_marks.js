// The marks of Compare's scatter: which set each shows, which of them a cut hides, and which lies under the pointer.
(function () {
  const ids = thinice.ids.compare;
  const NEAR = 12; // pixels between the pointer and a mark that it means
  const STILL = 5; // pixels that a click may move
  const GL_PAUSE = 300; // milliseconds of rest before a chart without elements is drawn anew

  /** @type {{ plot: Chart, data: unknown, marks: Mark[] } | null} */
  let known = null;

  /**
   * Every mark with its place among the columns, the set that Plotly drew it as, and its element.
   * @param {Chart} plot
   * @param {Columns} columns
   */
  function read(plot, columns) {
    /** @type {Map<number, number>} */
    const places = new Map();
    columns.index.forEach((index, place) => places.set(index, place));
    /** @type {Mark[]} */
    const marks = [];
    plot.data.forEach((trace, number) => {
      const set = thinice.outcomes.SETS.indexOf(trace.name || "");
      const nodes = elementsOf(plot, number);
      (plot.calcdata[number] || []).forEach((point, spot) => {
        const index = trace.customdata?.[spot], place = places.get(Number(index));
        if (set < 0 || place === undefined || typeof point.x !== "number") return;
        marks.push({ place, set, x: point.x, y: point.y, node: nodes[spot] || null, copy: null, left: NaN, top: NaN });
      });
    });
    return marks;
  }

  /**
   * The elements of a trace's marks, in the order of its points; none where WebGL drew them.
   * @param {Chart} plot
   * @param {number} number
   * @returns {SVGElement[]}
   */
  function elementsOf(plot, number) {
    const uid = plot._fullData[number]?.uid;
    return Array.from(plot.querySelectorAll(`.scatterlayer .trace${uid} path.point`));
  }

  /**
   * Show the sets of a cut. A mark of another set than Plotly drew is hidden behind one in front of all marks.
   * @param {Shown} shown
   */
  function draw(shown) {
    const plot = thinice.charts.find(ids.SCATTER);
    if (!plot || !plot.data.length) return;
    if (!known || known.plot !== plot || known.data !== plot.calcdata) {
      known = { plot, data: plot.calcdata, marks: read(plot, shown.columns) };
      thinice.compareGutters.place(plot, known.marks, shown.pair);
    }
    if (known.marks.some((mark) => mark.node === null)) drawLater(shown);
    else known.marks.forEach((mark) => drawMark(plot, mark, shown));
    countWrongTwice(plot, shown);
  }

  /**
   * @param {Chart} plot
   * @param {Mark} mark
   * @param {Shown} shown
   */
  function drawMark(plot, mark, shown) {
    const node = /** @type {SVGElement} */ (mark.node);
    const isShown = thinice.sampleLists.isChosen(shown, mark.place) && node.style.display !== "none";
    const set = Number(shown.sets[mark.place]);
    const visibility = isShown && set === mark.set ? "" : "hidden";
    if (node.style.visibility !== visibility) node.style.visibility = visibility;
    const wanted = isShown && set !== mark.set ? String(set) : "";
    if (mark.copy && mark.copy.getAttribute("data-set") !== wanted) {
      mark.copy.remove();
      mark.copy = null;
    }
    if (!wanted || mark.copy) return;
    mark.copy = copyOf(plot, node, set);
    layerOf(plot).append(mark.copy);
  }

  /**
   * @param {Chart} plot
   * @param {SVGElement} node
   * @param {number} set
   */
  function copyOf(plot, node, set) {
    const name = thinice.outcomes.SETS[set] || "", style = plot.data.find((trace) => trace.name === name)?.marker;
    const copy = document.createElementNS("http://www.w3.org/2000/svg", "path");
    const isOpen = String(style?.symbol).endsWith("open");
    copy.setAttribute("class", "point");
    copy.setAttribute("data-set", String(set));
    copy.setAttribute("transform", node.getAttribute("transform") || "");
    copy.setAttribute("d", pathOf(String(style?.symbol), Number(style?.size) / 2));
    copy.style.fill = isOpen ? "none" : String(style?.color);
    copy.style.stroke = String(style?.line?.color);
    copy.style.strokeWidth = style?.line?.width + "px";
    return copy;
  }

  /**
   * A symbol as Plotly draws it, around 0, 0.
   * @param {string} symbol
   * @param {number} r half of its size
   */
  function pathOf(symbol, r) {
    const wide = 2 * r / Math.sqrt(3), low = r / 2;
    if (symbol === "triangle-up") return `M-${wide},${low}H${wide}L0,-${r}Z`;
    if (symbol === "triangle-down") return `M-${wide},-${low}H${wide}L0,${r}Z`;
    if (symbol.startsWith("square")) return `M${r},${r}H-${r}V-${r}H${r}Z`;
    return `M${r},0A${r},${r} 0 1,1 0,-${r}A${r},${r} 0 0,1 ${r},0Z`;
  }

  /**
   * A group of our own after all traces. A new drawing of Plotly's leaves it, so it is emptied with the marks.
   * @param {Chart} plot
   */
  function layerOf(plot) {
    const layer = plot.querySelector(".scatterlayer");
    const own = layer && layer.querySelector(".recut");
    if (own) return own;
    const made = document.createElementNS("http://www.w3.org/2000/svg", "g");
    made.setAttribute("class", "recut");
    if (layer) layer.append(made);
    return made;
  }

  /** Forget the elements that Plotly has just replaced or moved. */
  function forget() {
    if (known) known.plot.querySelectorAll(".recut").forEach((layer) => layer.remove());
    known = null;
  }

  /**
   * The samples that both models get wrong stand in the corner as a number.
   * @param {Chart} plot
   * @param {Shown} shown
   */
  function countWrongTwice(plot, shown) {
    const { columns } = shown;
    let count = 0;
    columns.dense.margin.forEach((margin, place) => {
      const isWrong = margin === 0 && columns.pruned.margin[place] === 0;
      count += Number(isWrong && thinice.sampleLists.isChosen(shown, place));
    });
    const place = (plot.layout?.annotations || []).findIndex((note) => note.name === "wrong-twice");
    const group = plot.querySelector(`.annotation[data-index="${place}"]`), text = group?.querySelector("text");
    if (!(group instanceof SVGElement) || !text) return;
    group.style.visibility = count ? "" : "hidden";
    thinice.charts.write(text, thinice.numbers.count(count));
  }

  /** @type {number | undefined} */
  let waiting;

  /**
   * WebGL has no elements to change: after a rest the chart is drawn anew, its zoom kept.
   * @param {Shown} shown
   */
  function drawLater(shown) {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(() => {
      if (!known || !window.Plotly) return;
      const { plot } = known, data = tracesOf(shown);
      if (JSON.stringify(data.map((one) => one.customdata)) === JSON.stringify(plot.data.map((one) => one.customdata))) return;
      window.Plotly.react(plot, data, plot.layout || {});
    }, GL_PAUSE);
  }

  /** @type {WeakMap<Columns, Mark[]>} */
  const everything = new WeakMap();

  /**
   * Plotly's traces as the cut shows them.
   * @param {Shown} shown
   */
  function tracesOf(shown) {
    if (!known) return [];
    const marks = everything.get(shown.columns) || known.marks;
    everything.set(shown.columns, marks);
    return known.plot.data.map((trace) => {
      const of = marks.filter(({ place }) => thinice.outcomes.SETS[Number(shown.sets[place])] === trace.name
        && thinice.sampleLists.isChosen(shown, place));
      const customdata = of.map((mark) => Number(shown.columns.index[mark.place]));
      return { ...trace, x: of.map((mark) => mark.x), y: of.map((mark) => mark.y), customdata };
    });
  }

  /**
   * The mark at a place of the window: its place among the columns, and where it is.
   * @param {number} left
   * @param {number} top
   * @param {Shown} shown
   */
  function nearest(left, top, shown) {
    const area = known && known.plot.querySelector(".nsewdrag");
    if (!known || !area) return null;
    const box = area.getBoundingClientRect();
    const [x, y] = [left - box.left, top - box.top];
    let found = null, least = NEAR;
    for (const mark of known.marks) {
      const distance = Math.hypot(mark.left - x, mark.top - y);
      if (!(distance <= least) || !thinice.sampleLists.isChosen(shown, mark.place)) continue;
      least = distance;
      found = mark;
    }
    return found && { place: found.place, left: box.left + found.left, top: box.top + found.top };
  }

  /**
   * The rows of the shown marks inside a polygon of the window: a ray to the left crosses it an odd number of times.
   * @param {{ x: number, y: number }[]} polygon
   * @param {Shown} shown
   */
  function inside(polygon, shown) {
    const ground = known && known.plot.querySelector(".nsewdrag")?.getBoundingClientRect();
    if (!known || !ground) return [];
    return known.marks.filter((mark) => {
      if (!thinice.sampleLists.isChosen(shown, mark.place)) return false;
      const [x, y] = [ground.left + mark.left, ground.top + mark.top];
      let isInside = false, last = polygon[polygon.length - 1];
      for (const point of polygon) {
        if (last && point.y > y !== last.y > y && x < (last.x - point.x) * (y - point.y) / (last.y - point.y) + point.x) isInside = !isInside;
        last = point;
      }
      return isInside;
    }).map((mark) => Number(shown.columns.index[mark.place]));
  }

  /** @type {ThinIce["compareMarks"]} */
  const compareMarks = { draw, forget, nearest, inside, STILL };
  window.thinice = Object.assign({}, window.thinice, { compareMarks });
})();
