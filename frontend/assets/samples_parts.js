// The parts of Samples that a cut changes: sentence, chips with their counts, and orders, as data that plain.js draws.
// Pure: tests call this in Node.
(function () {
  const SETS = ["S11", "S10", "S01", "S00"];
  const MANY_CLASSES = 12; // more of them fold away
  const NO_FILTERS = { set: null, view: null, class: null, thin: null, pick: null };
  /** @type {Record<string, string>} */
  const SORTED_BY = {
    thinnest: "dense margin", drop: "drop of the margin, largest first", thickest: "dense margin, largest first", index: "index",
  };

  /**
   * @param {string} tag
   * @param {Record<string, string | null>} attributes
   * @param {(Tree | string)[]} children
   * @returns {Tree}
   */
  const tree = (tag, attributes, ...children) => ({ tag, attributes, children });

  /**
   * What the wall shows, in words.
   * @param {Shown} shown
   * @param {number} count
   */
  function sentence(shown, count) {
    const number = thinice.numbers.count, total = shown.columns.n;
    const which = count < total ? number(count) + " of " + number(total) : "all " + number(total);
    const words = ["Showing ", tree("strong", {}, which), " samples, sorted by " + SORTED_BY[shown.cut.sort] + "."];
    const filters = filterWords(shown);
    return filters.length ? [...words, " Filters: " + filters.join("; ") + "."] : words;
  }

  /**
   * Why samples without such a distance stand where they do; nothing where there are none.
   * @param {Shown} shown
   * @param {number[]} places
   */
  function orderNote({ columns, cut }, places) {
    const { dense, pruned } = columns;
    if (cut.sort === "thinnest" && places.some((place) => dense.margin[place] === 0)) {
      return "Samples that the dense model gets wrong are sorted by the distance at which that wrong prediction changes.";
    }
    const isMissing = places.some((place) => dense.margin[place] === Infinity || (cut.sort === "drop" && pruned.margin[place] === Infinity));
    if ((cut.sort === "drop" || cut.sort === "thickest") && isMissing) return "Samples without a distance come last.";
    return "";
  }

  /**
   * Each filter as a phrase that stands by itself.
   * @param {Shown} shown
   */
  function filterWords({ cut, pair }) {
    const words = [];
    if (cut.set) words.push(thinice.compareNumbers.WORDS[cut.set] + (cut.view === "robust" ? " at ε " + cut.epsText : " (clean images)"));
    if (cut.label !== null) words.push("class " + thinice.sampleTiles.className(pair, cut.label));
    if (cut.isThin) words.push("on thin ice (dense margin up to " + thinice.distances.asText(cut.delta, pair) + ")");
    if (cut.pick) words.push(thinice.selection.words(cut.pick, pair));
    return words;
  }

  /**
   * How many samples each chip would leave, with what it asks changed and the other filters as they are.
   * @param {Shown} shown
   */
  function countChips({ columns, cut, pair, clean, robust, sets }) {
    const picked = thinice.selection.mask(columns, cut.pick), delta = cut.delta / pair.scale;
    const wanted = cut.set === null ? -1 : SETS.indexOf(cut.set);
    /** @type {ChipCounts} */
    const counts = { clean: [0, 0, 0, 0], robust: [0, 0, 0, 0], thin: 0, picked: 0, classes: new Map() };
    for (let place = 0; place < columns.n; place += 1) {
      const label = Number(columns.label[place]);
      const isOfClass = cut.label === null || label === cut.label, isOfSet = wanted < 0 || sets[place] === wanted;
      const isThin = thinice.sampleLists.isOnThinIce(columns, place, delta), passesThin = !cut.isThin || isThin;
      if (!counts.classes.has(label)) counts.classes.set(label, 0);
      if (passesThin && isOfClass && isOfSet) counts.picked += picked[place] || 0;
      if (!picked[place]) continue;
      if (isOfClass && passesThin) {
        add(counts.clean, Number(clean[place]));
        add(counts.robust, Number(robust[place]));
      }
      if (isThin && isOfClass && isOfSet) counts.thin += 1;
      if (passesThin && isOfSet) counts.classes.set(label, Number(counts.classes.get(label)) + 1);
    }
    return counts;
  }

  /**
   * @param {number[]} counts
   * @param {number} place
   */
  function add(counts, place) {
    counts[place] = Number(counts[place]) + 1;
  }

  /**
   * A filter with its count: pressed while it holds, and pressed again to remove it. `key`: what presses it.
   * @param {string} name
   * @param {Tree | string} words
   * @param {number} count
   * @param {boolean} isOn
   * @param {Query} changes
   * @param {string | null} [key]
   */
  function chip(name, words, count, isOn, changes, key = null) {
    const attributes = {
      key: name,
      type: "button",
      class: count === 0 ? "filter-chip is-empty" : "filter-chip",
      "aria-pressed": String(isOn),
      "data-go": JSON.stringify(changes),
      "data-focus": name,
      "data-key": key,
    };
    const cross = tree("span", { class: "icon icon-close", "aria-hidden": "true" });
    return tree("button", attributes, words, tree("span", { class: "chip-count" }, thinice.numbers.count(count)), ...(isOn ? [cross] : []));
  }

  /**
   * @param {string} name
   * @param {Tree[]} chips
   */
  function row(name, chips) {
    const label = tree("span", { class: "control-label" }, name);
    return tree("div", { class: "chip-row", key: name.split(" ")[0] || "" }, label, tree("div", { class: "chips" }, ...chips));
  }

  /**
   * @param {Shown} shown
   * @param {"clean" | "robust"} view
   * @param {number} place
   * @param {ChipCounts} counts
   */
  function setChip({ cut, pair }, view, place, counts) {
    const { CLASSES, SYMBOLS, WORDS } = thinice.compareNumbers, name = SETS[place] || "";
    const isOn = cut.set === name && cut.view === view;
    const changes = isOn ? { set: null, view: null } : { set: name, view: view === "clean" ? null : view };
    const words = tree("span", { class: CLASSES[name] || "", title: pair.meanings[WORDS[name] || ""] || null }, SYMBOLS[name] + " " + WORDS[name]);
    return chip(view + "-" + name, words, Number(counts[view][place]), isOn, changes, view === "clean" ? String(place + 1) : null);
  }

  /**
   * One row of chips per question.
   * @param {Shown} shown
   */
  function chipRows(shown) {
    const { cut, pair } = shown, counts = countChips(shown), places = [0, 1, 2, 3];
    return [
      row("Clean", places.map((place) => setChip(shown, "clean", place, counts))),
      row("At ε " + cut.epsText, places.map((place) => setChip(shown, "robust", place, counts))),
      row("Margin", [...thinChips(shown, counts), ...pickChips(shown, counts), ...clearChips(cut)]),
      row("Class", classChips(cut, pair, counts)),
    ];
  }

  /**
   * Nothing to press where distances only witness that eps is enough: no ice can be told from them.
   * @param {Shown} shown
   * @param {ChipCounts} counts
   */
  function thinChips({ cut, pair }, counts) {
    if (!pair.has_margins) {
      return [tree("span", { class: "muted small", key: "none" }, "verdicts at a single ε: no margins, so no thin ice")];
    }
    const words = tree("span", { title: pair.meanings["thin ice"] || null }, "on thin ice, up to " + thinice.distances.asText(cut.delta, pair));
    return [chip("thin", words, counts.thin, cut.isThin, { thin: cut.isThin ? null : "1" }, "t")];
  }

  /**
   * What was picked on Compare.
   * @param {Shown} shown
   * @param {ChipCounts} counts
   */
  function pickChips({ cut, pair }, counts) {
    return cut.pick ? [chip("pick", thinice.selection.words(cut.pick, pair), counts.picked, true, { pick: null })] : [];
  }

  /**
   * Removes every filter at once; nothing where none is set.
   * @param {Cut} cut
   */
  function clearChips(cut) {
    if (!cut.set && !thinice.sampleLists.isFiltered(cut)) return [];
    const attributes = {
      key: "clear", type: "button", class: "button button-quiet", "data-go": JSON.stringify(NO_FILTERS), "data-key": "Escape", "data-focus": "clear",
    };
    return [tree("button", attributes, "Clear all ", tree("kbd", {}, "Esc"))];
  }

  /**
   * A chip per class; folded away where there are many, but for the chosen one.
   * @param {Cut} cut
   * @param {ComparedPair} pair
   * @param {ChipCounts} counts
   */
  function classChips(cut, pair, counts) {
    const labels = [...counts.classes.keys()].sort((a, b) => a - b);
    /** @param {number} label */
    const make = (label) => {
      const isOn = cut.label === label, words = thinice.sampleTiles.className(pair, label);
      return chip("class-" + label, words, counts.classes.get(label) || 0, isOn, { class: isOn ? null : label });
    };
    if (labels.length <= MANY_CLASSES) return labels.map(make);
    const chosen = labels.filter((label) => label === cut.label).map(make);
    const all = tree("summary", {}, "All " + labels.length + " classes");
    return [...chosen, tree("details", { key: "all" }, all, tree("div", { class: "chips" }, ...labels.map(make)))];
  }

  /**
   * How a list is sorted; nothing to choose where there are no margins.
   * @param {Cut} cut
   * @param {Pair} pair
   */
  function sortChoice(cut, pair) {
    if (!pair.has_margins) return [];
    const buttons = Object.entries(thinice.sampleLists.SORTS).map(([name, words]) => {
      const go = JSON.stringify({ sort: name === "thinnest" ? null : name });
      return tree("button", { type: "button", class: "sort", "aria-pressed": String(cut.sort === name), "data-go": go }, words);
    });
    return [tree("div", { class: "sorts", role: "group", "aria-label": "Order of the samples" }, ...buttons)];
  }

  /** @type {ThinIce["samplesParts"]} */
  const samplesParts = { NO_FILTERS, sentence, orderNote, filterWords, countChips, chipRows, sortChoice };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { samplesParts });
})();
