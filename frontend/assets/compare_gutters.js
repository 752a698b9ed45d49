// The gutters of Compare's scatter stay in sight when it is zoomed: samples without a distance stand in strips at the
// edges, for which the zoomed range is made a little longer. (A chart that WebGL drew has no marks to move.)
(function () {
  const GUTTER = 0.07, FULL = 1.03; // of frontend/figures/scatter.py: a gutter of an axis, and where its last marks stand
  const OUTER = 1.25, INNER = 0.25; // of a gutter: how far an axis goes on beyond its ends, with samples there and without
  const STRIP = 26; // pixels
  const SVG = "http://www.w3.org/2000/svg";

  /** The lengths of the ranges that were made longer: such a range was moved, not zoomed. @type {WeakMap<Chart, string>} */
  const lengths = new WeakMap();

  /**
   * Which gutters of an axis are out of sight.
   * @param {ChartAxis} axis
   * @param {ComparedPair} pair
   */
  function away({ range: [low, high] }, pair) {
    const gutter = GUTTER * pair.axis;
    return { low: low > -FULL * gutter, high: pair.has_end && high < pair.axis + FULL * gutter };
  }

  /**
   * Make room for the strips after a zoom, and show everything after a double click. True where Plotly draws again for
   * it. (Plotly forgets the first ranges of a chart that was blank before, and then fits both axes to the marks.)
   * @param {Chart} plot
   * @param {ComparedPair} pair
   */
  function extend(plot, pair) {
    const { xaxis, yaxis } = plot._fullLayout;
    if (xaxis.autorange === true && window.Plotly) {
      const gutter = GUTTER * pair.axis, whole = [-OUTER * gutter, pair.axis + (pair.has_end ? OUTER : INNER) * gutter];
      lengths.delete(plot);
      window.Plotly.relayout(plot, { "xaxis.range": whole, "yaxis.range": whole });
      return true;
    }
    const axes = /** @type {[string, ChartAxis][]} */ ([["xaxis", xaxis], ["yaxis", yaxis]]);
    /** @param {number[]} range */
    const length = ([low = 0, high = 0]) => (high - low).toPrecision(6);
    if (lengths.get(plot) === axes.map(([, axis]) => length(axis.range)).join()) return false;
    /** @type {Record<string, number[]>} */
    const changes = {};
    for (const [name, axis] of axes) {
      const { low, high } = away(axis, pair), [from, to] = axis.range;
      const room = (to - from) * STRIP / Math.max(1, axis._length - STRIP * (Number(low) + Number(high)));
      if (low || high) changes[name + ".range"] = [from - (low ? room : 0), to + (high ? room : 0)];
    }
    lengths.delete(plot);
    if (!Object.keys(changes).length || !window.Plotly) return false;
    lengths.set(plot, axes.map(([name, axis]) => length(changes[name + ".range"] || axis.range)).join());
    window.Plotly.relayout(plot, changes);
    return true;
  }

  /**
   * Where on an axis a mark stands, in pixels of the ground; null where a strip covers what is next to the zoomed part.
   * @param {number} value
   * @param {ChartAxis} axis
   * @param {{ low: boolean, high: boolean }} gone
   * @param {number} end the axis in shown units
   * @param {boolean} isUp
   */
  function spot(value, axis, gone, end, isUp) {
    const natural = axis.l2p(value), across = STRIP / (1.25 * GUTTER * end), length = axis._length;
    const start = isUp ? length - natural : natural; // from the low end of the axis
    if (value < 0 && gone.low) return isUp ? length - STRIP - value * across : STRIP + value * across;
    if (value > end && gone.high) return isUp ? STRIP - (value - end) * across : length - STRIP + (value - end) * across;
    const isCovered = (gone.low && start < STRIP) || (gone.high && start > length - STRIP);
    return isCovered ? null : natural;
  }

  /**
   * Put every mark in its place.
   * @param {Chart} plot
   * @param {Mark[]} marks
   * @param {ComparedPair} pair
   */
  function place(plot, marks, pair) {
    const { xaxis, yaxis } = plot._fullLayout, gone = { x: away(xaxis, pair), y: away(yaxis, pair) };
    const hasNodes = marks.every((mark) => mark.node !== null);
    const isMoved = hasNodes && [gone.x, gone.y].some(({ low, high }) => low || high);
    drawStrips(plot, isMoved ? gone : null);
    for (const mark of marks) {
      const left = isMoved ? spot(mark.x, xaxis, gone.x, pair.axis, false) : xaxis.l2p(mark.x);
      const top = isMoved ? spot(mark.y, yaxis, gone.y, pair.axis, true) : yaxis.l2p(mark.y);
      mark.left = left ?? NaN;
      mark.top = top ?? NaN;
      if (!mark.node) continue;
      if (!isMoved) {
        if (mark.node.style.display) mark.node.style.display = "";
        continue;
      }
      mark.node.style.display = left === null || top === null ? "none" : "";
      if (left !== null && top !== null) mark.node.setAttribute("transform", `translate(${left},${top})`);
    }
  }

  /**
   * @param {Chart} plot
   * @param {Record<"x" | "y", { low: boolean, high: boolean }> | null} gone
   */
  function drawStrips(plot, gone) {
    const layer = plot.querySelector(".scatterlayer");
    layer?.querySelector(".strips")?.remove();
    if (!layer || !gone) return;
    const { xaxis: { _length: width }, yaxis: { _length: height } } = plot._fullLayout, group = document.createElementNS(SVG, "g");
    group.setAttribute("class", "strips");
    const boxes = [
      { on: gone.x.low, box: [0, 0, STRIP, height], words: "wrong", at: [3, 12] },
      { on: gone.x.high, box: [width - STRIP, 0, STRIP, height], words: "", at: [0, 0] },
      { on: gone.y.low, box: [0, height - STRIP, width, STRIP], words: "wrong", at: [width - 40, height - 8] },
      { on: gone.y.high, box: [0, 0, width, STRIP], words: "", at: [0, 0] },
    ];
    for (const { on, box, words, at } of boxes) if (on) group.append(element("rect", box), ...(words ? [element("text", at, words)] : []));
    layer.prepend(group);
  }

  /**
   * @param {string} tag
   * @param {number[]} numbers x, y, width and height
   * @param {string} [words]
   */
  function element(tag, numbers, words = "") {
    const made = document.createElementNS(SVG, tag);
    ["x", "y", "width", "height"].forEach((name, number) => {
      if (numbers[number] !== undefined) made.setAttribute(name, String(numbers[number]));
    });
    made.textContent = words;
    return made;
  }

  /**
   * The ends of a box on an axis, as margins: a gutter counts as a whole. Next to a strip the box ends with the zoom.
   * @param {number[]} pixels from the low end of the axis
   * @param {ChartAxis} axis
   * @param {ComparedPair} pair
   * @param {boolean} isUp
   * @returns {Ends}
   */
  function endsOf(pixels, axis, pair, isUp) {
    const { low: isLow, high: isHigh } = away(axis, pair), length = axis._length, edge = 0.12 * GUTTER * pair.axis;
    const [from = 0, to = 0] = [...pixels].sort((a, b) => a - b);
    if (isLow && to <= STRIP) return { low: "wrong", high: "wrong" };
    if (isHigh && from >= length - STRIP) return { low: thinice.distances.asText(pair.axis, pair), high: "none" };
    const clamped = [Math.max(from, isLow ? STRIP : 0), Math.min(to, length - (isHigh ? STRIP : 0))];
    const [low = 0, high = 0] = clamped.map((pixel) => axis.p2l(isUp ? length - pixel : pixel));
    /** @param {number} value */
    const text = (value) => thinice.distances.asText(Math.min(pair.axis, Math.max(0, value)), pair);
    return {
      low: low < -edge ? "wrong" : text(low),
      high: high < -edge ? "wrong" : high > pair.axis + edge ? "none" : text(high),
    };
  }

  /** @type {ThinIce["compareGutters"]} */
  const compareGutters = { extend, place, endsOf };
  window.thinice = Object.assign({}, window.thinice, { compareGutters });
})();
