// The samples of a pair at a cut: which are chosen, in which set each is, and in what order they are listed.
// Compare and Samples read one cut from the address; frontend/review/walk.py lists the same. Pure: tests call this in Node.
(function () {
  const SETS = ["S11", "S10", "S01", "S00"];
  // of an address, in addition to the pair
  const STATE_KEYS = ["eps", "delta", "view", "class", "set", "thin", "sort", "list", "pick"];
  /** @type {Record<string, string>} */
  const SORTS = { thinnest: "thinnest first", drop: "biggest drop", thickest: "thickest first", index: "index" };

  /**
   * The cut that an address names.
   * @param {Record<string, string>} given
   * @param {ComparedPair} pair
   * @returns {Cut}
   */
  function cutOf(given, pair) {
    const text = given["eps"] || pair.default_eps_text;
    const query = Object.fromEntries(STATE_KEYS.map((key) => [key, given[key] || ""]).filter(([, value]) => value));
    const sort = query["sort"] || "thinnest";
    return {
      dense: pair.dense,
      pruned: pair.pruned,
      eps: thinice.distances.stored(text),
      epsText: thinice.distances.epsText(text, pair),
      delta: thinice.distances.fromText(query["delta"], pair.default_delta, pair),
      view: query["view"] || "clean",
      set: query["set"] || null,
      label: query["class"] === undefined ? null : Number(query["class"]),
      isThin: query["thin"] === "1" && pair.has_margins,
      sort: !pair.has_margins ? "index" : sort in SORTS ? sort : "thinnest",
      pick: thinice.selection.parse(query["pick"]),
      query,
    };
  }

  /**
   * The pair at a cut. What does not depend on eps is taken from the pair, robust sets from what was shown before.
   * @param {HeldPair} held
   * @param {Cut} cut
   * @param {Shown | null} before
   * @returns {Shown}
   */
  function shownAt({ pair, columns, clean }, cut, before) {
    const isSame = before !== null && before.columns === columns;
    const robust = isSame && before.cut.eps === cut.eps ? before.robust : thinice.outcomes.sets(columns, cut.eps);
    const isKept = isSame && governing(before.cut, pair) === governing(cut, pair);
    const mask = isKept ? before.mask : maskOf(columns, cut, pair);
    return { pair, columns, cut, clean, robust, sets: cut.view === "clean" ? clean : robust, mask };
  }

  /**
   * What decides which samples a cut covers, whatever set they are in.
   * @param {Cut} cut
   * @param {Pair} pair
   */
  const governing = (cut, pair) => [cut.label, cut.query["pick"], cut.isThin && cut.delta / pair.scale].join();

  /**
   * For each sample 1 where the class, the selection and thin ice leave it.
   * @param {Columns} columns
   * @param {Cut} cut
   * @param {Pair} pair
   */
  function maskOf(columns, cut, pair) {
    const mask = thinice.selection.mask(columns, cut.pick);
    for (let place = 0; place < columns.n; place += 1) {
      if (cut.label !== null && columns.label[place] !== cut.label) mask[place] = 0;
      if (cut.isThin && !isOnThinIce(columns, place, cut.delta / pair.scale)) mask[place] = 0;
    }
    return mask;
  }

  /**
   * Right for the dense model, with a margin within delta (as stored).
   * @param {Columns} columns
   * @param {number} place
   * @param {number} delta
   */
  function isOnThinIce(columns, place, delta) {
    const margin = Number(columns.dense.margin[place]);
    return margin > 0 && thinice.ice.isThin(margin, delta);
  }

  /**
   * Whether the chosen class, selection and set leave the sample.
   * @param {Shown} shown
   * @param {number} place
   */
  function isChosen({ mask, sets, cut }, place) {
    return mask[place] === 1 && (cut.set === null || SETS[Number(sets[place])] === cut.set);
  }

  /** @param {Cut} cut */
  const isFiltered = (cut) => cut.label !== null || cut.pick !== null || cut.isThin;

  /**
   * The places of the samples that are listed, in the order of the cut. `name`: of one set; null: of any.
   * @param {Shown} shown
   * @param {string | null} name
   */
  function order(shown, name) {
    const { columns, sets, mask, cut } = shown, wanted = name === null ? -1 : SETS.indexOf(name);
    /** @type {number[]} */
    const places = [];
    for (let place = 0; place < columns.n; place += 1) {
      if (mask[place] && (wanted < 0 || sets[place] === wanted)) places.push(place);
    }
    const { thinness, index } = columns, keys = sortKeys(columns, cut.sort);
    return places.sort((a, b) => {
      const first = Number(keys[a]), second = Number(keys[b]);
      if (first !== second) return first < second ? -1 : 1;
      const thin = Number(thinness[a]), other = Number(thinness[b]);
      if (cut.sort !== "index" && thin !== other) return thin < other ? -1 : 1;
      return Number(index[a]) - Number(index[b]);
    });
  }

  /**
   * What a list is sorted by, ascending; samples without a distance come last.
   * @param {Columns} columns
   * @param {string} sort
   */
  function sortKeys({ n, index, thinness, dense, pruned }, sort) {
    if (sort === "index") return index;
    if (sort === "thinnest") return thinness;
    const keys = new Float64Array(n);
    for (let place = 0; place < n; place += 1) {
      const first = Number(dense.margin[place]), second = sort === "drop" ? Number(pruned.margin[place]) : 0;
      keys[place] = Number.isFinite(first) && Number.isFinite(second) ? second - first : Infinity;
    }
    return keys;
  }

  /**
   * A page of this pair with the state of the cut, but for changes (null takes a key out).
   * @param {string} path
   * @param {Cut} cut
   * @param {Query} changes
   */
  function address(path, cut, changes) {
    const { index, ...more } = changes;
    /** @type {Query} */
    const state = { dense: cut.dense, pruned: cut.pruned, index, ...cut.query, ...more };
    const texts = Object.entries(state).flatMap(([key, value]) =>
      (value === null || value === undefined ? [] : [key + "=" + encodeURIComponent(value).replace(/%2F/g, "/")]));
    return path + "?" + texts.join("&");
  }

  /** @type {ThinIce["sampleLists"]} */
  const sampleLists = { STATE_KEYS, SORTS, cutOf, shownAt, isOnThinIce, isChosen, isFiltered, order, address };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { sampleLists });
})();
