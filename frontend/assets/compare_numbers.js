// Compare's number cards, as data that plain.js draws.
// Pure: tests call this in Node.
(function () {
  /** @type {Record<string, string>} */
  const SYMBOLS = { S11: "●", S10: "▼", S01: "▲", S00: "□" };
  /** @type {Record<string, string>} */
  const WORDS = { S11: "kept", S10: "lost", S01: "gained", S00: "wrong on both" };
  /** @type {Record<string, string>} */
  const CLASSES = { S11: "is-kept", S10: "is-lost", S01: "is-gained", S00: "is-wrong-on-both" };
  /** @type {Record<string, string>} */
  const TONES = { S10: " number-lost", S01: " number-gained" };
  const SMALLEST = -300; // powers of ten below this are not told apart

  /**
   * @param {string} tag
   * @param {string} kind
   * @param {(Tree | string)[]} children
   */
  const tree = (tag, kind, ...children) => ({ tag, attributes: kind ? { class: kind } : {}, children });

  /** @param {number} value */
  const fixed = (value) => thinice.numbers.fixed(value, 2);

  /** @param {Share} share */
  function rate(share) {
    if (share.value === null || share.low === null || share.high === null) return ["no samples"];
    const ends = "[" + fixed(100 * share.low) + ", " + fixed(100 * share.high) + "]";
    return [part(share.value) + " of " + thinice.numbers.count(share.n) + " ", tree("span", "interval", ends)];
  }

  /** @param {number} value */
  const part = (value) => thinice.numbers.percent(value, 2);

  /**
   * @param {number} count
   * @param {number} n
   */
  const plainShare = (count, n) => (n ? [part(count / n) + " of " + thinice.numbers.count(n)] : ["no samples"]);

  /**
   * An exact p: below 0.001 its power of ten, because more digits say nothing.
   * @param {number} p
   */
  function pValue(p) {
    if (p >= 0.001) return ["p = " + thinice.numbers.fixed(p, 3)];
    let exponent = -1;
    while (p < Number("1e" + exponent) && exponent > SMALLEST) exponent -= 1;
    return ["p < 10", tree("sup", "", String(exponent + 1).replace("-", "−"))];
  }

  /**
   * A set's count. Pressing it shows that set only, pressing it again all of them.
   * @param {string} name
   * @param {number} count
   * @param {(Tree | string)[]} detail
   * @param {Shown} shown
   * @returns {Tree}
   */
  function setCard(name, count, detail, { cut, pair }) {
    const isChosen = cut.set === name, words = WORDS[name] || "";
    const action = isChosen ? "Press to show all sets again." : "Press to show " + words + " samples only.";
    return {
      tag: "button",
      attributes: {
        class: "number number-button" + (TONES[name] || ""),
        title: [pair.meanings[words], action].filter(Boolean).join(" "),
        "data-go": JSON.stringify({ set: isChosen ? null : name }),
        "aria-pressed": String(isChosen),
      },
      children: [
        tree("span", "number-label", SYMBOLS[name] + " " + words + " ", tree("span", "muted", name)),
        tree("span", "number-value", thinice.numbers.count(count)),
        tree("span", "number-detail", ...detail),
      ],
    };
  }

  /**
   * @param {string} label
   * @param {(Tree | string)[]} value
   * @param {string} detail
   * @param {string | undefined} meaning
   */
  function plainCard(label, value, detail, meaning) {
    const parts = [tree("div", "number-label", label), tree("div", "number-value", ...value), tree("div", "number-detail", detail)];
    return { tag: "div", attributes: { class: "number", title: meaning || null }, children: parts };
  }

  /**
   * Clean / robust accuracy of both, the pruned model's large.
   * @param {Summary} clean
   * @param {Summary} robust
   * @param {Shown} shown
   */
  function accuracyCard(clean, robust, { cut, pair }) {
    const { n } = clean.churn, label = "Pruned, clean / robust at " + cut.epsText;
    if (n === 0) return plainCard(label, ["–"], "no samples", pair.meanings["robust accuracy"]);
    /** @param {"dense" | "pruned"} side */
    const both = (side) => [clean, robust].map(({ counts }) => accuracy(counts, side, n));
    const [pruned = "", prunedRobust = ""] = both("pruned"), [dense, denseRobust] = both("dense");
    const value = [pruned, tree("span", "slash", " / "), prunedRobust, tree("span", "unit", " %")];
    const words = "dense " + dense + " / " + denseRobust + " %" + (thinice.sampleLists.isFiltered(cut) ? ", n " + thinice.numbers.count(n) : "");
    return plainCard(label, value, words, pair.meanings["robust accuracy"]);
  }

  /**
   * @param {Counts} counts
   * @param {"dense" | "pruned"} side
   * @param {number} n
   */
  const accuracy = (counts, side, n) => fixed(100 * ((counts.n11 + (side === "dense" ? counts.n10 : counts.n01)) / n));

  /**
   * The exact test; samples that were picked by their margins are no sample of anything, so nothing is tested on them.
   * @param {Summary} chosen
   * @param {Shown} shown
   */
  function testCard({ counts, mcnemar_p: p }, { cut, pair }) {
    const flips = thinice.numbers.count(counts.n10) + " lost, " + thinice.numbers.count(counts.n01) + " gained";
    const [value, detail] = cut.pick || cut.isThin
      ? [["–"], flips + "; no test on picked samples"]
      : [pValue(p), flips + (cut.label === null ? "" : "; one class, not corrected")];
    return plainCard("Exact McNemar test", value, detail, pair.meanings["McNemar"]);
  }

  /**
   * Kept, lost, gained, wrong on both (by clean or robust correctness), accuracies, and the exact test, of the samples
   * that the cut covers. Intervals speak of a population, so picked samples have none.
   * @param {Summary} clean
   * @param {Summary} robust
   * @param {Shown} shown
   */
  function cards(clean, robust, shown) {
    const { cut } = shown, isClean = cut.view === "clean", chosen = isClean ? clean : robust;
    const { counts } = chosen, { n } = clean.churn, isPicked = cut.pick !== null || cut.isThin;
    const lost = isPicked ? plainShare(counts.n10, n) : rate(chosen.negative_flip_rate);
    return [
      setCard("S11", counts.n11, plainShare(counts.n11, n), shown),
      setCard("S10", counts.n10, lost, shown),
      setCard("S01", counts.n01, isClean && !isPicked ? rate(clean.positive_flip_rate) : plainShare(counts.n01, n), shown),
      setCard("S00", counts.n00, plainShare(counts.n00, n), shown),
      accuracyCard(clean, robust, shown),
      testCard(chosen, shown),
    ];
  }

  /** @type {ThinIce["compareNumbers"]} */
  const compareNumbers = { SYMBOLS, WORDS, CLASSES, cards, pValue };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { compareNumbers });
})();
