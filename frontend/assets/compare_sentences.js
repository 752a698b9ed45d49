// What Compare says of a cut in words: who is lost and gained, what the page covers, and what was picked.
// Pure: tests call this in Node.
(function () {
  /**
   * @param {string} tag
   * @param {Record<string, string | null>} attributes
   * @param {(Tree | string)[]} children
   * @returns {Tree}
   */
  const tree = (tag, attributes, ...children) => ({ tag, attributes, children });

  /** @param {number} count */
  const number = (count) => (count ? thinice.numbers.count(count) : "none");

  /**
   * @param {number} count
   * @param {string} noun
   */
  const plural = (count, noun) => thinice.numbers.count(count) + " " + noun + (count === 1 ? "" : "s");

  /**
   * The first sentence of the headline, as backend/analysis/headline.py writes it, of the samples that the cut covers.
   * @param {Summaries} counted
   * @param {Shown} shown
   */
  function flips(counted, shown) {
    const { cut, pair } = shown, isClean = cut.view === "clean";
    const { n11, n10, n01, n00 } = (isClean ? counted.clean : counted.robust).counts, dense = n11 + n10;
    const which = thinice.sampleLists.isFiltered(cut) ? " (" + filterWords(shown).join("; ") + ")" : "";
    const gained = tree("span", { class: "is-gained strong" }, "▲ " + number(n01));
    if (!dense) {
      const none = isClean ? "gets none right" : "holds none at " + cut.epsText;
      const lead = "Of " + plural(n11 + n10 + n01 + n00, "sample") + which + ", the dense model " + none + ", so there is nothing to lose; ";
      return [lead + pair.change[0]?.toLowerCase() + pair.change.slice(1) + " gains ", gained, "."];
    }
    const holds = isClean ? "gets right" : "holds at " + cut.epsText;
    const lost = tree("span", { class: "is-lost strong" }, "▼ " + number(n10));
    return [pair.change + " loses ", lost, " of " + plural(dense, "sample") + which + " that the dense model " + holds + " and gains ", gained, "."];
  }

  /**
   * The filters of a cut but for its set, each as a phrase.
   * @param {Shown} shown
   */
  function filterWords(shown) {
    return thinice.samplesParts.filterWords({ ...shown, cut: { ...shown.cut, set: null } });
  }

  /**
   * What a filter governs, and what stands apart from it.
   * @param {Summaries} counted
   * @param {Shown} shown
   */
  function scope({ clean }, { cut, columns }) {
    if (!thinice.sampleLists.isFiltered(cut)) return [];
    const words = "The first sentence, the numbers, the scatter, the histogram and the lists cover these " +
      plural(clean.churn.n, "sample") + "; AUROC, controls, curve and the shares by margin and by class cover all " +
      thinice.numbers.count(columns.n) + ".";
    return [tree("span", { class: "muted headline-scope" }, words)];
  }

  /**
   * What the sentences of the server speak of, where the first one speaks of a part only.
   * @param {Shown} shown
   */
  function whole({ cut, sets, columns }) {
    if (!thinice.sampleLists.isFiltered(cut)) return [];
    const { n11, n10 } = thinice.outcomes.count(sets);
    const words = " Of all " + thinice.numbers.count(columns.n) + " samples, " + number(n10) + " of " + thinice.numbers.count(n11 + n10) + " are lost.";
    return [tree("span", {}, words)];
  }

  /**
   * What was picked, each to be removed, and the way to exactly these samples on Samples. Nothing without a choice.
   * @param {Shown} shown
   */
  function chips(shown) {
    const { cut, pair } = shown;
    /** @type {[string, string, Query][]} */
    const picked = [];
    if (cut.pick) picked.push(["pick", thinice.selection.words(cut.pick, pair), { pick: null }]);
    if (cut.isThin) picked.push(["thin", "on thin ice, up to " + thinice.distances.asText(cut.delta, pair), { thin: null }]);
    if (cut.label !== null) picked.push(["class", "class " + thinice.sampleTiles.className(pair, cut.label), { class: null }]);
    if (cut.set) picked.push(["set", thinice.compareNumbers.SYMBOLS[cut.set] + " " + thinice.compareNumbers.WORDS[cut.set], { set: null }]);
    if (!picked.length) return [];
    const close = tree("span", { class: "icon icon-close", "aria-hidden": "true" });
    const buttons = picked.map(([key, words, changes]) => tree(
      "button", { key, type: "button", class: "chip", "data-go": JSON.stringify(changes), "aria-label": words + ": remove" }, words, close,
    ));
    const count = thinice.sampleLists.order(shown, cut.set).length, words = "Open " + plural(count, "sample") + " in Samples";
    const href = thinice.sampleLists.address("/samples", cut, {});
    return [...buttons, tree("a", { key: "all", href, "data-visit": "", class: "chips-link" }, words)];
  }

  /** @type {ThinIce["compareSentences"]} */
  const compareSentences = { flips, scope, whole, chips };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { compareSentences });
})();
