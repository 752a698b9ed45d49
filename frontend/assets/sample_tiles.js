// One sample as a tile, with the words and numbers on it, as data that plain.js draws. Compare and Samples show the same.
// Pure: tests call this in Node.
(function () {
  const SETS = ["S11", "S10", "S01", "S00"];

  /**
   * @param {string} tag
   * @param {Record<string, string | null>} attributes
   * @param {(Tree | string)[]} children
   * @returns {Tree}
   */
  const tree = (tag, attributes, ...children) => ({ tag, attributes, children });

  /**
   * @param {ComparedPair} pair
   * @param {number | undefined} label
   */
  const className = (pair, label) => pair.classes[Number(label)] ?? "class " + label;

  /**
   * A stored margin without its unit; words where there is no distance.
   * @param {number} margin
   * @param {ComparedPair} pair
   */
  function short(margin, pair) {
    if (margin === Infinity) return "none found";
    return margin === 0 ? "wrong" : thinice.numbers.fixed(margin * pair.scale, pair.suffix ? 1 : 2);
  }

  /**
   * A stored margin with its unit.
   * @param {number} margin
   * @param {ComparedPair} pair
   */
  function full(margin, pair) {
    if (margin === Infinity) return "none found";
    return thinice.numbers.fixed(margin * pair.scale, pair.suffix ? 1 : 2) + pair.suffix;
  }

  /**
   * Both margins; only the dense one where the pruned model is wrong already.
   * @param {Columns} columns
   * @param {number} place
   * @param {ComparedPair} pair
   */
  function marginsText(columns, place, pair) {
    const dense = Number(columns.dense.margin[place]), pruned = Number(columns.pruned.margin[place]);
    if (pruned === 0) return dense ? full(dense, pair) : "wrong";
    return short(dense, pair) + " → " + short(pruned, pair);
  }

  /**
   * What became of a sample at eps, dense and pruned.
   * @param {number | undefined} clean
   * @param {number | undefined} robust
   */
  function verdicts(clean, robust) {
    const right = SETS[Number(clean)] || "", holds = SETS[Number(robust)] || "";
    return [1, 2].map((side) => (right[side] === "0" ? "wrong" : holds[side] === "1" ? "holds" : "broken"));
  }

  /**
   * @param {number | undefined} clean
   * @param {number | undefined} robust
   */
  function verdictsText(clean, robust) {
    const [dense, pruned] = verdicts(clean, robust);
    return dense === "wrong" && pruned === "wrong" ? "wrong" : dense + " → " + pruned;
  }

  /**
   * The true label, and the wrong one where one of the two models gives one.
   * @param {Columns} columns
   * @param {number} place
   * @param {ComparedPair} pair
   */
  function labels(columns, place, pair) {
    const label = columns.label[place], pruned = columns.pruned.prediction[place];
    const wrong = pruned === label ? columns.dense.prediction[place] : pruned;
    return [tree("strong", {}, className(pair, label)), ...(wrong === label ? [] : [" → " + className(pair, wrong)])];
  }

  /**
   * One sample: picture, set and index, labels, and both margins or both verdicts. A link to its page.
   * @param {Shown} shown
   * @param {number} place
   * @param {string | null} [list] of the address: "all" where the list holds every set
   */
  function tile(shown, place, list = null) {
    const { columns, pair, cut, clean, robust, sets } = shown, { WORDS, SYMBOLS, CLASSES } = thinice.compareNumbers;
    const index = String(columns.index[place]), name = SETS[Number(sets[place])] || "";
    const isThin = pair.has_margins && thinice.sampleLists.isOnThinIce(columns, place, cut.delta / pair.scale);
    const text = pair.has_margins ? marginsText(columns, place, pair) : verdictsText(clean[place], robust[place]);
    const src = "/api/v1/datasets/" + pair.dataset + "/samples/" + index + ".png";
    const alt = className(pair, columns.label[place]) + ", sample " + index;
    const set = tree("span", { class: CLASSES[name] || "" }, SYMBOLS[name] + " " + WORDS[name]);
    const href = thinice.sampleLists.address("/sample", cut, list ? { index, list } : { index });
    return tree(
      "a", { href, class: isThin ? "tile is-thin" : "tile", "data-sample": index, "data-visit": "" },
      tree("img", { src, alt, class: "pixels", loading: "lazy", decoding: "async" }),
      tree("span", { class: "tile-set" }, set),
      tree("span", { class: "tile-labels" }, ...labels(columns, place, pair), " ", tree("span", { class: "muted" }, "#" + index)),
      tree("span", { class: "tile-foot" }, tree("span", { class: "tile-margin", title: text }, text)),
    );
  }

  /** @type {ThinIce["sampleTiles"]} */
  const sampleTiles = { className, short, full, verdicts, tile };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { sampleTiles });
})();
