// The table of several checkpoints at a cut: the dense one first, the others by a column that the reader chooses.
// Pure: tests call this in Node.
(function () {
  /**
   * @param {string} tag
   * @param {Record<string, string | null>} attributes
   * @param {(Tree | string)[]} children
   * @returns {Tree}
   */
  const tree = (tag, attributes, ...children) => ({ tag, attributes, children });

  /** @param {Summary} summary */
  const pruned = ({ counts }) => thinice.outcomes.wilson(counts.n11 + counts.n01, size(counts));

  /** @param {Summary} summary */
  const dense = ({ counts }) => thinice.outcomes.wilson(counts.n11 + counts.n10, size(counts));

  /** @param {Counts} counts */
  const size = (counts) => counts.n11 + counts.n10 + counts.n01 + counts.n00;

  /**
   * The columns after the name: a heading, what sorts them, and the cells of a pruned network by its number.
   * @type {{ key: string, heading: (shown: ShownSeveral) => string, value: (shown: ShownSeveral, number: number) => number, cell: (shown: ShownSeveral, number: number) => (Tree | string)[] }[]}
   */
  const COLUMNS = [
    {
      key: "clean", heading: () => "Clean (%)",
      value: (shown, number) => Number(pruned(clean(shown, number)).value),
      cell: (shown, number) => accuracy(pruned(clean(shown, number)), shown.several.networks[number]?.evaluation || ""),
    },
    {
      key: "robust", heading: ({ cut }) => "Robust at ε " + cut.epsText + " (%)",
      value: (shown, number) => Number(pruned(robust(shown, number)).value),
      cell: (shown, number) => accuracy(pruned(robust(shown, number)), shown.several.networks[number]?.evaluation || ""),
    },
    {
      key: "clean-lost", heading: () => "Clean lost / gained, lost (%)",
      value: (shown, number) => clean(shown, number).counts.n10,
      cell: (shown, number) => flips(shown, number, "clean", clean(shown, number)),
    },
    {
      key: "robust-lost", heading: () => "Lost / gained at ε, lost (%)",
      value: (shown, number) => robust(shown, number).counts.n10,
      cell: (shown, number) => flips(shown, number, "robust", robust(shown, number)),
    },
    {
      key: "p", heading: () => "As many lost as gained at ε?",
      value: (shown, number) => robust(shown, number).mcnemar_p,
      cell: (shown, number) => thinice.compareNumbers.pValue(robust(shown, number).mcnemar_p),
    },
    {
      key: "only", heading: ({ cut }) => "Lost by it alone" + (cut.view === "robust" ? " at ε" : ", clean"),
      value: ({ losses }, number) => Number(losses.only[number]),
      cell: alone,
    },
    {
      key: "missing", heading: () => "Not found",
      value: ({ several }, number) => Number(several.networks[number]?.not_found),
      cell: ({ several }, number) => [thinice.numbers.count(Number(several.networks[number]?.not_found))],
    },
  ];

  /**
   * @param {ShownSeveral} shown
   * @param {number} number
   */
  const clean = (shown, number) => /** @type {Summary} */ (shown.clean[number]);

  /**
   * @param {ShownSeveral} shown
   * @param {number} number
   */
  const robust = (shown, number) => /** @type {Summary} */ (shown.robust[number]);

  /**
   * @param {Share} share
   * @param {string} evaluation
   */
  function accuracy(share, evaluation) {
    const text = share.value === null ? "–" : thinice.numbers.fixed(100 * share.value, 2);
    const link = tree("a", { href: "/jobs?evaluation=" + evaluation, "data-visit": "", title: "n " + thinice.numbers.count(share.n) + ": its evaluation" }, text);
    return [link, tree("span", { class: "under" }, thinice.severalParts.ends(share))];
  }

  /**
   * Lost and gained samples, which lead to the pair on Compare.
   * @param {ShownSeveral} shown
   * @param {number} number
   * @param {string} view
   * @param {Summary} summary
   */
  function flips({ several, cut }, number, view, summary) {
    const query = { ...cut.query, dense: cut.dense, pruned: several.networks[number]?.evaluation || "", view: view === "clean" ? "" : view };
    const { counts, negative_flip_rate: rate } = summary;
    const text = thinice.numbers.count(counts.n10) + " / " + thinice.numbers.count(counts.n01);
    const title = "n " + thinice.numbers.count(rate.n) + ": the pair on Compare";
    return [tree("a", { href: address("/compare", query), "data-visit": "", title }, text), tree("span", { class: "under" }, thinice.severalParts.percent(rate))];
  }

  /**
   * A path with its query, as shell.js writes it.
   * @param {string} path
   * @param {Record<string, string>} query
   */
  function address(path, query) {
    const texts = Object.entries(query).filter(([, value]) => value).map(([key, value]) =>
      key + "=" + encodeURIComponent(value).replace(/%2F/g, "/").replace(/%2C/g, ","));
    return path + "?" + texts.join("&");
  }

  /**
   * @param {ShownSeveral} shown
   * @param {number} number
   */
  function alone(shown, number) {
    const found = thinice.numbers.count(Number(shown.losses.only[number]));
    const title = "Show the " + found + " samples that only " + (shown.several.networks[number]?.name || "") + " loses";
    return [thinice.severalParts.chooser(shown, { kind: "only", numbers: [number + 1] }, title, "cell-link", found)];
  }

  /**
   * The numbers of the networks in the order of the sort; as chosen without one.
   * @param {ShownSeveral} shown
   * @param {SeveralSort} sort
   */
  function order(shown, sort) {
    const column = COLUMNS.find(({ key }) => key === sort.key);
    const numbers = shown.several.networks.map((_, number) => number);
    if (sort.key === "name") {
      numbers.sort((a, b) => String(shown.several.networks[a]?.name).localeCompare(String(shown.several.networks[b]?.name)));
    } else if (column) numbers.sort((a, b) => column.value(shown, a) - column.value(shown, b));
    return sort.isDown ? numbers.reverse() : numbers;
  }

  /**
   * @param {string} key
   * @param {string} heading
   * @param {SeveralSort} sort
   */
  function headingCell(key, heading, sort) {
    const isSorted = sort.key === key, arrow = isSorted ? (sort.isDown ? " ↓" : " ↑") : "";
    const direction = isSorted ? (sort.isDown ? "descending" : "ascending") : "none";
    const attributes = { scope: "col", key, class: key === "name" ? "" : "number-cell", "aria-sort": direction };
    return tree("th", attributes, tree("button", { class: "sort-heading", "data-sort": key }, heading + arrow));
  }

  /** @param {string[]} codes */
  const flags = (codes) => codes.map((code) => tree("span", { class: "flag", key: code },
    tree("span", { class: "icon icon-warning", "aria-hidden": "true" }), code));

  /**
   * @param {ShownSeveral} shown
   * @param {number} number
   */
  function row(shown, number) {
    const { several } = shown, network = several.networks[number];
    const label = tree("th", { scope: "row", key: "name" }, tree("span", {}, thinice.severalParts.name(several, number),
      tree("span", { class: "under" }, network?.words || ""), ...flags(network?.flags || [])));
    const cells = COLUMNS.map((column) => tree("td", { key: column.key, class: "number-cell", "data-label": column.heading(shown) }, tree("span", {}, ...column.cell(shown, number))));
    return tree("tr", { key: network?.evaluation || "" }, label, ...cells);
  }

  /** @param {ShownSeveral} shown */
  function denseRow(shown) {
    const { several } = shown, { evaluation, name, words, not_found: missing, flags: codes } = several.dense_network;
    const shares = [clean(shown, 0), robust(shown, 0)].map(dense);
    const label = tree("th", { scope: "row", key: "name" }, tree("span", {},
      tree("span", { class: "several-name" }, tree("span", { class: "dot dot-dense", "aria-hidden": "true" }), " " + name),
      tree("span", { class: "under" }, words), ...flags(codes)));
    const cells = COLUMNS.map((column, place) => {
      const share = shares[place], content = share ? accuracy(share, evaluation) : column.key === "missing" ? [thinice.numbers.count(missing)] : [];
      return tree("td", { key: column.key, class: "number-cell", "data-label": column.heading(shown) }, ...(content.length ? [tree("span", {}, ...content)] : []));
    });
    return tree("tr", { key: "dense", class: "dense-row" }, label, ...cells);
  }

  /**
   * @param {ShownSeveral} shown
   * @param {SeveralSort} sort
   */
  function table(shown, sort) {
    const head = tree("tr", {}, headingCell("name", "Checkpoint", sort), ...COLUMNS.map(({ key, heading }) => headingCell(key, heading(shown), sort)));
    const body = [denseRow(shown), ...order(shown, sort).map((number) => row(shown, number))];
    const caption = tree("caption", { class: "hidden-label" }, "The checkpoints in numbers, n " + thinice.numbers.count(shown.losses.n));
    const made = tree("table", { class: "table row-table several-table" }, caption, tree("thead", {}, head), tree("tbody", {}, ...body));
    return [tree("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": "The checkpoints in numbers" }, made)];
  }

  /** @type {ThinIce["severalTable"]} */
  const severalTable = { address, order, table };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { severalTable });
})();
