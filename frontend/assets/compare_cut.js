// Compare cut in the browser: the columns of a pair come once, then every step of a slider, view, class and set is
// counted and drawn here, part by part, so that no part keeps the page from answering.
(function () {
  const ids = thinice.ids.compare;
  const FOLLOWING = [ids.PREDICTIVE, ids.CONTROLS, ids.NOTES]; // what the server computes, after a pause
  const AT_ONCE = 8; // milliseconds of drawing after which input and painting come first
  const CHARTS = [ids.SCATTER, ids.SHARE, ids.HISTOGRAM, ids.CURVE];

  /** @type {{ pair: ComparedPair, columns: Columns, clean: Uint8Array, counted: Summary } | null} */
  let loaded = null;
  /** @type {Shown | null} */
  let now = null;
  /** @type {Summary | null} */
  let robust = null;
  let asked = "";

  /**
   * Each part of the page with what decides how it looks; drawn one by one, the most important first.
   * @type {{ name: string, key: (cut: Cut) => string, draw: (shown: Shown) => void }[]}
   */
  const parts = [
    { name: "numbers", key: (cut) => [cut.epsText, cut.view, cut.set].join(), draw: drawNumbers },
    { name: "guides", key: (cut) => [cut.epsText, cut.delta].join(), draw: drawGuides },
    { name: "scope", key: (cut) => [cut.epsText, cut.view, cut.label].join(), draw: drawScope },
    { name: "thin", key: (cut) => String(cut.delta), draw: drawThin },
    { name: "curve", key: (cut) => cut.epsText, draw: (shown) => robust && thinice.comparePictures.drawCurve(shown, robust) },
    { name: "marks", key: chosen, draw: (shown) => thinice.compareMarks.draw(shown) },
    { name: "wall", key: (cut) => JSON.stringify(cut.query) + chosen(cut), draw: drawWall },
    { name: "bars", key: chosen, draw: (shown) => thinice.comparePictures.drawHistogram(shown) },
    { name: "tables", key: chosen, draw: drawTables },
    { name: "downloads", key: (cut) => [cut.query["eps"], cut.view, cut.set, cut.label].join(), draw: drawDownloads },
    { name: "rows", key: chosen, draw: drawRows },
  ];
  /** @type {Record<string, string>} */
  const drawn = {};

  /**
   * What decides which samples are in which set, and which of them are shown. Clean sets know no eps.
   * @param {Cut} cut
   */
  function chosen(cut) {
    const hasEps = cut.view === "robust" || (now && (!now.pair.has_margins || Object.keys(now.pair.bounds).length > 0));
    return [cut.view, cut.set, cut.label, hasEps ? cut.epsText : ""].join();
  }

  let isWaiting = false;
  function drawNext() {
    isWaiting = false;
    const end = performance.now() + AT_ONCE;
    do {
      if (!now || !document.getElementById(ids.PAGE)) return;
      const { cut } = now, part = parts.find(({ name, key }) => drawn[name] !== key(cut));
      if (!part) return;
      drawn[part.name] = part.key(cut);
      part.draw(now);
    } while (performance.now() < end);
    drawSoon();
  }

  // A message comes after input and painting, and without the 4 ms that chained timers wait.
  const channel = new MessageChannel();
  channel.port1.onmessage = drawNext;
  function drawSoon() {
    if (isWaiting) return;
    isWaiting = true;
    channel.port2.postMessage(null);
  }

  /**
   * Get the columns of a pair, once; then what was cut last is drawn.
   * @param {ComparedPair} pair
   */
  async function load(pair) {
    const query = new URLSearchParams({ dense: pair.dense, pruned: pair.pruned, version: pair.version });
    const address = "/api/v1/comparisons/columns?" + query;
    if (asked === address && loaded) {
      loaded = { ...loaded, pair };
      return;
    }
    asked = address;
    loaded = now = null;
    const response = await fetch(address, { credentials: "same-origin" });
    if (!response.ok || asked !== address) return;
    const columns = thinice.outcomes.decode(await response.json());
    const counted = thinice.outcomes.summarise(columns, null);
    loaded = { pair, columns, clean: thinice.outcomes.sets(columns, null), counted };
    if (wanted) cutAt(wanted);
  }

  /** @type {Cut | null} */
  let wanted = null;

  /**
   * Show the page at a cut.
   * @param {Cut} cut
   */
  function cutAt(cut) {
    wanted = cut;
    const page = document.getElementById(ids.PAGE);
    if (page !== shownPage) forget();
    shownPage = page;
    if (!loaded || loaded.pair.dense !== cut.dense || loaded.pair.pruned !== cut.pruned) return;
    const { pair, columns, clean } = loaded;
    const isSame = now && now.columns === columns && now.cut.eps === cut.eps;
    const held = now && isSame ? now.robust : thinice.outcomes.sets(columns, cut.eps);
    if (!isSame) robust = thinice.outcomes.summarise(columns, cut.eps);
    now = { pair, columns, clean, robust: held, sets: cut.view === "clean" ? clean : held, cut };
    drawNext();
  }

  /** @type {Element | null} */
  let shownPage = null;

  /** The page was built anew, so nothing is drawn yet. */
  function forget() {
    for (const name of Object.keys(drawn)) delete drawn[name];
    thinice.compareMarks.forget();
    followed = "";
  }

  /** @param {Shown} shown */
  function drawNumbers({ cut }) {
    if (!loaded || !robust) return;
    thinice.plain.drawInto(ids.NUMBERS, thinice.compareNumbers.cards(loaded.counted, robust, cut));
    markUpdating(cut);
  }

  /** @param {Shown} shown */
  function drawScope({ cut }) {
    if (robust) thinice.plain.drawInto(ids.SCOPE, thinice.compareNumbers.scope(robust, cut));
  }

  /** @param {Shown} shown */
  function drawGuides({ pair, cut }) {
    for (const id of CHARTS) {
      const plot = thinice.charts.find(id);
      if (plot) thinice.charts.moveGuides(plot, cut.eps * pair.scale, cut.epsText, cut.delta);
    }
  }

  /** @param {Shown} shown */
  function drawThin({ columns, pair, cut }) {
    thinice.plain.drawInto(ids.THIN, [thinice.ice.sentence(columns, cut.delta, pair)]);
  }

  /** @param {Shown} shown */
  function drawWall(shown) {
    const more = document.querySelector(`#${ids.WALL} > details`);
    thinice.plain.drawInto(ids.WALL, thinice.compareLists.wall(shown, more !== null && more.hasAttribute("open")));
  }

  /** @param {Shown} shown */
  function drawDownloads(shown) {
    thinice.plain.drawInto(ids.DOWNLOADS, thinice.compareRows.downloads(shown));
  }

  /** @param {Shown} shown */
  function drawTables(shown) {
    /** @type {[string, () => Tree[]][]} */
    const tables = [
      [ids.SCATTER_TABLE, () => thinice.compareRows.scatterTable(shown)],
      [ids.HISTOGRAM_TABLE, () => thinice.compareRows.histogramTable(shown)],
    ];
    for (const [id, make] of tables) {
      const isOpen = document.getElementById(id)?.closest("details")?.hasAttribute("open");
      if (isOpen && (shown.pair.has_margins || id === ids.SCATTER_TABLE)) thinice.plain.drawInto(id, make());
    }
  }

  /** @param {Shown} shown */
  function drawRows(shown) {
    const rows = thinice.compareRows.rows(shown);
    const grids = window.dash_ag_grid;
    if (!grids) return;
    grids.getApiAsync(ids.TABLE).then((grid) => {
      if (now === shown) grid.setGridOption("rowData", rows);
      else delete drawn["rows"];
    });
  }

  // What is folded is not drawn until it is opened.
  document.addEventListener("toggle", (event) => {
    if (!now || !(event.target instanceof Element) || !event.target.closest("#" + ids.PAGE)) return;
    if (event.target.matches(".more")) drawWall(now);
    else drawTables(now);
    for (const [id, table] of Object.entries(tables)) {
      if (event.target.querySelector("#" + id)) thinice.plain.drawInto(id, table);
    }
  }, true);

  let followed = "";
  /**
   * What still speaks of another eps says so. The AUROC needs no resampling, so its new value stands there at once.
   * @param {Cut} cut
   */
  function markUpdating(cut) {
    const isBusy = cut.epsText !== followed;
    for (const id of FOLLOWING) {
      const holder = document.getElementById(id);
      if (!holder) continue;
      holder.setAttribute("aria-busy", String(isBusy));
      if (!isBusy) holder.removeAttribute("data-updating");
      else holder.setAttribute("data-updating", "Updating to ε " + cut.epsText + " …" + (id === ids.PREDICTIVE ? rankWords(cut) : ""));
    }
  }

  /** @param {Cut} cut */
  function rankWords(cut) {
    const value = loaded && thinice.outcomes.rankLost(loaded.columns, cut.eps);
    return value === null ? "" : " small dense margin, robust flips: AUROC " + thinice.numbers.fixed(value, 2);
  }

  /**
   * What the server says at an eps, once it has come.
   * @param {Followed | null} sent
   */
  function follow(sent) {
    if (!sent) return;
    followed = sent.eps_text;
    thinice.plain.drawInto(ids.HEADLINE, sent.headline);
    thinice.plain.drawInto(ids.PREDICTIVE, sent.predictive);
    thinice.plain.drawInto(ids.CONTROLS, sent.controls);
    thinice.plain.drawInto(ids.NOTES, sent.notes);
    if (now) markUpdating(now.cut);
  }

  /** @type {Record<string, (Tree | string)[]>} */
  let tables = {};
  /** @param {Record<string, (Tree | string)[]> | null} sent */
  function keepTables(sent) {
    tables = sent || {};
  }

  /** Plotly has drawn: what it drew is the pair, and the cut comes on top. */
  function afterDrawing() {
    thinice.compareMarks.forget();
    for (const name of ["guides", "curve", "marks", "bars"]) delete drawn[name];
    drawSoon();
  }

  /** Called when the server's figures have come; Plotly may need a moment. */
  function watch() {
    for (const id of CHARTS) thinice.charts.watch(id, afterDrawing);
  }

  /** @type {ThinIce["compareCut"]} */
  const compareCut = { load, cutAt, shown: () => now };
  window.thinice = Object.assign({}, window.thinice, { compareCut });
  window.dash_clientside = Object.assign({}, window.dash_clientside, { compareCut: { follow, keepTables, watch } });
})();
