// The threshold of thin ice: which samples it flags, and how well that tells the lost ones.
// Pure: tests call this in Node.
(function () {
  /**
   * Whether a margin lies within delta, both as stored.
   * @param {number} margin
   * @param {number} delta
   */
  const isThin = (margin, delta) => margin <= thinice.outcomes.largestWithin(delta, "minimum");

  /**
   * What the threshold flags among the samples that the dense model gets right.
   * @param {Columns} columns
   * @param {number} delta as stored
   */
  function count(columns, delta) {
    /** @type {ThinCounts} */
    const counts = { held: 0, lost: 0, flagged: 0, caught: 0 };
    thinice.outcomes.sets(columns, null).forEach((set, place) => {
      if (set > 1) return;
      const isFlagged = isThin(Number(columns.dense.margin[place]), delta);
      counts.held += 1;
      counts.lost += set;
      counts.flagged += Number(isFlagged);
      counts.caught += Number(isFlagged && set === 1);
    });
    return counts;
  }

  /**
   * @param {number} part
   * @param {number} whole
   */
  const share = (part, whole) => (whole ? thinice.numbers.percent(part / whole, 1) : "none");

  /**
   * The counts in words; nothing where there are no margins.
   * @param {Columns} columns
   * @param {number} delta in shown units
   * @param {Pair} pair
   */
  function sentence(columns, delta, pair) {
    if (!pair.has_margins) return "";
    const { held, lost, flagged, caught } = count(columns, delta / pair.scale);
    if (!held) return "The dense model gets no sample right, so none can be lost.";
    const number = thinice.numbers.count;
    return (
      number(flagged) + " of the " + number(held) + " samples that the dense model gets right (" +
      share(flagged, held) + (flagged === 1 ? ") is" : ") are") + " on thin ice, with a margin up to " +
      thinice.distances.asText(delta, pair) + ". " +
      "They include " + number(caught) + " of the " + number(lost) + " lost samples (recall " +
      share(caught, lost) + "); " + share(caught, flagged) + " of the samples on thin ice are lost (precision)."
    );
  }

  /** @type {ThinIce["ice"]} */
  const ice = { isThin, count, sentence };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { ice });
})();
