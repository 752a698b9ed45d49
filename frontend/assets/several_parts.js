// What the page of several checkpoints says at a cut: sentence, table, overlap and counts, as data that plain.js draws.
// Pure: tests call this in Node.
(function () {
  const DEEPEST = 42; // percent of accent in the ground of a cell whose losses are all shared: words stay readable

  /**
   * @param {string} tag
   * @param {Record<string, string | null>} attributes
   * @param {(Tree | string)[]} children
   * @returns {Tree}
   */
  const tree = (tag, attributes, ...children) => ({ tag, attributes, children });

  /** @param {number} number */
  const count = (number) => thinice.numbers.count(number);

  /** @param {Share} share */
  const ends = (share) => share.low === null || share.high === null ? ""
    : "[" + [share.low, share.high].map((end) => thinice.numbers.fixed(100 * end, 2)).join(", ") + "]";

  /** @param {Share} share */
  const percent = (share) => share.value === null ? "no samples"
    : thinice.numbers.percent(share.value, 2) + " " + ends(share);

  /** @param {Share} share */
  function plainShare(share) {
    if (share.value === null || share.low === null || share.high === null) return "–";
    const [value = "", low, high] = [share.value, share.low, share.high].map((one) => thinice.numbers.fixed(one, 2));
    return value + " [" + low + ", " + high + "]";
  }

  /** @param {ShownSeveral} shown */
  const at = ({ cut }) => (cut.view === "robust" ? "at ε " + cut.epsText : "without attack");

  /**
   * The shape and the name of a network, by its number from 0.
   * @param {SeveralState} several
   * @param {number} number
   */
  function name(several, number) {
    const { glyph = "", kind = "", name: text = "" } = several.networks[number] || {};
    return tree("span", { class: "several-name" }, mark(kind, glyph), " " + text);
  }

  /**
   * @param {string} kind
   * @param {string} glyph
   */
  const mark = (kind, glyph) => tree("span", { class: "method-glyph " + kind, "aria-hidden": "true" }, glyph);

  /**
   * How many are lost by all, by how many at least, and which two lose the same samples most.
   * @param {ShownSeveral} shown
   */
  function sentence(shown) {
    const { several, losses } = shown, networks = several.networks.length;
    const all = losses.atLeast[networks - 1], any = losses.atLeast[0];
    if (!all || !any) return [];
    const samples = count(all.count) + " of " + count(losses.n) + " samples";
    /** @type {(Tree | string)[]} */
    const words = networks === 1
      ? [tree("span", { class: "is-lost strong" }, samples), " are lost by this checkpoint " + at(shown) + " (" + percent(all) + ")."]
      : [
        tree("span", { class: "is-lost strong" }, samples), " are lost by all " + networks + " checkpoints " + at(shown) +
        " (" + percent(all) + "), " + count(any.count) + " by at least one (" + percent(any) + ").",
      ];
    const alike = mostAlike(shown);
    if (alike) {
      const chance = alike.byChance === null ? "" : "; losses at random would share " + thinice.numbers.fixed(alike.byChance, 2);
      words.push(
        " Most alike are ", name(several, alike.first), " and ", name(several, alike.second),
        ": of the samples that either loses, both lose " + plainShare(alike.jaccard) + chance + ".",
      );
    }
    return words;
  }

  /** @param {ShownSeveral} shown */
  function mostAlike({ several, losses }) {
    const found = several.networks.flatMap((_, first) => several.networks.slice(first + 1).map((__, step) =>
      ({ first, second: first + 1 + step, ...thinice.severalLosses.overlap(losses, first, first + 1 + step) })));
    return found.filter((one) => one.jaccard.value !== null && found.length > 1)
      .sort((a, b) => Number(b.jaccard.value) - Number(a.jaccard.value))[0] || null;
  }

  /**
   * A button that chooses samples; pressed while they are the chosen ones.
   * @param {ShownSeveral} shown
   * @param {LossChoice} choice
   * @param {string} title
   * @param {string} kind
   * @param {(Tree | string)[]} children
   */
  function chooser(shown, choice, title, kind, ...children) {
    const text = thinice.severalLosses.writeChoice(choice);
    return tree("button", {
      key: text,
      class: kind,
      title,
      "data-go": JSON.stringify({ lost: text }),
      "aria-pressed": String(text === thinice.severalLosses.writeChoice(shown.choice)),
    }, ...children);
  }

  /**
   * By how many networks at least a sample is lost, each a button with a bar.
   * @param {ShownSeveral} shown
   */
  function counts(shown) {
    const { several, losses } = shown, most = Math.max(1, Number(losses.atLeast[0]?.count));
    const rows = losses.atLeast.map((share, number) => {
      const words = leastWords(number + 1, several.networks.length);
      const bar = tree("span", { class: "least-bar", "aria-hidden": "true" },
        tree("span", { class: "least-fill", style: "width:" + (100 * share.count / most).toFixed(1) + "%" }));
      return tree("li", { key: String(number) }, chooser(
        shown, { kind: "least", numbers: [number + 1] }, "Show the samples lost " + words, "least",
        tree("span", { class: "least-words" }, words), bar, tree("strong", {}, count(share.count)),
        tree("span", { class: "interval" }, percent(share)),
      ));
    });
    const none = Number(losses.lostBy[0]);
    const rest = "Of the " + count(losses.held) + " samples that the dense checkpoint " +
      (shown.cut.view === "robust" ? "holds" : "gets right") + ", " + count(none) + " are lost by none.";
    return [tree("ul", { class: "leasts" }, ...rows.reverse()), tree("p", { class: "footnote" }, rest)];
  }

  /**
   * @param {number} number
   * @param {number} networks
   */
  function leastWords(number, networks) {
    if (number === networks) return networks === 1 ? "by it" : "by all " + networks;
    return number === 1 ? "by at least one" : "by at least " + number;
  }

  /**
   * Above the diagonal the shares that two lose both, below it their numbers, on it each one's own losses.
   * @param {ShownSeveral} shown
   */
  function matrix(shown) {
    const { several } = shown, corner = tree("th", { scope: "col" }, tree("span", { class: "hidden-label" }, "Checkpoint"));
    const head = several.networks.map((network, number) => tree("th", { scope: "col", key: network.evaluation, title: network.name },
      mark(network.kind, network.glyph), tree("span", { class: "matrix-head" }, " " + (several.networks.length > 4 ? String(number + 1) : network.name))));
    const body = several.networks.map((network, first) => tree("tr", { key: network.evaluation },
      tree("th", { scope: "row" }, several.networks.length > 4 ? tree("span", { class: "muted" }, (first + 1) + " ") : "", name(several, first)),
      ...several.networks.map((_, second) => cell(shown, first, second))));
    const caption = tree("caption", { class: "hidden-label" }, "Overlap of the losses, " + at(shown));
    const table = tree("table", { class: "table matrix", "data-unsorted": "" }, caption, tree("thead", {}, tree("tr", {}, corner, ...head)), tree("tbody", {}, ...body));
    const attributes = { class: "table-scroll", tabindex: "0", role: "region", "aria-label": "Overlap of the losses" };
    return [tree("div", attributes, table)];
  }

  /**
   * @param {ShownSeveral} shown
   * @param {number} first
   * @param {number} second
   */
  function cell(shown, first, second) {
    const { several, losses } = shown, names = [first, second].map((number) => several.networks[number]?.name || "");
    if (first === second) {
      const own = Number(losses.lost[first]), words = "Show the " + count(own) + " samples that " + names[0] + " loses";
      return tree("td", { key: String(second), class: "matrix-own" }, chooser(shown, { kind: "by", numbers: [first + 1] }, words, "cell", count(own)));
    }
    const found = thinice.severalLosses.overlap(losses, Math.min(first, second), Math.max(first, second));
    const either = count(found.both + found.onlyFirst + found.onlySecond);
    const title = "Both " + names[0] + " and " + names[1] + " lose " + count(found.both) + " of the " + either +
      " samples that either loses: " + plainShare(found.jaccard) + (found.byChance === null ? "" : ", at random " + thinice.numbers.fixed(found.byChance, 2));
    const value = found.jaccard.value;
    const text = second < first ? count(found.both) : value === null ? "–" : thinice.numbers.fixed(value, 2);
    const ground = "background:color-mix(in srgb, var(--accent) " + Math.round(DEEPEST * (value || 0)) + "%, var(--card))";
    const numbers = [Math.min(first, second) + 1, Math.max(first, second) + 1];
    const button = chooser(shown, { kind: "both", numbers }, title, "cell", text);
    return tree("td", { key: String(second), style: second < first ? null : ground }, button);
  }

  /** @type {ThinIce["severalParts"]} */
  const severalParts = { at, chooser, counts, ends, matrix, name, percent, plainShare, sentence };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { severalParts });
})();
