// The threshold of thin ice: which samples it flags, and how well that tells the lost ones.
// Pure: tests call this in Node.
(function () {
  const TOLERANCE = 2e-7; // EPS_TOLERANCE of backend/analysis/outcomes.py, so that both sides cut alike

  /**
   * Whether a margin lies within delta (one unit for both); null is a margin that was not found.
   * @param {number | null | undefined} margin
   * @param {number} delta
   */
  function isThin(margin, delta) {
    return margin !== null && margin !== undefined && margin <= delta * (1 + TOLERANCE);
  }

  /**
   * What the threshold flags among the samples that the dense model gets right.
   * @param {Points} points
   * @param {number} delta
   */
  function count(points, delta) {
    /** @type {ThinCounts} */
    const counts = { held: 0, lost: 0, flagged: 0, caught: 0 };
    points.clean.forEach((set, place) => {
      if (set !== "S11" && set !== "S10") return;
      const isFlagged = isThin(points.dense[place], delta);
      const isLost = set === "S10";
      counts.held += 1;
      counts.lost += Number(isLost);
      counts.flagged += Number(isFlagged);
      counts.caught += Number(isFlagged && isLost);
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
   * @param {Points | null} points
   * @param {number} delta
   * @param {Pair} pair
   */
  function sentence(points, delta, pair) {
    if (!points || !pair.has_margins) return "";
    const { held, lost, flagged, caught } = count(points, delta);
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
  const ice = { TOLERANCE, isThin, count, sentence };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { ice });
})();
