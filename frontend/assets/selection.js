// Samples picked on a page, as text of an address: ranges of margins (a region, a bar, a cell), or rows of the data set.
// `dense_wrong_7/255_pruned_0.02_none`: margins above the first end up to the second; "wrong" is a margin of 0, "found"
// the largest one, "none" one that was not found. `rows_5.3-2.k`: gaps between sorted rows in base 36, each with how many neighbours follow.
// backend/services/comparisons/selection.py reads the same. Pure: tests call this in Node.
(function () {
  const SIDES = ["dense", "pruned"];
  const MOST_ROWS = 1e6;
  const ROUNDING = 1 + 1e-12; // of a double: ends are written as margins, or as n/255

  /**
   * @param {string | null | undefined} text
   * @returns {Picked | null} null for what is no selection
   */
  function parse(text) {
    const [kind = "", ...parts] = (text || "").split("_");
    if (kind === "rows") return parts.length === 1 ? readRows(parts[0] || "") : null;
    /** @type {Record<string, Ends>} */
    const ranges = {};
    const tokens = [kind, ...parts];
    if (tokens.length % 3) return null;
    for (let place = 0; place < tokens.length; place += 3) {
      const [side = "", low = "", high = ""] = tokens.slice(place, place + 3);
      if (!SIDES.includes(side) || !isEnd(low) || !isEnd(high)) return null;
      ranges[side] = { low, high };
    }
    return { rows: null, ranges };
  }

  /** @param {string} text */
  const isEnd = (text) => ["wrong", "found", "none"].includes(text) || thinice.distances.stored(text) >= 0;

  /**
   * @param {string} text
   * @returns {Picked | null}
   */
  function readRows(text) {
    /** @type {Set<number>} */
    const rows = new Set();
    let last = -1;
    for (const token of text ? text.split(".") : []) {
      if (!/^[0-9a-z]+(-[0-9a-z]+)?$/.test(token)) return null;
      const [gap = 0, more = 0] = token.split("-").map((part) => parseInt(part, 36));
      if (rows.size + more > MOST_ROWS) return null;
      for (let step = 0; step <= more; step += 1) {
        last += step ? 1 : gap + 1;
        rows.add(last);
      }
    }
    return { rows, ranges: {} };
  }

  /**
   * Rows as the address writes them.
   * @param {Iterable<number>} rows
   */
  function writeRows(rows) {
    const sorted = [...new Set(rows)].sort((a, b) => a - b);
    /** @type {string[]} */
    const tokens = [];
    let last = -1;
    for (let place = 0; place < sorted.length; place += 1) {
      const first = Number(sorted[place]);
      const token = (first - last - 1).toString(36);
      last = first;
      const start = place;
      while (sorted[place + 1] === last + 1) { place += 1; last += 1; }
      tokens.push(place > start ? token + "-" + (place - start).toString(36) : token);
    }
    return "rows_" + tokens.join(".");
  }

  /**
   * Ranges as the address writes them.
   * @param {Record<string, Ends | undefined>} ranges
   */
  function writeRanges(ranges) {
    return SIDES.flatMap((side) => {
      const range = ranges[side];
      return range ? [side, range.low, range.high] : [];
    }).join("_");
  }

  /**
   * Whether a margin lies above the low end and up to the high one.
   * @param {number} margin as stored
   * @param {Ends} range
   */
  function isInside(margin, { low, high }) {
    if (margin === 0) return low === "wrong";
    if (margin === Infinity) return high === "none";
    if (low === "none" || high === "wrong") return false;
    const isAbove = low === "wrong" || margin > thinice.distances.stored(low) * ROUNDING;
    return isAbove && (high === "none" || high === "found" || margin <= thinice.distances.stored(high) * ROUNDING);
  }

  /**
   * For each sample 1 where it is picked; everything without a selection.
   * @param {Columns} columns
   * @param {Picked | null} pick
   */
  function mask(columns, pick) {
    const chosen = new Uint8Array(columns.n).fill(1);
    if (!pick) return chosen;
    const { rows, ranges } = pick;
    if (rows) columns.index.forEach((index, place) => { chosen[place] = Number(rows.has(index)); });
    for (const [side, range] of Object.entries(ranges)) {
      const { margin } = side === "dense" ? columns.dense : columns.pruned;
      margin.forEach((one, place) => { chosen[place] = Number(chosen[place] && isInside(one, range)); });
    }
    return chosen;
  }

  /**
   * A selection in words: `dense margin 5–7/255`, `37 selected in the scatter`.
   * @param {Picked} pick
   * @param {Unit} unit
   */
  function words(pick, unit) {
    if (pick.rows) return thinice.numbers.count(pick.rows.size) + " selected in the scatter";
    return Object.entries(pick.ranges).map(([side, range]) => side + " " + rangeWords(range, unit)).join(", ");
  }

  /**
   * @param {Ends} range
   * @param {Unit} unit
   */
  function rangeWords({ low, high }, unit) {
    /** @param {string} end */
    const number = (end) => thinice.numbers.fixed(thinice.distances.stored(end) * unit.scale, unit.suffix ? 1 : 3);
    if (high === "wrong") return "wrong";
    if (low === "none") return "not found";
    if (low === "wrong" && high === "none") return "any margin";
    if (low === "wrong" && high !== "found") return "wrong or margin up to " + number(high) + unit.suffix;
    if (low === "wrong") return "wrong or any margin found";
    if (high === "found") return "margin over " + number(low) + unit.suffix;
    if (high === "none") return "margin over " + number(low) + unit.suffix + " or not found";
    return "margin " + number(low) + "–" + number(high) + unit.suffix;
  }

  /** @type {ThinIce["selection"]} */
  const selection = { parse, writeRows, writeRanges, isInside, mask, words };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { selection });
})();
