// Compare's table of samples, its downloads, and the numbers behind the plots that a cut changes, as data.
// Pure: tests call this in Node.
(function () {
  const ORDER = ["S10", "S01", "S00", "S11"]; // of the histogram, from the foot up
  const TABLE_ORDER = ["S11", "S10", "S01", "S00"];
  const BARS = 36; // of frontend/figures/histogram.py
  const ROUNDING = 1 - 1e-12;

  /**
   * @param {string} tag
   * @param {Record<string, string | null>} attributes
   * @param {(Tree | string)[]} children
   * @returns {Tree}
   */
  const tree = (tag, attributes, ...children) => ({ tag, attributes, children });

  /** @param {string} name */
  const setWords = (name) => thinice.compareNumbers.SYMBOLS[name] + " " + thinice.compareNumbers.WORDS[name];

  /**
   * One row per sample of the chosen set, or of the lost and then the gained ones. A margin that was not found is
   * null, and so is a change that has no two distances; without margins verdicts stand in their place.
   * @param {Shown} shown
   */
  function rows(shown) {
    const { columns, sets, cut, pair } = shown;
    const names = cut.set ? [cut.set] : ["S10", "S01"];
    return names.flatMap((name) =>
      thinice.compareLists.order(columns, sets, cut, name, pair.has_margins).map((place) => row(shown, place, name)),
    );
  }

  /**
   * @param {Shown} shown
   * @param {number} place
   * @param {string} name
   */
  function row(shown, place, name) {
    const { columns, pair, clean, robust } = shown, { className, verdicts } = thinice.compareLists;
    const [dense, pruned] = verdicts(clean[place], robust[place]);
    return {
      id: String(columns.index[place]),
      index: columns.index[place],
      set: setWords(name),
      label: className(pair, columns.label[place]),
      dense_prediction: className(pair, columns.dense.prediction[place]),
      pruned_prediction: className(pair, columns.pruned.prediction[place]),
      logit_gap: columns.logitGap[place],
      ...(pair.has_margins ? distances(shown, place) : { dense_verdict: dense, pruned_verdict: pruned }),
    };
  }

  /**
   * @param {Shown} shown
   * @param {number} place
   */
  function distances(shown, place) {
    const { columns, pair } = shown;
    const dense = Number(columns.dense.margin[place]), pruned = Number(columns.pruned.margin[place]);
    const hasBoth = dense > 0 && pruned > 0 && Number.isFinite(dense) && Number.isFinite(pruned);
    return {
      dense_margin: Number.isFinite(dense) ? dense * pair.scale : null,
      pruned_margin: Number.isFinite(pruned) ? pruned * pair.scale : null,
      change: hasBoth ? (pruned - dense) * pair.scale : null,
      best_known: bestKnown(shown, place),
    };
  }

  /**
   * Both best-known bounds where evidence lowered one; with the set that they make at eps, where it is another.
   * @param {Shown} shown
   * @param {number} place
   */
  function bestKnown({ columns, pair, cut, robust }, place) {
    const bounds = pair.bounds[String(columns.index[place])];
    if (!bounds) return "";
    const [dense = Infinity, pruned = Infinity] = bounds.map((bound) => bound ?? Infinity);
    const text = thinice.compareLists.short(dense, pair) + " → " + thinice.compareLists.short(pruned, pair);
    /** @type {[ColumnsSide, number][]} */
    const sides = [[columns.dense, dense], [columns.pruned, pruned]];
    const [first, second] = sides.map(([side, bound]) => {
      const isRight = side.prediction[place] === columns.label[place];
      return Number(!isRight || bound <= thinice.outcomes.largestWithin(cut.eps, side.kind));
    });
    const set = 2 * Number(first) + Number(second);
    return set === robust[place] ? text : text + " " + setWords(thinice.outcomes.SETS[set] || "") + " at ε";
  }

  /**
   * The samples as files, and in words which: the REST call knows clean sets, but no class and no robust set.
   * @param {Shown} shown
   */
  function downloads({ columns, clean, cut }) {
    const hasSet = cut.view === "clean" && cut.set !== null, number = thinice.numbers.count;
    const count = clean.filter((set) => thinice.outcomes.SETS[set] === cut.set).length;
    const words = hasSet
      ? number(count) + " " + thinice.compareNumbers.WORDS[cut.set || ""] + ", " + (cut.label === null ? "as listed" : "every class")
      : "all " + number(columns.n) + " samples, every set and class";
    const query = ["dense=" + cut.dense, "pruned=" + cut.pruned];
    if (cut.query["eps"]) query.push("eps=" + encodeURIComponent(cut.query["eps"]).replace(/%2F/g, "/"));
    if (hasSet) query.push("set=" + cut.set);
    const links = ["csv", "json"].map((kind) => tree(
      "a",
      {
        href: "/api/v1/comparisons/samples?" + query.join("&") + "&format=" + kind,
        class: "button button-quiet",
        download: "thin-ice-" + (hasSet ? cut.set : "all") + "-samples." + kind,
        title: "Download " + words + " as " + kind.toUpperCase(),
        "aria-label": kind.toUpperCase() + " of " + words,
      },
      tree("span", { class: "icon icon-download", "aria-hidden": "true" }), kind.toUpperCase(),
    ));
    return [tree("span", { class: "muted small" }, words), ...links];
  }

  /**
   * For each set how many real dense margins (found, above 0) of the chosen samples fall into each bin; the last one,
   * from `limit` (shown units), is open above.
   * @param {Shown} shown
   */
  function histogram({ columns, sets, cut, pair }) {
    const width = pair.axis / BARS;
    /** @type {Record<string, number[]>} */
    const counts = Object.fromEntries(ORDER.map((name) => [name, new Array(BARS + 1).fill(0)]));
    columns.dense.margin.forEach((margin, place) => {
      if (margin <= 0 || margin === Infinity || !thinice.compareLists.isChosen(columns, sets, cut, place)) return;
      const bins = counts[thinice.outcomes.SETS[Number(sets[place])] || ""] || [];
      const bin = Math.min(BARS, Math.floor(margin * pair.scale / width * ROUNDING));
      bins[bin] = Number(bins[bin]) + 1;
    });
    return counts;
  }

  /**
   * A table like those that frontend/components.py makes.
   * @param {string} caption
   * @param {string[]} columns
   * @param {string[][]} body
   */
  function table(caption, columns, body) {
    /** @param {number} place */
    const kind = (place) => (place === 0 ? "" : "number-cell");
    const head = columns.map((name, place) => tree("th", { scope: "col", class: kind(place) }, name));
    const lines = body.map((cells) => tree("tr", {}, ...cells.map((cell, place) =>
      place === 0 ? tree("th", { scope: "row" }, cell) : tree("td", { class: "number-cell" }, cell))));
    const parts = [tree("caption", { class: "hidden-label" }, caption), tree("thead", {}, tree("tr", {}, ...head)), tree("tbody", {}, ...lines)];
    const attributes = { class: "table-scroll", tabindex: "0", role: "region", "aria-label": caption };
    return [tree("div", attributes, tree("table", { class: "table" }, ...parts))];
  }

  /** @param {Shown} shown */
  function histogramTable(shown) {
    const counts = histogram(shown), width = shown.pair.axis / BARS, number = thinice.numbers.count;
    /** @param {number} edge */
    const written = (edge) => thinice.numbers.fixed(width * edge, 1);
    const body = [];
    for (let bin = 0; bin <= BARS; bin += 1) {
      const line = TABLE_ORDER.map((name) => Number(counts[name]?.[bin]));
      const words = bin === BARS ? "over " + written(BARS) : written(bin) + " to " + written(bin + 1);
      if (line.some(Boolean)) body.push([words, ...line.map(number)]);
    }
    const columns = ["Dense margin (" + shown.pair.unit + ")", ...TABLE_ORDER.map(setWords)];
    return table("Samples by dense margin and set", columns, body);
  }

  /**
   * The median where an infinite margin is larger than every other; null where it is one, or there is no margin.
   * @param {number[]} values
   */
  function median(values) {
    const sorted = values.sort((a, b) => (a < b ? -1 : Number(a > b))), half = sorted.length / 2;
    const middle = (Number(sorted[Math.ceil(half) - 1]) + Number(sorted[Math.floor(half)])) / 2;
    return Number.isFinite(middle) ? middle : null;
  }

  /**
   * The scatter in numbers: of each set its size, its samples without a distance, and the middle margins.
   * @param {Shown} shown
   */
  function scatterTable({ columns, sets, cut, pair }) {
    const number = thinice.numbers.count;
    const body = TABLE_ORDER.map((name) => {
      const places = Array.from(sets.keys()).filter((place) =>
        thinice.outcomes.SETS[Number(sets[place])] === name && thinice.compareLists.isChosen(columns, sets, cut, place));
      const sides = pair.has_margins ? [columns.dense, columns.pruned] : [];
      const cells = sides.flatMap((side) => {
        const margins = places.map((place) => Number(side.margin[place]));
        const middle = places.length ? thinice.compareLists.full(median(margins.slice()) ?? Infinity, pair) : "–";
        return [middle, number(margins.filter((one) => one === 0).length), number(margins.filter((one) => one === Infinity).length)];
      });
      return [setWords(name), number(places.length), ...cells];
    });
    if (!pair.has_margins) return table("Samples by set", ["Set", "Samples"], body);
    const headings = ["Dense", "Pruned"].flatMap((side) => ["median", "wrong", "not found"].map((what) => side + " " + what));
    return table("Samples by set, with their median margins", ["Set", "Samples", ...headings], body);
  }

  /** @type {ThinIce["compareRows"]} */
  const compareRows = { ORDER, rows, downloads, histogram, histogramTable, scatterTable };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { compareRows });
})();
