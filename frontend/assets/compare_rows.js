// Compare's table of samples, its downloads, and what stands over its wall, as data.
// Pure: tests call this in Node.
(function () {
  /** @type {Record<string, string>} */
  const TITLES = { csv: "CSV", parquet: "Parquet", json: "JSON" };

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
    const names = shown.cut.set ? [shown.cut.set] : ["S10", "S01"];
    return names.flatMap((name) => thinice.sampleLists.order(shown, name).map((place) => row(shown, place, name)));
  }

  /**
   * @param {Shown} shown
   * @param {number} place
   * @param {string} name
   */
  function row(shown, place, name) {
    const { columns, pair, clean, robust } = shown, { className, verdicts } = thinice.sampleTiles;
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
    const text = thinice.sampleTiles.short(dense, pair) + " → " + thinice.sampleTiles.short(pruned, pair);
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
   * The samples that the page shows as files, and in words which.
   * @param {Shown} shown
   * @param {string} name of the files, without its end
   */
  function downloads({ columns, cut, sets, mask, pair }, name) {
    const number = thinice.numbers.count;
    const isMeant = (/** @type {number} */ place) => mask[place] === 1 && (cut.set === null || thinice.outcomes.SETS[Number(sets[place])] === cut.set);
    const count = columns.label.reduce((sum, _label, place) => sum + Number(isMeant(place)), 0);
    const words = count === columns.n ? "all " + number(count) + " samples" : number(count) + " of " + number(columns.n) + " samples, as shown";
    /** @type {Record<string, string | undefined>} */
    const wanted = {
      dense: cut.dense,
      pruned: cut.pruned,
      eps: cut.query["eps"],
      set: cut.set || undefined,
      view: cut.set !== null && cut.view === "robust" ? "robust" : undefined,
      label: cut.label === null ? undefined : String(cut.label),
      pick: cut.query["pick"],
      thin: cut.isThin ? String(cut.delta / pair.scale) : undefined,
    };
    const query = Object.entries(wanted).flatMap(([key, value]) => value ? [key + "=" + encodeURIComponent(value).replace(/%2F/g, "/")] : []);
    const links = ["csv", "parquet", "json"].map((kind) => tree(
      "a",
      {
        href: "/api/v1/comparisons/samples?" + query.join("&") + "&format=" + kind,
        class: "button button-quiet",
        download: name + "." + kind,
        title: "Download " + words + " as " + TITLES[kind],
        "aria-label": TITLES[kind] + " of " + words,
      },
      tree("span", { class: "icon icon-download", "aria-hidden": "true" }), TITLES[kind] || kind,
    ));
    return [tree("span", { class: "muted small" }, words), ...links];
  }

  /**
   * What the wall shows, in which order, and the way to all of it.
   * @param {Shown} shown
   * @param {string} name the set
   * @param {number} count
   */
  function wallHead({ cut, pair }, name, count) {
    const { WORDS, SYMBOLS } = thinice.compareNumbers, words = WORDS[name] || "", number = thinice.numbers.count;
    const note = tree("span", { class: "card-note" }, SYMBOLS[name] + " " + number(count));
    const title = tree("h2", {}, words[0]?.toUpperCase() + words.slice(1) + " samples", note);
    const order = thinice.samplesParts.sortChoice(cut, pair);
    const href = thinice.sampleLists.address("/samples", cut, { set: name });
    const all = tree("a", { href, "data-visit": "", class: "wall-all" }, "Open " + (count === 1 ? "it" : "all " + number(count)) + " in Samples");
    const at = cut.view === "robust" ? " at this ε" : "", which = thinice.sampleLists.isFiltered(cut) ? " of those that the filters leave" : "";
    if (!count) return [tree("div", { class: "card-head" }, title), tree("p", { class: "muted" }, "No sample" + which + " is " + words + at + ".")];
    return [tree("div", { class: "card-head" }, title, tree("div", { class: "card-tools" }, all)), ...order];
  }

  /** @type {ThinIce["compareRows"]} */
  const compareRows = { rows, downloads, wallHead };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { compareRows });
})();
