// Compare's number cards and what follows the headline, as data that plain.js draws.
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
   * @param {Cut} cut
   * @returns {Tree}
   */
  function setCard(name, count, detail, cut) {
    const isChosen = cut.set === name;
    return {
      tag: "button",
      attributes: {
        class: "number number-button" + (TONES[name] || ""),
        title: isChosen ? "Show all sets again" : "Show " + WORDS[name] + " samples only",
        "data-go": JSON.stringify({ set: isChosen ? null : name }),
        "aria-pressed": String(isChosen),
      },
      children: [
        tree("span", "number-label", SYMBOLS[name] + " " + WORDS[name] + " ", tree("span", "muted", name)),
        tree("span", "number-value", thinice.numbers.count(count)),
        tree("span", "number-detail", ...detail),
      ],
    };
  }

  /**
   * @param {string} label
   * @param {(Tree | string)[]} value
   * @param {string} detail
   */
  function plainCard(label, value, detail) {
    return tree(
      "div", "number",
      tree("div", "number-label", label), tree("div", "number-value", ...value), tree("div", "number-detail", detail),
    );
  }

  /**
   * Clean / robust accuracy of both, the pruned model's large.
   * @param {Summary} clean
   * @param {Summary} robust
   * @param {Cut} cut
   */
  function accuracyCard(clean, robust, cut) {
    const n = Math.max(1, clean.churn.n);
    /** @param {"dense" | "pruned"} side */
    const both = (side) => [clean, robust].map(({ counts }) => accuracy(counts, side, n));
    const [pruned = "", prunedRobust = ""] = both("pruned"), [dense, denseRobust] = both("dense");
    const value = [pruned, tree("span", "slash", " / "), prunedRobust, tree("span", "unit", " %")];
    return plainCard("Pruned, clean / robust at " + cut.epsText, value, "dense " + dense + " / " + denseRobust + " %");
  }

  /**
   * @param {Counts} counts
   * @param {"dense" | "pruned"} side
   * @param {number} n
   */
  const accuracy = (counts, side, n) => fixed(100 * ((counts.n11 + (side === "dense" ? counts.n10 : counts.n01)) / n));

  /**
   * Kept, lost, gained, wrong on both (by clean or robust correctness), accuracies, and the exact test.
   * @param {Summary} clean
   * @param {Summary} robust
   * @param {Cut} cut
   */
  function cards(clean, robust, cut) {
    const isClean = cut.view === "clean", chosen = isClean ? clean : robust;
    const { counts } = chosen, n = clean.churn.n;
    const number = thinice.numbers.count;
    return [
      setCard("S11", counts.n11, plainShare(counts.n11, n), cut),
      setCard("S10", counts.n10, rate(chosen.negative_flip_rate), cut),
      setCard("S01", counts.n01, isClean ? rate(clean.positive_flip_rate) : plainShare(counts.n01, n), cut),
      setCard("S00", counts.n00, plainShare(counts.n00, n), cut),
      accuracyCard(clean, robust, cut),
      plainCard(
        "Exact McNemar test",
        pValue(chosen.mcnemar_p),
        number(counts.n10) + " lost, " + number(counts.n01) + " gained",
      ),
    ];
  }

  /**
   * What the headline does not follow: it speaks of clean flips over all classes.
   * @param {Summary} robust
   * @param {Cut} cut
   */
  function scope(robust, cut) {
    const number = thinice.numbers.count, { n11, n10, n01 } = robust.counts;
    const words = [];
    if (cut.view === "robust") {
      words.push(
        "These are clean flips. Of the robust samples at ε " + cut.epsText + ", " + number(n10) + " of " +
        number(n11 + n10) + " are lost, and " + number(n01) + " are gained.",
      );
    }
    if (cut.label !== null) {
      words.push(
        "The class filter applies to the plots and lists below. This sentence, the number tiles and the statistics " +
        "cover all classes.",
      );
    }
    return words.length ? [tree("span", "muted headline-scope", " " + words.join(" "))] : [];
  }

  /** @type {ThinIce["compareNumbers"]} */
  const compareNumbers = { SYMBOLS, WORDS, CLASSES, cards, scope, pValue };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { compareNumbers });
})();
