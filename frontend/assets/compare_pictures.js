// Compare's histogram and curve at a cut: bars and dots move without a new drawing, as the guides do (charts.js).
(function () {
  const ids = thinice.ids.compare;
  const TIGHT = 0.3; // of the axis, as in frontend/figures/curve.py: left of this a label has no room before the line
  const BAR = /^M([-\d.e]+),[-\d.e]+V[-\d.e]+H([-\d.e]+)V/;

  /** @type {WeakSet<Chart>} */
  const stale = new WeakSet(); // charts whose bars were moved and whose data Plotly has not read since

  /**
   * The names of the sets in a histogram's traces; its bars are named in words.
   * @param {Trace} trace
   */
  const setOf = (trace) => thinice.outcomes.SETS.find((set) => thinice.compareNumbers.WORDS[set] === trace.name) || "";

  /** @param {Shown} shown */
  function drawHistogram(shown) {
    const plot = thinice.charts.find(ids.HISTOGRAM);
    if (!plot || !plot.data.length || !shown.pair.has_margins) return;
    const counts = thinice.compareTables.histogram(shown);
    const below = new Array(plot.data[0]?.x.length || 0).fill(0);
    const heights = plot.data.map((trace) => counts[setOf(trace)] || []);
    if (plot.data.every((trace, number) => isSame(trace.y, heights[number] || []))) return;
    plot.data.forEach((trace, number) => {
      const kept = heights[number] || [];
      trace.y = kept;
      const uid = plot._fullData[number]?.uid;
      const bars = plot.querySelectorAll(`.barlayer .trace${uid} .point > path, .barlayer .trace .uid${uid} .point > path`);
      bars.forEach((bar, bin) => {
        const foot = Number(below[bin]), [, left, right] = BAR.exec(bar.getAttribute("d") || "") || [];
        below[bin] = foot + Number(kept[bin]);
        const [low, high] = [foot, Number(below[bin])].map((value) => plot._fullLayout.yaxis.l2p(value));
        if (left !== undefined) bar.setAttribute("d", `M${left},${low}V${high}H${right}V${low}Z`);
      });
    });
    stale.add(plot);
    if (isTooTall(plot, below)) settle(plot);
  }

  /**
   * @param {ArrayLike<unknown>} first
   * @param {ArrayLike<unknown>} second
   */
  const isSame = (first, second) => first.length === second.length && Array.from(first).every((one, place) => one === second[place]);

  /**
   * Whether the axis is too short for the bars, or much too long: then Plotly chooses it again.
   * @param {Chart} plot
   * @param {number[]} totals
   */
  function isTooTall(plot, totals) {
    const top = Math.max(1, ...totals), end = Number(plot._fullLayout.yaxis.range[1]);
    return top > end || top < 0.8 * end;
  }

  /**
   * Let Plotly read the bars that were moved.
   * @param {Chart} plot
   */
  function settle(plot) {
    if (!stale.has(plot) || !window.Plotly) return;
    stale.delete(plot);
    window.Plotly.react(plot, plot.data.map((trace) => ({ ...trace })), plot.layout || {});
  }

  // What Plotly says under the pointer, and what it exports, is what it read last.
  document.addEventListener("pointerover", (event) => {
    const holder = thinice.elements.closest(event, `#${ids.HISTOGRAM}, #${ids.CURVE}`);
    const plot = holder && thinice.charts.find(holder.id);
    if (plot) settle(plot);
  });

  /**
   * The dots where the curves meet eps, and their labels.
   * @param {Shown} shown
   */
  function drawCurve(shown) {
    const plot = thinice.charts.find(ids.CURVE);
    if (!plot || !plot.data.length) return;
    const { pair, cut, columns } = shown, x = cut.eps * pair.scale, n = Math.max(1, columns.n);
    const { n11, n10, n01 } = thinice.outcomes.count(shown.robust), shares = [(n11 + n10) / n, (n11 + n01) / n];
    const isTight = x < TIGHT * Number(plot._fullLayout.xaxis.range[1]);
    ["dense", "pruned"].forEach((name, position) => {
      const share = Number(shares[position]);
      moveDot(plot, "at ε, " + name, x, share);
      const line = isTight ? 2 - position : position === 0 ? 1 : -1;
      const isAbove = line > 0, words = " " + thinice.numbers.percent(share, 2);
      thinice.charts.moveLabel(plot, "value-" + name, {
        x,
        y: isTight ? Number(shares[0]) : share,
        text: "<b>" + name + "</b>" + words,
        xanchor: isAbove ? "left" : "right",
        xshift: isAbove ? 8 : -8,
        yshift: isAbove ? 16 * line - 4 : -12,
      }, words);
    });
  }

  /**
   * @param {Chart} plot
   * @param {string} name
   * @param {number} x
   * @param {number} y
   */
  function moveDot(plot, name, x, y) {
    const number = plot.data.findIndex((trace) => trace.name === name), trace = plot.data[number];
    const node = plot.querySelector(`.scatterlayer .trace${plot._fullData[number]?.uid} path.point`);
    if (!trace || !node) return;
    if (trace.x[0] === x && trace.y[0] === y) return;
    trace.x = [x];
    trace.y = [y];
    stale.add(plot);
    const { xaxis, yaxis } = plot._fullLayout;
    node.setAttribute("transform", `translate(${xaxis.l2p(x)},${yaxis.l2p(y)})`);
  }

  /** @type {ThinIce["comparePictures"]} */
  const comparePictures = { drawHistogram, drawCurve, settle };
  window.thinice = Object.assign({}, window.thinice, { comparePictures });
})();
