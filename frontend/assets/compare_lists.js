// The samples that a cut leaves: the wall, the rows of the table and the downloads, as data.
// Pure: tests call this in Node.
(function () {
  const SHOWN = 18; // tiles before "show the others"
  const MOST = 120; // tiles at all; the table holds every sample
  const SETS = ["S11", "S10", "S01", "S00"];
  const STATE_KEYS = ["eps", "delta", "view", "class", "set"]; // of an address, in addition to the pair

  /**
   * @param {string} tag
   * @param {Record<string, string | null>} attributes
   * @param {(Tree | string)[]} children
   * @returns {Tree}
   */
  const tree = (tag, attributes, ...children) => ({ tag, attributes, children });

  /**
   * The cut that an address names.
   * @param {Record<string, string>} given
   * @param {ComparedPair} pair
   * @returns {Cut}
   */
  function cutOf(given, pair) {
    const text = given["eps"] || pair.default_eps_text;
    const query = Object.fromEntries(STATE_KEYS.map((key) => [key, given[key] || ""]).filter(([, value]) => value));
    return {
      dense: pair.dense,
      pruned: pair.pruned,
      eps: thinice.distances.stored(text),
      epsText: thinice.distances.epsText(text, pair),
      delta: thinice.distances.fromText(query["delta"], pair.default_delta, pair),
      view: query["view"] || "clean",
      set: query["set"] || null,
      label: query["class"] === undefined ? null : Number(query["class"]),
      query,
    };
  }

  /**
   * Whether the chosen class and set leave the sample.
   * @param {Columns} columns
   * @param {Uint8Array} sets
   * @param {Cut} cut
   * @param {number} place
   */
  function isChosen(columns, sets, cut, place) {
    const set = SETS[Number(sets[place])];
    return (cut.label === null || columns.label[place] === cut.label) && (cut.set === null || set === cut.set);
  }

  /**
   * The places of a set's samples in the chosen class, thinnest ice first; by index where no margins were measured.
   * @param {Columns} columns
   * @param {Uint8Array} sets
   * @param {Cut} cut
   * @param {string} name
   * @param {boolean} isMeasured
   */
  function order(columns, sets, cut, name, isMeasured) {
    /** @type {number[]} */
    const places = [];
    sets.forEach((set, place) => {
      if (SETS[set] === name && (cut.label === null || columns.label[place] === cut.label)) places.push(place);
    });
    const { thinness, index } = columns;
    return places.sort((a, b) => {
      const first = Number(thinness[a]), second = Number(thinness[b]);
      if (isMeasured && first !== second) return first < second ? -1 : 1;
      return Number(index[a]) - Number(index[b]);
    });
  }

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
   * True label, the set's shape, and the wrong label where one of the two models gives one.
   * @param {Columns} columns
   * @param {number} place
   * @param {string} name
   * @param {ComparedPair} pair
   */
  function outcome(columns, place, name, pair) {
    const { SYMBOLS, CLASSES } = thinice.compareNumbers;
    const label = columns.label[place], pruned = columns.pruned.prediction[place];
    const wrong = pruned === label ? columns.dense.prediction[place] : pruned;
    const parts = [tree("strong", {}, className(pair, label)), " " + SYMBOLS[name] + " "];
    return tree("span", { class: CLASSES[name] || "" }, ...parts, ...(wrong === label ? [] : [className(pair, wrong)]));
  }

  /**
   * One sample: picture, true label and what became of it, both margins or both verdicts, and its index.
   * @param {Shown} shown
   * @param {number} place
   * @param {string} name
   */
  function tile({ columns, pair, cut, clean, robust }, place, name) {
    const index = String(columns.index[place]), margin = Number(columns.dense.margin[place]);
    const isThin = pair.has_margins && margin > 0 && thinice.ice.isThin(margin, cut.delta / pair.scale);
    const text = pair.has_margins ? marginsText(columns, place, pair) : verdictsText(clean[place], robust[place]);
    const src = "/api/v1/datasets/" + pair.dataset + "/samples/" + index + ".png";
    const alt = className(pair, columns.label[place]) + ", sample " + index;
    const parts = [
      tree("img", { src, alt, class: "pixels", loading: "lazy" }),
      tree("span", { class: "tile-labels" }, outcome(columns, place, name, pair)),
      tree("span", { class: "tile-foot" }, tree("span", { class: "tile-margin" }, text), "#" + index),
    ];
    const attributes = { key: index, href: address(cut, index), class: "tile", "data-sample": index };
    return tree("a", attributes, tree("div", { class: isThin ? "is-thin" : null }, ...parts));
  }

  /**
   * A sample's page, with the list it was seen in.
   * @param {Cut} cut
   * @param {string | number} index
   */
  function address(cut, index) {
    const state = { dense: cut.dense, pruned: cut.pruned, index, ...cut.query };
    const texts = Object.entries(state).map(([key, value]) => key + "=" + encodeURIComponent(value).replace(/%2F/g, "/"));
    return "/sample?" + texts.join("&");
  }

  /**
   * The chosen set (the lost samples without a choice) as tiles; what lies beyond the first rows only where it is open.
   * @param {Shown} shown
   * @param {boolean} isOpen
   */
  function wall(shown, isOpen) {
    const { columns, sets, cut, pair } = shown, { WORDS, SYMBOLS } = thinice.compareNumbers;
    const name = cut.set || "S10", words = WORDS[name] || "", number = thinice.numbers.count;
    const places = order(columns, sets, cut, name, pair.has_margins);
    const title = words[0]?.toUpperCase() + words.slice(1) + " samples, " + (pair.has_margins ? "thinnest ice first" : "by index");
    const note = tree("span", { class: "card-note" }, SYMBOLS[name] + " " + number(places.length));
    const heading = tree("div", { class: "card-head" }, tree("h2", {}, title, note));
    if (!places.length) return [heading, tree("p", { class: "muted" }, nothing(words, cut))];
    const tiles = places.slice(0, isOpen ? MOST : SHOWN).map((place) => tile(shown, place, name));
    const parts = [heading, tree("div", { class: "wall" }, ...tiles.slice(0, SHOWN))];
    const more = Math.min(places.length, MOST) - SHOWN;
    if (more <= 0) return parts;
    const all = places.length > MOST ? " (the table below lists all " + number(places.length) + ")" : "";
    const rest = tree("div", { class: "wall" }, ...tiles.slice(SHOWN));
    return [...parts, tree("details", { class: "more" }, tree("summary", {}, "Show " + more + " more" + all), rest)];
  }

  /**
   * @param {string} words
   * @param {Cut} cut
   */
  function nothing(words, cut) {
    const at = cut.view === "robust" ? " at this ε" : "", which = cut.label === null ? "" : " of this class";
    return "No sample" + which + " is " + words + at + ".";
  }

  /** @type {ThinIce["compareLists"]} */
  const compareLists = { STATE_KEYS, cutOf, isChosen, order, className, short, full, verdicts, address, wall };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { compareLists });
})();
