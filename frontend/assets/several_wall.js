// The chosen losses as thumbnails, each with the shapes of the checkpoints that lose it, as data that plain.js draws.
// Pure: tests call this in Node.
(function () {
  const SHOWN = 18; // tiles before "show more"
  const MOST = 120; // tiles at all; Samples lists every one

  /**
   * @param {string} tag
   * @param {Record<string, string | null>} attributes
   * @param {(Tree | string)[]} children
   * @returns {Tree}
   */
  const tree = (tag, attributes, ...children) => ({ tag, attributes, children });

  /**
   * The choice in words: `lost by all 3`.
   * @param {ShownSeveral} shown
   * @returns {(Tree | string)[]}
   */
  function words({ several, choice }) {
    const [first = 1, second = 1] = choice.numbers, networks = several.networks.length;
    const one = thinice.severalParts.name(several, first - 1);
    if (choice.kind === "by") return ["Lost by ", one];
    if (choice.kind === "only") return ["Lost by ", one, " alone"];
    if (choice.kind === "both") return ["Lost by both ", one, " and ", thinice.severalParts.name(several, second - 1)];
    if (first === networks) return [networks === 1 ? "Lost by the checkpoint" : "Lost by all " + networks + " checkpoints"];
    return ["Lost by at least " + (first === 1 ? "one checkpoint" : first + " checkpoints")];
  }

  /**
   * The network whose pair with the dense one shows a sample: the first of the choice that loses it.
   * @param {LossChoice} choice
   * @param {number} mask
   * @param {SeveralState} several
   */
  function shownBy(choice, mask, several) {
    const wanted = choice.kind === "least" ? several.networks.map((_, number) => number + 1) : choice.numbers;
    const number = wanted.find((one) => mask & (1 << (one - 1))) || 1;
    return several.networks[number - 1]?.evaluation || "";
  }

  /**
   * @param {ShownSeveral} shown
   * @param {number} place
   */
  function tile(shown, place) {
    const { several, columns, cut, choice, masks } = shown, [first] = columns;
    if (!first) return tree("span", {});
    const index = String(first.index[place]), label = several.classes[Number(first.label[place])] ?? "class " + first.label[place];
    const mask = Number(masks[place]), margin = Number(first.dense.margin[place]);
    const losing = several.networks.filter((_, number) => mask & (1 << number));
    const glyphs = losing.map(({ kind, glyph, evaluation }) => tree("span", { key: evaluation, class: "method-glyph " + kind, "aria-hidden": "true" }, glyph));
    const isThin = thinice.ice.isThin(margin, cut.delta / several.scale);
    const query = { ...cut.query, dense: cut.dense, pruned: shownBy(choice, mask, several), index, set: "S10" };
    const src = "/api/v1/datasets/" + several.dataset + "/samples/" + index + ".png";
    const parts = tree("div", { class: isThin ? "is-thin" : null },
      tree("img", { src, alt: label + ", sample " + index, class: "pixels", loading: "lazy" }),
      tree("span", { class: "tile-labels" }, tree("strong", {}, label)),
      tree("span", { class: "tile-foot" }, tree("span", { class: "tile-margin" }, thinice.distances.words(Number.isFinite(margin) ? margin * several.scale : null, several)), "#" + index),
      tree("span", { class: "tile-glyphs" }, ...glyphs, tree("span", { class: "hidden-label" }, "lost by " + losing.map(({ name }) => name).join(", "))));
    return tree("a", { key: index, href: thinice.severalTable.address("/sample", query), "data-visit": "", class: "tile", title: "Lost by " + losing.map(({ name }) => name).join(", ") }, parts);
  }

  /**
   * How many of the chosen samples lie on thin ice. A sample that the dense network holds at ε has a margin above ε, so
   * at a smaller threshold there is nothing to say.
   * @param {ShownSeveral} shown
   * @param {number[]} places
   */
  function thinWords({ columns, cut, several }, places) {
    const margins = columns[0]?.dense.margin || [], delta = cut.delta / several.scale;
    if (cut.view === "robust" && delta <= cut.eps) return "";
    const thin = places.filter((place) => thinice.ice.isThin(Number(margins[place]), delta)).length;
    const share = places.length ? thinice.severalParts.percent(thinice.outcomes.wilson(thin, places.length)) : "";
    return thinice.numbers.count(thin) + " of " + thinice.numbers.count(places.length) + " lie on thin ice, with a dense margin up to " +
      thinice.distances.asText(cut.delta, several) + (share ? " (" + share + ")." : ".");
  }

  /**
   * The chosen samples, thinnest ice first, and the way to Samples.
   * @param {ShownSeveral} shown
   * @param {boolean} isOpen
   */
  function wall(shown, isOpen) {
    const { columns, masks, choice } = shown, [first] = columns;
    const places = first ? thinice.severalLosses.choose(first, masks, choice) : [];
    const note = tree("span", { class: "card-note" }, "▼ " + thinice.numbers.count(places.length) + " " + thinice.severalParts.at(shown) + ", thinnest ice first");
    const link = places.length ? [tree("a", { class: "button", "data-visit": "", href: samplesAddress(shown, places) }, "Open in Samples")] : [];
    const heading = tree("div", { class: "card-head" }, tree("h2", {}, ...words(shown), note), tree("div", { class: "card-tools" }, ...link));
    if (!places.length) return [heading, tree("p", { class: "muted" }, "No sample is lost like this. Choose another cell or number.")];
    const tiles = places.slice(0, isOpen ? MOST : SHOWN).map((place) => tile(shown, place));
    const thin = thinWords(shown, places);
    const parts = [heading, ...(thin ? [tree("p", { class: "footnote" }, thin)] : []), tree("div", { class: "wall" }, ...tiles.slice(0, SHOWN))];
    const more = Math.min(places.length, MOST) - SHOWN;
    if (more <= 0) return parts;
    const all = places.length > MOST ? " (Samples lists all " + thinice.numbers.count(places.length) + ")" : "";
    return [...parts, tree("details", { class: "more" }, tree("summary", {}, "Show " + more + " more" + all), tree("div", { class: "wall" }, ...tiles.slice(SHOWN)))];
  }

  /**
   * Samples with this selection: the lost ones of a pair, and which of them where it is not all of them.
   * @param {ShownSeveral} shown
   * @param {number[]} places
   */
  function samplesAddress({ several, columns, cut, choice, masks }, places) {
    const [first] = columns, own = shownBy(choice, Number(masks[places[0] || 0]), several);
    /** @type {Record<string, string>} */
    const query = { ...cut.query, dense: cut.dense, pruned: own };
    if (choice.kind === "by") query["set"] = "S10";
    else query["pick"] = thinice.selection.writeRows(places.map((place) => Number(first?.index[place])));
    return thinice.severalTable.address("/samples", query);
  }

  /** @type {ThinIce["severalWall"]} */
  const severalWall = { wall, words, samplesAddress };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { severalWall });
})();
