// What the server says of a cut of Compare: sentences and tables with intervals that resample the samples. They follow
// after a pause, and say so until they have come.
(function () {
  const ids = thinice.ids.compare;
  const FOLLOWING = [ids.REST, ids.PREDICTIVE, ids.CONTROLS, ids.NOTES, ids.SHARE_NOTE, ids.CLASSES_NOTE];
  /** @type {Followed | null} */
  let last = null;

  /** @param {Cut} cut */
  const nameOf = (cut) => [cut.dense, cut.pruned, cut.view, cut.epsText].join();

  /**
   * What still speaks of another cut says so. The AUROC needs no resampling, so its new value stands there at once.
   * @param {Shown} shown
   */
  function mark(shown) {
    const { cut } = shown, isBusy = !last || nameOf(cut) !== [cut.dense, cut.pruned, last.view, last.eps_text].join();
    for (const id of FOLLOWING) {
      const holder = document.getElementById(id);
      if (!holder) continue;
      holder.setAttribute("aria-busy", String(isBusy));
      const words = "Updating to " + (cut.view === "robust" ? "robust flips at " : "") + "ε " + cut.epsText + " …";
      if (!isBusy) holder.removeAttribute("data-updating");
      else holder.setAttribute("data-updating", words + (id === ids.PREDICTIVE ? rankWords(shown) : ""));
    }
  }

  /** @param {Shown} shown */
  function rankWords({ columns, cut }) {
    const value = thinice.outcomes.rankLost(columns, cut.eps);
    return value === null ? "" : " small dense margin, robust flips: AUROC " + thinice.numbers.fixed(value, 2);
  }

  /** @param {Followed | null} sent */
  function follow(sent) {
    if (!sent) return;
    last = sent;
    draw();
  }

  /** What came last, into the places that are there. */
  function draw() {
    const shown = thinice.compareCut.shown();
    if (!last) return;
    if (shown) drawRest(shown);
    thinice.plain.drawInto(ids.PREDICTIVE, last.predictive);
    thinice.plain.drawInto(ids.CONTROLS, last.controls);
    thinice.plain.drawInto(ids.NOTES, last.notes);
    thinice.plain.drawInto(ids.SHARE_NOTE, [last.population]);
    thinice.plain.drawInto(ids.CLASSES_NOTE, [last.population + "; red where a class loses more than the rest (p < 0.05, corrected)"]);
    drawTables();
    if (shown) mark(shown);
  }

  /**
   * The sentences after the first one. Where that speaks of a part of the samples, they say that they do not.
   * @param {Shown} shown
   */
  function drawRest(shown) {
    if (last) thinice.plain.drawInto(ids.REST, [...thinice.compareSentences.whole(shown), ...last.rest]);
  }

  /** Numbers behind the pictures, where they are open. */
  function drawTables() {
    for (const [id, table] of Object.entries(last ? last.tables : {})) {
      const holder = document.getElementById(id);
      if (holder && holder.closest("details")?.hasAttribute("open")) thinice.plain.draw(holder, table);
    }
  }

  document.addEventListener("toggle", (event) => {
    if (event.target instanceof Element && event.target.matches(`#${ids.PAGE} .as-table`)) drawTables();
  }, true);

  function forget() {
    last = null;
  }

  /** @type {ThinIce["compareFollowing"]} */
  const compareFollowing = { mark, draw, drawRest, forget };
  window.thinice = Object.assign({}, window.thinice, { compareFollowing });
  window.dash_clientside = Object.assign({}, window.dash_clientside, { compareFollowing: { follow } });
})();
