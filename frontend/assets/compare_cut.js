// Compare cut in the browser: the columns of a pair come once, then every step of a slider, view, class, set and
// selection is counted and drawn here, part by part (drawing.js). What resamples follows from the server.
(function () {
  const ids = thinice.ids.compare;
  const CHARTS = [ids.SCATTER, ids.SHARE, ids.HISTOGRAM, ids.CURVE];
  /** The part that is drawn on top of a chart. @type {Record<string, string>} */
  const OF_CHARTS = { [ids.SCATTER]: "marks", [ids.HISTOGRAM]: "bars", [ids.CURVE]: "curve" };

  /** @type {HeldPair | null} */
  let held = null;
  /** @type {Shown | null} */
  let now = null;
  /** @type {Cut | null} */
  let wanted = null;
  /** @type {Summaries | null} */
  let counted = null;
  /** @type {Element | null} */
  let shownPage = null;

  /** @param {Shown} shown */
  const covered = ({ cut }) => [cut.epsText, cut.label, cut.query["pick"], cut.isThin && cut.delta].join();

  /**
   * What decides which samples are in which set, and which of them are shown. Clean sets know no eps.
   * @param {Shown} shown
   */
  function chosen({ cut, pair }) {
    const hasEps = cut.view === "robust" || !pair.has_margins || Object.keys(pair.bounds).length > 0;
    return [cut.view, cut.set, cut.label, cut.query["pick"], cut.isThin && cut.delta, hasEps ? cut.epsText : ""].join();
  }

  /** Each part of the page with what decides how it looks, the most important first. @type {Part[]} */
  const parts = [
    { name: "counts", key: covered, draw: count },
    { name: "numbers", key: (shown) => covered(shown) + shown.cut.view + shown.cut.set, draw: drawNumbers },
    { name: "headline", key: (shown) => covered(shown) + shown.cut.view, draw: drawHeadline },
    { name: "chips", key: (shown) => JSON.stringify(shown.cut.query) + shown.cut.epsText, draw: drawChips },
    { name: "guides", key: ({ cut }) => [cut.epsText, cut.delta].join(), draw: drawGuides },
    { name: "thin", key: ({ cut }) => [cut.delta, cut.view, thinice.sampleLists.isFiltered(cut)].join(), draw: drawThin },
    { name: "curve", key: ({ cut }) => cut.epsText, draw: (shown) => thinice.comparePictures.drawCurve(shown) },
    { name: "marks", key: chosen, draw: (shown) => thinice.compareMarks.draw(shown) },
    { name: "wall", key: (shown) => JSON.stringify(shown.cut.query) + shown.cut.epsText + shown.cut.delta, draw: drawWall },
    { name: "bars", key: chosen, draw: (shown) => thinice.comparePictures.drawHistogram(shown) },
    { name: "tables", key: chosen, draw: drawTables },
    { name: "downloads", key: (shown) => chosen(shown) + shown.cut.query["eps"], draw: drawDownloads },
    { name: "rows", key: (shown) => chosen(shown) + shown.cut.sort, draw: drawRows },
  ];
  /** @type {Drawing | null} */
  let drawing = null;
  const drawn = () => (drawing = drawing || thinice.drawing.make(parts, () => (document.getElementById(ids.PAGE) ? now : null)));

  /**
   * Show the page at a cut, once the columns of the pair have come.
   * @param {Cut} cut
   * @param {ComparedPair} pair
   */
  async function cutAt(cut, pair) {
    wanted = cut;
    const page = document.getElementById(ids.PAGE);
    if (page !== shownPage) forget();
    shownPage = page;
    if (held && held.pair.dense === pair.dense && held.pair.pruned === pair.pruned && held.pair.version === pair.version) {
      held = { ...held, pair };
    } else {
      const found = await thinice.pairColumns.load(pair);
      if (!found || !wanted || wanted.dense !== pair.dense || wanted.pruned !== pair.pruned) return;
      held = found;
    }
    now = thinice.sampleLists.shownAt(held, wanted, now);
    drawn().drawNext();
    thinice.compareFollowing.mark(now);
  }

  /** The page was built anew, so nothing is drawn yet. */
  function forget() {
    drawn().forget();
    thinice.compareMarks.forget();
    thinice.compareFollowing.forget();
  }

  /** @param {Shown} shown */
  function count({ columns, clean, robust, mask, cut }) {
    const own = thinice.sampleLists.isFiltered(cut) ? mask : null;
    const [first, second] = [clean, robust].map((sets) => thinice.outcomes.summariseSets(columns, sets, own));
    if (first && second) counted = { clean: first, robust: second };
  }

  /** @param {Shown} shown */
  function drawNumbers(shown) {
    if (!counted) return;
    thinice.plain.drawInto(ids.NUMBERS, thinice.compareNumbers.cards(counted.clean, counted.robust, shown));
  }

  /** @param {Shown} shown */
  function drawHeadline(shown) {
    if (!counted) return;
    thinice.plain.drawInto(ids.HEADLINE, thinice.compareSentences.flips(counted, shown));
    thinice.plain.drawInto(ids.SCOPE, thinice.compareSentences.scope(counted, shown));
    thinice.compareFollowing.drawRest(shown);
  }

  /** @param {Shown} shown */
  function drawChips(shown) {
    const chips = thinice.compareSentences.chips(shown), holder = document.getElementById(ids.CHIPS);
    if (!holder) return;
    holder.hidden = chips.length === 0;
    thinice.plain.draw(holder, chips);
  }

  /** @param {Shown} shown */
  function drawGuides(shown) {
    for (const id of CHARTS) moveGuides(id, shown);
  }

  /**
   * @param {string} id
   * @param {Shown} shown
   */
  function moveGuides(id, { pair, cut }) {
    const plot = thinice.charts.find(id);
    if (plot) thinice.charts.moveGuides(plot, cut.eps * pair.scale, cut.epsText, cut.delta);
  }

  /** @param {Shown} shown */
  function drawThin({ columns, pair, cut }) {
    const isApart = pair.has_margins && (cut.view === "robust" || thinice.sampleLists.isFiltered(cut));
    const words = (isApart ? "Clean flips, all samples: " : "") + thinice.ice.sentence(columns, cut.delta, pair);
    thinice.plain.drawInto(ids.THIN, [words]);
  }

  /** @param {Shown} shown */
  function drawWall(shown) {
    const name = shown.cut.set || "S10", places = thinice.sampleLists.order(shown, name);
    thinice.plain.drawInto(ids.WALL_HEAD, thinice.compareRows.wallHead(shown, name, places.length));
    const label = thinice.numbers.count(places.length) + " " + thinice.compareNumbers.WORDS[name] + " samples";
    thinice.wall.show(ids.WALL, { places, label, rows: 2, narrowest: 96, tile: (place) => thinice.sampleTiles.tile(shown, place) });
  }

  /** @param {Shown} shown */
  function drawDownloads(shown) {
    thinice.plain.drawInto(ids.DOWNLOADS, thinice.compareRows.downloads(shown, thinice.saving.fileName("samples")));
  }

  /** @param {Shown} shown */
  function drawTables(shown) {
    /** @type {[string, () => Tree[]][]} */
    const tables = [
      [ids.SCATTER_TABLE, () => thinice.compareTables.scatterTable(shown)],
      [ids.HISTOGRAM_TABLE, () => thinice.compareTables.histogramTable(shown)],
    ];
    for (const [id, make] of tables) {
      const isOpen = document.getElementById(id)?.closest("details")?.hasAttribute("open");
      if (isOpen && (shown.pair.has_margins || id === ids.SCATTER_TABLE)) thinice.plain.drawInto(id, make());
    }
  }

  /** @param {Shown} shown */
  function drawRows(shown) {
    const grids = window.dash_ag_grid;
    if (!grids || !document.getElementById(ids.DOWNLOADS)) return; // next to the table, which comes later still
    const rows = thinice.compareRows.rows(shown);
    grids.getApiAsync(ids.TABLE).then((grid) => {
      if (now === shown) grid.setGridOption("rowData", rows);
      else drawn().forget(["rows"]);
    });
  }

  // What is folded is not drawn until it is opened.
  document.addEventListener("toggle", (event) => {
    if (now && event.target instanceof Element && event.target.matches(`#${ids.PAGE} .as-table`)) drawTables(now);
  }, true);

  /**
   * Plotly has drawn a chart: what it drew is the pair, and the cut comes on top.
   * @param {string} id
   */
  function afterDrawing(id) {
    const plot = thinice.charts.find(id), part = OF_CHARTS[id];
    if (!now || !plot) return;
    if (id === ids.SCATTER) {
      if (thinice.compareGutters.extend(plot, now.pair)) return;
      thinice.compareMarks.forget();
    }
    moveGuides(id, now);
    if (part) drawn().forget([part]);
    drawn().drawSoon();
  }

  /** Called when a figure of the server's has come; Plotly may need a moment. */
  function watch() {
    for (const id of [...CHARTS, ids.CLASSES]) thinice.charts.watch(id, () => afterDrawing(id), thinice.compareSelecting.press);
    thinice.compareSelecting.showMode();
  }

  /** A section was opened, and its parts have come. */
  function filled() {
    drawn().forget(["guides", "curve", "bars", "tables", "rows", "downloads"]);
    drawn().drawSoon();
    thinice.compareFollowing.draw();
  }

  /** @type {ThinIce["compareCut"]} */
  const compareCut = { cutAt, shown: () => now };
  window.thinice = Object.assign({}, window.thinice, { compareCut });
  window.dash_clientside = Object.assign({}, window.dash_clientside, { compareCut: { watch, filled } });
})();
