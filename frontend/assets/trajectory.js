// The margin of one sample along sparsity: a line a method, marks that lead to the version, gutters for what has none.
(function () {
  const HEIGHT = 220;
  const EDGE = { left: 44, right: 12, top: 22, bottom: 46 };
  const AIR = 0.15; // decades of what is kept
  /** @type {WeakMap<Element, number>} */
  const drawn = new WeakMap();

  const resized = new ResizeObserver((entries) => entries.forEach((entry) => draw(/** @type {HTMLElement} */ (entry.target))));
  new MutationObserver(() => {
    document.querySelectorAll(`#${thinice.ids.sample.PAGE} [data-trajectory]`).forEach((place) => {
      if (drawn.has(place)) return;
      drawn.set(place, 0);
      resized.observe(place);
    });
  }).observe(document.documentElement, { childList: true, subtree: true });

  /** @param {HTMLElement} place */
  function draw(place) {
    const width = Math.round(place.clientWidth);
    if (!width || drawn.get(place) === width) return;
    drawn.set(place, width);
    /** @type {Trajectory} */
    const data = JSON.parse(thinice.elements.data(place, "trajectory"));
    const scale = scaleOf(data, width);
    const label = `Margin of this sample by sparsity, ${data.marks.length} versions; the table below has the numbers`;
    const picture = thinice.elements.draw("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "group", "aria-label": label });
    picture.append(...frame(data, scale, width), ...lines(data, scale), ...data.marks.map((mark) => link(mark, scale)));
    place.replaceChildren(picture);
  }

  /**
   * Where values and sparsities lie.
   * @param {Trajectory} data
   * @param {number} width
   * @returns {TrajectoryScale}
   */
  function scaleOf(data, width) {
    const values = [...data.marks.map((mark) => mark.value), data.dense, data.eps].filter((one) => one !== null);
    const top = 1.08 * Math.max(...values, 1e-9);
    const places = data.marks.map((mark) => mark.x);
    const low = Math.min(0, ...places) - AIR;
    const high = Math.max(1, ...places) + AIR;
    const bottom = HEIGHT - EDGE.bottom;
    return {
      top,
      x: (place) => EDGE.left + ((place - low) / (high - low)) * (width - EDGE.left - EDGE.right),
      y: (mark) => (mark.state === "wrong" ? bottom + 12 : mark.state === "none" ? EDGE.top - 10 : bottom - (Math.max(0, mark.value ?? 0) / top) * (bottom - EDGE.top)),
    };
  }

  /**
   * Axes, the line of eps, thin ice and the dense network's own margin.
   * @param {Trajectory} data
   * @param {TrajectoryScale} scale
   * @param {number} width
   */
  function frame(data, scale, width) {
    const [left, right, bottom] = [EDGE.left, width - EDGE.right, HEIGHT - EDGE.bottom];
    /** @param {number} value */
    const y = (value) => scale.y({ state: "margin", value });
    const ice = y(Math.min(data.delta, scale.top));
    const parts = [thinice.elements.draw("rect", { x: left, y: ice, width: right - left, height: bottom - ice, class: "trajectory-ice" })];
    for (const value of ticks(scale.top)) {
      parts.push(thinice.elements.draw("line", { x1: left, x2: right, y1: y(value), y2: y(value), class: "trajectory-grid" }));
      parts.push(thinice.elements.draw("text", { x: left - 6, y: y(value) + 4, class: "trajectory-tick", "text-anchor": "end" }, String(value)));
    }
    parts.push(thinice.elements.draw("line", { x1: left, x2: right, y1: y(data.eps), y2: y(data.eps), class: "trajectory-eps" }));
    parts.push(thinice.elements.draw("text", { x: right, y: y(data.eps) - 4, class: "trajectory-eps-name", "text-anchor": "end" }, `ε ${data.eps_text}`));
    parts.push(thinice.elements.draw("text", { x: left - 6, y: bottom + 16, class: "trajectory-tick", "text-anchor": "end" }, "wrong"));
    if ([...data.marks.map((mark) => mark.state), data.dense_state].includes("none")) {
      parts.push(thinice.elements.draw("text", { x: left - 6, y: EDGE.top - 6, class: "trajectory-tick", "text-anchor": "end" }, "none"));
    }
    const dense = scale.y({ state: data.dense_state, value: data.dense });
    parts.push(thinice.elements.draw("line", { x1: left, x2: right, y1: dense, y2: dense, class: "trajectory-dense" }));
    parts.push(thinice.elements.draw("text", { x: left + 4, y: dense - 4, class: "trajectory-dense-name" }, "dense"));
    for (const share of [0, 0.5, 0.8, 0.9, 0.95, 0.99]) {
      const x = scale.x(-Math.log10(1 - share));
      if (x > left && x < right) parts.push(thinice.elements.draw("text", { x, y: HEIGHT - 18, class: "trajectory-tick", "text-anchor": "middle" }, `${Math.round(100 * share)}`));
    }
    parts.push(thinice.elements.draw("text", { x: (left + right) / 2, y: HEIGHT - 3, class: "trajectory-tick", "text-anchor": "middle" }, `Sparsity (%); margin in ${data.unit}`));
    return parts;
  }

  /** @param {number} top */
  function ticks(top) {
    const rough = top / 4;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough) || power;
    return Array.from({ length: Math.floor(top / step) + 1 }, (_, place) => Number((place * step).toPrecision(6)));
  }

  /**
   * @param {Trajectory} data
   * @param {TrajectoryScale} scale
   */
  function lines(data, scale) {
    /** @type {Map<number, TrajectoryMark[]>} */
    const methods = new Map();
    for (const mark of data.marks) if (mark.place !== null) methods.set(mark.place, [...(methods.get(mark.place) || []), mark]);
    return [...methods].map(([place, marks]) => {
      const points = marks.map((mark) => `${scale.x(mark.x)},${scale.y(mark)}`).join(" ");
      return thinice.elements.draw("polyline", { points, class: `trajectory-line line-${(place % 5) + 1}` });
    });
  }

  /**
   * @param {TrajectoryMark} mark
   * @param {TrajectoryScale} scale
   */
  function link(mark, scale) {
    const [x, y] = [scale.x(mark.x), scale.y(mark)];
    const anchor = thinice.elements.draw("a", { href: mark.href, "data-step": mark.step, class: mark.current ? "is-current" : "", "aria-label": mark.words });
    if (mark.current) anchor.append(thinice.elements.draw("circle", { cx: x, cy: y, r: 9, class: "trajectory-ring" }));
    const colour = mark.place === null ? "mark-control" : `mark-${(mark.place % 5) + 1}`;
    anchor.append(thinice.elements.draw("path", { d: shape(mark.place, x, y), class: `trajectory-mark ${colour}` }), thinice.elements.draw("title", {}, mark.words));
    return anchor;
  }

  /**
   * The shape of a method's place: in the order of SHAPES in frontend/pages/sample/versions.py.
   * @param {number | null} place
   * @param {number} x
   * @param {number} y
   */
  function shape(place, x, y) {
    const r = 4.5;
    const circle = `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
    if (place === null) return circle;
    const paths = [
      circle,
      `M${x - 4} ${y - 4}h8v8h-8Z`,
      `M${x} ${y - 5.5}l5.5 5.5l-5.5 5.5l-5.5 -5.5Z`,
      `M${x} ${y - 5.5}l5.5 9.5h-11Z`,
      `M${x - 1.7} ${y - 5}h3.4v3.3h3.3v3.4h-3.3v3.3h-3.4v-3.3h-3.3v-3.4h3.3Z`,
    ];
    return paths[(place + Math.floor(place / 5)) % 5] || circle;
  }
})();
