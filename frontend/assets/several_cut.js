// Several checkpoints cut in the browser: their columns come once, then every step of a slider, view and choice is
// counted and drawn here, part by part, the sentence and the numbers first.
(function () {
  const ids = thinice.ids.several;
  const REST = 150; // milliseconds without a move before Plotly draws marks anew
  const GUIDED = [ids.CURVE, ids.HISTOGRAM];
  const MARKED = [ids.STANDING, ids.LOST_LEVELS, ids.ROBUST_LEVELS];

  /** @type {{ several: SeveralState, columns: Columns[], clean: Summary[], held: number } | null} */
  let loaded = null;
  /** @type {ShownSeveral | null} */
  let now = null;
  /** @type {{ cut: SeveralCut, lost: string | null } | null} */
  let wanted = null;
  /** @type {SeveralSort} */
  let sort = { key: "", isDown: false };
  let asked = "";
  /** @type {Element | null} */
  let shownPage = null;

  /** @param {ShownSeveral} shown */
  const cutKey = ({ cut }) => [cut.epsText, cut.view].join();

  /** @param {ShownSeveral} shown */
  const choiceKey = (shown) => cutKey(shown) + thinice.severalLosses.writeChoice(shown.choice);

  /** @param {ShownSeveral} shown */
  const queryKey = (shown) => cutKey(shown) + JSON.stringify(shown.cut.query);

  /**
   * Each part of the page with what decides how it looks; drawn one by one.
   * @type {Part<ShownSeveral>[]}
   */
  const parts = [
    { name: "sentence", key: cutKey, draw: (shown) => thinice.plain.drawInto(ids.SENTENCE, thinice.severalParts.sentence(shown)) },
    { name: "guides", key: ({ cut }) => [cut.epsText, cut.delta].join(), draw: drawGuides },
    { name: "table", key: (shown) => queryKey(shown) + choiceKey(shown) + JSON.stringify(sort), draw: drawTable },
    { name: "matrix", key: choiceKey, draw: (shown) => thinice.plain.drawInto(ids.MATRIX, thinice.severalParts.matrix(shown)) },
    { name: "counts", key: choiceKey, draw: (shown) => thinice.plain.drawInto(ids.COUNTS, thinice.severalParts.counts(shown)) },
    { name: "wall", key: (shown) => queryKey(shown) + choiceKey(shown), draw: drawWall },
    { name: "marks", key: ({ cut }) => cut.epsText, draw: drawMarksLater },
  ];
  const drawing = thinice.drawing.make(parts, () => (document.getElementById(ids.PAGE) ? now : null));

  /**
   * Get the columns, once; then what was cut last is drawn.
   * @param {SeveralState} several
   */
  async function load(several) {
    const query = new URLSearchParams({ dense: several.dense, version: several.version });
    for (const pruned of several.pruned_list) query.append("pruned", pruned);
    const address = "/api/v1/comparisons/several/columns?" + query;
    if (asked === address && loaded) {
      loaded = { ...loaded, several };
      return;
    }
    asked = address;
    loaded = now = null;
    const response = await fetch(address, { credentials: "same-origin" });
    if (!response.ok || asked !== address) return;
    const columns = thinice.severalLosses.decode(await response.json());
    const clean = columns.map((one) => thinice.outcomes.summarise(one, null));
    loaded = { several, columns, clean, held: heldOf(clean) };
    if (wanted) cutAt(wanted.cut, wanted.lost);
  }

  /** @param {Summary[]} summaries */
  const heldOf = ([first]) => (first ? first.counts.n11 + first.counts.n10 : 0);

  /**
   * Show the page at a cut, with the losses that the address chooses.
   * @param {SeveralCut} cut
   * @param {string | null} lost
   */
  function cutAt(cut, lost) {
    wanted = { cut, lost };
    const page = document.getElementById(ids.PAGE);
    if (page !== shownPage) forget();
    shownPage = page;
    if (!loaded || loaded.several.dense !== cut.dense) return;
    const { several, columns, clean } = loaded, networks = columns.length;
    const isSame = now !== null && now.columns === columns && now.cut.eps === cut.eps;
    const robust = now && isSame ? now.robust : columns.map((one) => thinice.outcomes.summarise(one, cut.eps));
    const isRobust = cut.view === "robust";
    const masks = now && isSame && now.cut.view === cut.view ? now.masks : thinice.severalLosses.masks(columns, isRobust ? cut.eps : null);
    const losses = thinice.severalLosses.tally(masks, networks, isRobust ? heldOf(robust) : loaded.held);
    now = { several, columns, cut, choice: thinice.severalLosses.readChoice(lost, networks), clean, robust, masks, losses };
    drawing.drawNext();
  }

  /** The page was built anew, so nothing is drawn yet. */
  function forget() {
    drawing.forget();
    sort = { key: "", isDown: false };
  }

  /** @param {ShownSeveral} shown */
  function drawGuides({ several, cut }) {
    for (const id of GUIDED) {
      const plot = thinice.charts.find(id);
      if (plot) thinice.charts.moveGuides(plot, cut.eps * several.scale, cut.epsText, cut.delta);
    }
  }

  /** @param {ShownSeveral} shown */
  function drawTable(shown) {
    thinice.plain.drawInto(ids.TABLE, thinice.severalTable.table(shown, sort));
  }

  /** @param {ShownSeveral} shown */
  function drawWall(shown) {
    const more = document.querySelector(`#${ids.WALL} > details`);
    thinice.plain.drawInto(ids.WALL, thinice.severalWall.wall(shown, more !== null && more.hasAttribute("open")));
  }

  /** @type {number | undefined} */
  let resting;
  function drawMarksLater() {
    window.clearTimeout(resting);
    resting = window.setTimeout(() => MARKED.forEach((id) => window.setTimeout(drawMarks, 0, id)), REST);
  }

  /**
   * Marks whose shares the cut changes; their number among the checkpoints stands in the figure.
   * @param {string} id
   */
  function drawMarks(id) {
    const plot = thinice.charts.find(id);
    if (!plot || !now || !window.Plotly || !plot.data.length) return;
    const shown = now, shares = (/** @type {Trace} */ trace) => (trace.customdata || []).map((number) => share(shown, id, number));
    if (plot.data.every((trace) => shares(trace).every((one, place) => Math.abs(100 * Number(one.value) - Number(trace.y[place])) < 1e-9))) return;
    const data = plot.data.map((trace) => {
      const found = shares(trace), y = found.map((one) => 100 * Number(one.value));
      const array = found.map((one) => 100 * (Number(one.high) - Number(one.value)));
      const arrayminus = found.map((one) => 100 * (Number(one.value) - Number(one.low)));
      return { ...trace, y, error_y: { ...trace.error_y, array, arrayminus } };
    });
    window.Plotly.react(plot, data, plot.layout || {});
  }

  /**
   * @param {ShownSeveral} shown
   * @param {string} id
   * @param {number} number -1 for the dense one
   */
  function share({ robust }, id, number) {
    const summary = robust[Math.max(0, number)];
    if (!summary) return thinice.outcomes.wilson(0, 0);
    if (id === ids.LOST_LEVELS) return summary.negative_flip_rate;
    const { n11, n10, n01, n00 } = summary.counts;
    return thinice.outcomes.wilson(n11 + (number < 0 ? n10 : n01), n11 + n10 + n01 + n00);
  }

  /** @type {Record<string, (Tree | string)[]>} */
  let tables = {};

  /**
   * The server's figures have come: what Plotly drew is one cut, and the page's comes on top. Their tables wait until
   * they are opened.
   * @param {Record<string, (Tree | string)[]> | null} sent
   */
  function keep(sent) {
    tables = sent || {};
    for (const id of GUIDED) thinice.charts.watch(id, () => again("guides"));
    for (const id of MARKED) thinice.charts.watch(id, () => again("marks"));
  }

  /** @param {string} name */
  function again(name) {
    drawing.forget([name]);
    drawing.drawSoon();
  }

  document.addEventListener("toggle", (event) => {
    if (!now || !(event.target instanceof Element) || !event.target.closest("#" + ids.PAGE)) return;
    if (event.target.matches(".more")) drawWall(now);
    for (const [id, table] of Object.entries(tables)) {
      if (event.target.querySelector("#" + id)) thinice.plain.drawInto(id, table);
    }
  }, true);

  document.addEventListener("click", (event) => {
    const heading = thinice.elements.closest(event, `#${ids.TABLE} [data-sort]`);
    if (!heading) return;
    const key = thinice.elements.data(heading, "sort");
    if (sort.key !== key) sort = { key, isDown: false };
    else sort = sort.isDown ? { key: "", isDown: false } : { key, isDown: true };
    drawing.drawSoon();
  });

  /** @type {ThinIce["severalCut"]} */
  const severalCut = { load, cutAt, shown: () => now };
  window.thinice = Object.assign({}, window.thinice, { severalCut });
  window.dash_clientside = Object.assign({}, window.dash_clientside, { severalCut: { keep } });
})();
