// Draws a boundary slice: a picture for each network, their key, what lies under the pointer, and a table of the points.
(function () {
  const SIDE = 240; // of a picture, in its own pixels
  const NAMED = 0.03; // share of a picture from which a region carries the name of its class

  /**
   * Everything that the card shows.
   * @param {SliceWanted} wanted
   * @param {SliceFound} found
   */
  function build(wanted, found) {
    const colours = colour(found);
    const panels = thinice.elements.make("div", "slice-panels");
    const here = thinice.elements.make("p", "slice-here small muted", describe(wanted, found));
    panels.append(panel("dense", wanted, found, colours, here), panel("pruned", wanted, found, colours, here));
    return [panels, key(wanted, found, colours), here, table(wanted, found)];
  }

  /**
   * @param {SliceWanted} wanted
   * @param {number} number
   */
  const className = (wanted, number) => wanted.classes[number] || `class ${number}`;

  /**
   * The classes in the picture other than the true one, the largest first, each with its number of a colour.
   * @param {SliceFound} found
   * @returns {Map<number, number>}
   */
  function colour(found) {
    /** @type {Map<number, number>} */
    const counts = new Map();
    for (const row of [...found.dense, ...found.pruned]) for (const one of row) counts.set(one, (counts.get(one) || 0) + 1);
    counts.delete(found.label);
    const ordered = [...counts.keys()].sort((first, second) => (counts.get(second) || 0) - (counts.get(first) || 0) || first - second);
    return new Map([[found.label, 0], ...ordered.map((one, place) => /** @type {[number, number]} */ ([one, 1 + (place % 9)]))]);
  }

  /**
   * One network's picture.
   * @param {"dense" | "pruned"} side
   * @param {SliceWanted} wanted
   * @param {SliceFound} found
   * @param {Map<number, number>} colours
   * @param {HTMLElement} here
   */
  function panel(side, wanted, found, colours, here) {
    const figure = thinice.elements.make("figure", "slice-panel");
    const name = wanted.names[side === "dense" ? 0 : 1] || side;
    const title = thinice.elements.make("figcaption", "", name);
    const picture = thinice.elements.draw("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, role: "img", "aria-label": `Classes of ${name} on the plane` });
    const classes = side === "dense" ? found.dense : found.pruned;
    picture.append(...regions(classes, colours), ...names(classes, wanted, found), ...outlines(wanted, found), ...marks(found));
    const normal = describe(wanted, found);
    picture.addEventListener("pointermove", (event) => {
      const box = picture.getBoundingClientRect();
      here.textContent = pointWords(wanted, found, (event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height);
    });
    picture.addEventListener("pointerleave", () => (here.textContent = normal));
    figure.append(title, picture);
    return figure;
  }

  /**
   * Runs of one class, row by row.
   * @param {number[][]} classes
   * @param {Map<number, number>} colours
   */
  function regions(classes, colours) {
    const step = SIDE / classes.length;
    /** @type {Element[]} */
    const runs = [];
    classes.forEach((row, place) => {
      let start = 0;
      row.forEach((one, column) => {
        if (row[column + 1] === one) return;
        const width = (column + 1 - start) * step;
        const box = { x: start * step, y: SIDE - (place + 1) * step, width, height: step };
        runs.push(thinice.elements.draw("rect", { ...box, class: `region region-${colours.get(one)}` }));
        start = column + 1;
      });
    });
    return runs;
  }

  /**
   * The name of each large region, at the point of it that lies nearest to its middle and away from the marks.
   * @param {number[][]} classes
   * @param {SliceWanted} wanted
   * @param {SliceFound} found
   */
  function names(classes, wanted, found) {
    const points = classes.length;
    const marked = found.marks.map((mark) => at(found, mark.x, mark.y).map((one) => (one / SIDE) * points));
    /** @param {[number, number]} cell */
    const isFree = (cell) => marked.every(([x, y]) => Math.abs(cell[1] - (points - (y ?? 0))) > points / 8 || Math.abs(cell[0] - (x ?? 0)) > points / 3);
    /** @type {Map<number, [number, number][]>} */
    const cells = new Map();
    classes.forEach((row, y) => row.forEach((one, x) => cells.set(one, [...(cells.get(one) || []), [x, y]])));
    return [...cells].filter(([, all]) => all.length > NAMED * points * points).map(([one, all]) => {
      const mean = [0, 1].map((axis) => all.reduce((sum, cell) => sum + (cell[axis] || 0), 0) / all.length);
      const free = all.filter(isFree);
      /** @param {[number, number]} cell */
      const away = (cell) => (cell[0] - (mean[0] || 0)) ** 2 + (cell[1] - (mean[1] || 0)) ** 2;
      const [x, y] = (free.length ? free : all).reduce((best, cell) => (away(cell) < away(best) ? cell : best));
      const at = { x: Math.min(SIDE - 40, Math.max(40, ((x + 0.5) / points) * SIDE)), y: SIDE - ((y + 0.5) / points) * SIDE + 4 };
      return thinice.elements.draw("text", { ...at, class: "region-name", "text-anchor": "middle" }, className(wanted, one));
    });
  }

  /**
   * Where a place of the plane lies in the picture.
   * @param {SliceFound} found
   * @param {number} x
   * @param {number} y
   * @returns {[number, number]}
   */
  const at = (found, x, y) => [SIDE * (0.5 + x / found.half_width / 2), SIDE * (0.5 - y / found.half_width / 2)];

  /**
   * The ball of eps cut by the plane, and the part of it whose pixels are all in [0, 1].
   * @param {SliceWanted} wanted
   * @param {SliceFound} found
   */
  function outlines(wanted, found) {
    /** @param {[number, number][]} corners @param {number} scale */
    const points = (corners, scale) => corners.map(([x, y]) => at(found, scale * x, scale * y).join(",")).join(" ");
    const box = thinice.elements.draw("polygon", { points: points(found.pixel_box, 1), class: "slice-box" });
    if (found.unit_ball) return [box, thinice.elements.draw("polygon", { points: points(found.unit_ball, wanted.eps), class: "slice-ball" })];
    const r = (SIDE * wanted.eps) / found.half_width / 2;
    return [box, thinice.elements.draw("circle", { cx: SIDE / 2, cy: SIDE / 2, r, class: "slice-ball" })];
  }

  /** @param {SliceFound} found */
  function marks(found) {
    return found.marks.flatMap((mark) => {
      const [x, y] = at(found, mark.x, mark.y);
      const isLeft = x > SIDE * 0.6;
      const words = { clean: "clean", dense: "dense adv.", pruned: "pruned adv." }[mark.name];
      const shapes = {
        clean: thinice.elements.draw("circle", { cx: x, cy: y, r: 4.5, class: "slice-mark is-clean" }),
        dense: thinice.elements.draw("rect", { x: x - 4, y: y - 4, width: 8, height: 8, class: "slice-mark is-dense" }),
        pruned: thinice.elements.draw("path", { d: `M${x} ${y - 5.5}L${x + 5} ${y + 4}H${x - 5}Z`, class: "slice-mark is-pruned" }),
      };
      const place = { x: x + (isLeft ? -8 : 8), y: y + (mark.name === "clean" ? 14 : -6), "text-anchor": isLeft ? "end" : "start" };
      return [shapes[mark.name], thinice.elements.draw("text", { ...place, class: "slice-mark-name" }, words)];
    });
  }

  /**
   * @param {SliceWanted} wanted
   * @param {SliceFound} found
   * @param {Map<number, number>} colours
   */
  function key(wanted, found, colours) {
    const list = thinice.elements.make("div", "slice-key small");
    for (const [one, number] of colours) {
      const item = thinice.elements.make("span", "slice-key-item");
      item.append(thinice.elements.make("span", `swatch region-${number}`), className(wanted, one) + (one === found.label ? " (true class)" : ""));
      list.append(item);
    }
    const ball = thinice.elements.make("span", "slice-key-item");
    ball.append(thinice.elements.make("span", "swatch swatch-ball"), `ε ${wanted.eps_text}`);
    list.append(ball);
    return list;
  }

  /**
   * @param {SliceWanted} wanted
   * @param {number} distance
   */
  const length = (wanted, distance) => (wanted.scale === 255 ? `${thinice.numbers.fixed(distance * 255, 2)}/255` : thinice.numbers.fixed(distance, 3));

  /**
   * The scale, the resolution, the lines, and what stands for a missing adversarial.
   * @param {SliceWanted} wanted
   * @param {SliceFound} found
   */
  function describe(wanted, found) {
    const side = thinice.numbers.fixed(2 * found.half_width, found.half_width < 0.05 ? 4 : 2);
    const reach = found.unit_ball ? Math.max(...found.unit_ball.flat().map(Math.abs)) : 1;
    const beyond = reach * wanted.eps > found.half_width ? "; it reaches beyond the picture" : "";
    const words = [`Each side is ${side} long in L2, the same scale in every direction; ${found.points} × ${found.points} points.`];
    words.push(`The dashed line is the ${found.norm} ball of ε cut by the plane${beyond}.`);
    words.push("Outside the dotted line some pixels leave [0, 1]: the networks answer there, but no image lies there.");
    if (found.gradient_of) {
      words.push(`The ${found.gradient_of} network has no adversarial here, so its gradient at the clean image spans the plane in its place.`);
    }
    return words.join(" ");
  }

  /**
   * What both networks say at a point of the picture; across and up are shares of its side.
   * @param {SliceWanted} wanted
   * @param {SliceFound} found
   * @param {number} across
   * @param {number} up
   */
  function pointWords(wanted, found, across, up) {
    const last = found.points - 1;
    const [column, row] = [across, up].map((share) => Math.min(last, Math.max(0, Math.floor(share * found.points))));
    const [x, y] = [across, up].map((share) => (2 * share - 1) * found.half_width);
    /** @param {number[][]} classes */
    const said = (classes) => className(wanted, ((classes[row || 0] || [])[column || 0]) ?? found.label);
    const away = thinice.numbers.fixed(Math.hypot(x || 0, y || 0), found.half_width < 0.05 ? 4 : 2);
    return `Here, ${away} in L2 from the clean image: dense says ${said(found.dense)}, pruned says ${said(found.pruned)}.`;
  }

  /**
   * The three points as a table.
   * @param {SliceWanted} wanted
   * @param {SliceFound} found
   */
  function table(wanted, found) {
    const details = thinice.elements.make("details", "as-table");
    details.setAttribute("data-fold", "slice");
    const grid = thinice.elements.make("table", "table");
    const head = thinice.elements.make("tr", "");
    const columns = ["Point", `Distance (${wanted.suffix})`, "Dense says", "Pruned says"];
    head.append(...columns.map((words) => thinice.elements.make("th", "", words)));
    grid.append(head);
    const titles = { clean: "clean image", dense: "dense adversarial", pruned: "pruned adversarial" };
    for (const mark of found.marks) {
      const line = thinice.elements.make("tr", "");
      const cells = [titles[mark.name], length(wanted, mark.distance), className(wanted, mark.dense), className(wanted, mark.pruned)];
      line.append(...cells.map((words, place) => thinice.elements.make(place ? "td" : "th", "", words)));
      grid.append(line);
    }
    details.append(thinice.elements.make("summary", "", "Show the numbers"), grid);
    return details;
  }

  /** @type {ThinIce["slicePicture"]} */
  const slicePicture = { draw: build, className };
  window.thinice = Object.assign({}, window.thinice, { slicePicture });
})();
