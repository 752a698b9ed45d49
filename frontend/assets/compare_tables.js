// The numbers behind Compare's scatter and histogram at a cut, as tables whose cells pick samples.
// Pure: tests call this in Node.
(function () {
  const ORDER = ["S10", "S01", "S00", "S11"]; // of the histogram, from the foot up
  const TABLE_ORDER = ["S11", "S10", "S01", "S00"];
  const BARS = 36; // of frontend/figures/histogram.py
  const ROUNDING = 1 - 1e-12;
  /** What is no distance: as a margin, as an end of a selection, and in words. @type {[number, string, string][]} */
  const ENDS = [[0, "wrong", "wrong"], [Infinity, "none", "margin not found"]];

  /**
   * @param {string} tag
   * @param {Record<string, string | null>} attributes
   * @param {(Tree | string)[]} children
   * @returns {Tree}
   */
  const tree = (tag, attributes, ...children) => ({ tag, attributes, children });

  /** @param {string} name */
  const setWords = (name) => thinice.compareNumbers.SYMBOLS[name] + " " + thinice.compareNumbers.WORDS[name];

  /**
   * For each set how many real dense margins (found, above 0) of the chosen samples fall into each bin; the last one,
   * from `limit` (shown units), is open above.
   * @param {Shown} shown
   */
  function histogram(shown) {
    const { columns, sets, pair } = shown;
    const width = pair.axis / BARS;
    /** @type {Record<string, number[]>} */
    const counts = Object.fromEntries(ORDER.map((name) => [name, new Array(BARS + 1).fill(0)]));
    columns.dense.margin.forEach((margin, place) => {
      if (margin <= 0 || margin === Infinity || !thinice.sampleLists.isChosen(shown, place)) return;
      const bins = counts[thinice.outcomes.SETS[Number(sets[place])] || ""] || [];
      const bin = Math.min(BARS, Math.floor(margin * pair.scale / width * ROUNDING));
      bins[bin] = Number(bins[bin]) + 1;
    });
    return counts;
  }

  /**
   * A table like those that frontend/components.py makes.
   * @param {string} caption
   * @param {string[]} columns
   * @param {(Tree | string)[][]} body
   */
  function table(caption, columns, body) {
    /** @param {number} place */
    const kind = (place) => (place === 0 ? "" : "number-cell");
    const head = columns.map((name, place) => tree("th", { scope: "col", class: kind(place) }, name));
    const lines = body.map((cells) => tree("tr", {}, ...cells.map((one, place) =>
      place === 0 ? tree("th", { scope: "row" }, one) : tree("td", { class: "number-cell" }, one))));
    const parts = [tree("caption", { class: "hidden-label" }, caption), tree("thead", {}, tree("tr", {}, ...head)), tree("tbody", {}, ...lines)];
    const attributes = { class: "table-scroll", tabindex: "0", role: "region", "aria-label": caption };
    return [tree("div", attributes, tree("table", { class: "table" }, ...parts))];
  }

  /**
   * The margins of a bar of the histogram, as a selection of an address.
   * @param {ComparedPair} pair
   * @param {number} bin
   */
  function pickOf(pair, bin) {
    /** @param {number} edge */
    const stored = (edge) => String(pair.axis / BARS * edge / pair.scale);
    return thinice.selection.writeRanges({ dense: { low: stored(bin), high: bin === BARS ? "found" : stored(bin + 1) } });
  }

  /**
   * A number of samples that a press picks, and a second press lets go.
   * @param {Shown} shown
   * @param {number} count
   * @param {string} name the set
   * @param {string} pick
   * @param {string} words
   */
  function cell({ cut }, count, name, pick, words) {
    const text = thinice.numbers.count(count), isOn = cut.query["pick"] === pick && cut.set === name;
    if (!count) return text;
    const label = text + " " + thinice.compareNumbers.WORDS[name] + " with " + words + ": show only these";
    const go = JSON.stringify(isOn ? { pick: null, set: null } : { pick, set: name });
    return tree("button", { type: "button", class: "cell", "data-go": go, "aria-pressed": String(isOn), "aria-label": label }, text);
  }

  /** @param {Shown} shown */
  function histogramTable(shown) {
    const counts = histogram(shown), width = shown.pair.axis / BARS;
    /** @param {number} edge */
    const written = (edge) => thinice.numbers.fixed(width * edge, 1);
    /** @type {(Tree | string)[][]} */
    const body = [];
    for (let bin = 0; bin <= BARS; bin += 1) {
      const line = TABLE_ORDER.map((name) => Number(counts[name]?.[bin]));
      const words = bin === BARS ? "over " + written(BARS) : written(bin) + " to " + written(bin + 1);
      const pick = pickOf(shown.pair, bin);
      const cells = line.map((count, place) => cell(shown, count, TABLE_ORDER[place] || "", pick, "dense margin " + words));
      if (line.some(Boolean)) body.push([words, ...cells]);
    }
    const columns = ["Dense margin (" + shown.pair.unit + ")", ...TABLE_ORDER.map(setWords)];
    return table("Samples by dense margin and set", columns, body);
  }

  /**
   * The median where an infinite margin is larger than every other; null where it is one, or there is no margin.
   * @param {number[]} values
   */
  function median(values) {
    const sorted = values.sort((a, b) => (a < b ? -1 : Number(a > b))), half = sorted.length / 2;
    const middle = (Number(sorted[Math.ceil(half) - 1]) + Number(sorted[Math.floor(half)])) / 2;
    return Number.isFinite(middle) ? middle : null;
  }

  /**
   * The scatter in numbers: of each set its size, its samples without a distance, and the middle margins.
   * @param {Shown} shown
   */
  function scatterTable(shown) {
    const { columns, sets, pair } = shown;
    const number = thinice.numbers.count;
    const body = TABLE_ORDER.map((name) => {
      const places = Array.from(sets.keys()).filter((place) =>
        thinice.outcomes.SETS[Number(sets[place])] === name && thinice.sampleLists.isChosen(shown, place));
      const sides = pair.has_margins ? [columns.dense, columns.pruned] : [];
      const cells = sides.flatMap((side) => {
        const margins = places.map((place) => Number(side.margin[place])), who = side === columns.dense ? "dense" : "pruned";
        const middle = places.length ? thinice.sampleTiles.full(median(margins.slice()) ?? Infinity, pair) : "–";
        return [middle, ...ENDS.map(([margin, end, words]) => {
          const pick = thinice.selection.writeRanges({ [who]: { low: end, high: end } });
          return cell(shown, margins.filter((one) => one === margin).length, name, pick, who + " " + words);
        })];
      });
      return [setWords(name), number(places.length), ...cells];
    });
    if (!pair.has_margins) return table("Samples by set", ["Set", "Samples"], body);
    const headings = ["Dense", "Pruned"].flatMap((side) => ["median", "wrong", "not found"].map((what) => side + " " + what));
    return table("Samples by set, with their median margins", ["Set", "Samples", ...headings], body);
  }

  /** @type {ThinIce["compareTables"]} */
  const compareTables = { histogram, histogramTable, scatterTable, pickOf };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { compareTables });
})();
