// Compare in the browser: the address as state, the sliders' echo, the threshold of thin ice, and what a click opens.
(function () {
  const ids = thinice.ids.compare;
  const CHARTS = [ids.SCATTER, ids.SHARE, ids.HISTOGRAM, ids.CURVE];
  const PAUSE = 150; // milliseconds after the last move before the address follows
  const SAME_MOVE = 1500; // milliseconds within which the next change belongs to the same move

  const isHere = () => window.location.pathname === "/compare";

  /**
   * What the address holds of a slider: nothing where it stands at the pair's own value.
   * @param {number} value
   * @param {number} own
   * @param {Pair} pair
   */
  function changed(value, own, pair) {
    return thinice.distances.isNear(value, own) ? null : thinice.distances.asText(value, pair);
  }

  // One move of a slider, however many steps it takes, is one entry in the history.
  /** @type {Record<string, number>} */
  const waiting = {};
  /** @type {Record<string, number>} */
  const written = {};
  /**
   * @param {string} key
   * @param {string | null} text
   */
  function writeLater(key, text) {
    window.clearTimeout(waiting[key]);
    waiting[key] = window.setTimeout(() => {
      const last = written[key];
      const isSameMove = last !== undefined && performance.now() - last < SAME_MOVE;
      written[key] = performance.now();
      thinice.go({ [key]: text }, isSameMove);
    }, PAUSE);
  }

  /**
   * @param {string | null} search
   * @param {Pair | null} pair
   * @param {Record<string, string | null> | null} current
   */
  function read(search, pair, current) {
    const none = window.dash_clientside.no_update;
    const query = new URLSearchParams(search || "");
    if (!pair || !isHere() || query.get("dense") !== pair.dense || query.get("pruned") !== pair.pruned) {
      return [none, none, none, none, none, none];
    }
    const [eps, view, set, label] = ["eps", "view", "set", "class"].map((key) => query.get(key) || null);
    /** @type {Record<string, string | null | undefined>} */
    const cut = { dense: pair.dense, pruned: pair.pruned, eps, view, set, class: label };
    // The threshold moves in the browser alone: it travels with the cut, but a change of it asks for no new one.
    const isSame = current && JSON.stringify({ ...current, delta: null }) === JSON.stringify({ ...cut, delta: null });
    const delta = query.get("delta") || null;
    linkSamples();
    return [
      isSame ? none : { ...cut, delta },
      thinice.distances.fromText(eps, pair.default_eps, pair),
      thinice.distances.fromText(delta, pair.default_delta, pair),
      view || "clean",
      label,
      set,
    ];
  }

  /**
   * @param {number} value
   * @param {Pair} pair
   */
  function slideEps(value, pair) {
    const query = new URLSearchParams(window.location.search);
    const named = thinice.distances.fromText(query.get("eps"), pair.default_eps, pair);
    thinice.charts.moveShapes(CHARTS, { eps: value });
    if (!thinice.distances.isNear(value, named)) writeLater("eps", changed(value, pair.default_eps, pair));
    return thinice.distances.asText(value, pair);
  }

  /**
   * @param {number} value
   * @param {Points | null} points
   * @param {Pair} pair
   */
  function slideDelta(value, points, pair) {
    const query = new URLSearchParams(window.location.search);
    const moves = { ice: value, "ice-edge": value, "ice-label": value };
    thinice.charts.moveShapes(CHARTS, moves);
    // Once more when charts that just got their data are drawn.
    window.setTimeout(() => thinice.charts.moveShapes(CHARTS, moves), 400);
    markThin(value);
    const named = thinice.distances.fromText(query.get("delta"), pair.default_delta, pair);
    if (!thinice.distances.isNear(value, named)) writeLater("delta", changed(value, pair.default_delta, pair));
    return [thinice.distances.asText(value, pair), thinice.ice.sentence(points, value, pair)];
  }

  /** @param {number} delta */
  function markThin(delta) {
    window.requestAnimationFrame(() => {
      document.querySelectorAll(`#${ids.WALL} [data-margin]`).forEach((tile) => {
        const margin = thinice.elements.data(tile, "margin");
        tile.classList.toggle("is-thin", thinice.ice.isThin(margin === "" ? null : Number(margin), delta));
      });
    });
  }

  /**
   * @param {string} view
   * @param {string | null} label
   * @param {string | null} set
   */
  function choose(view, label, set) {
    thinice.go({ view: view === "clean" ? null : view, class: label, set }, false);
  }

  // Escape closes the picker, or else removes the filters; a click outside of the picker closes it too.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !isHere()) return;
    const picker = document.querySelector(".picker-holder[open]");
    if (picker) picker.removeAttribute("open");
    else if (!thinice.elements.closest(event, "input")) thinice.go({ class: null, set: null }, false);
  });
  document.addEventListener("pointerdown", (event) => {
    const picker = document.querySelector(".picker-holder[open]");
    if (picker && !thinice.elements.closest(event, ".picker-holder, [role=listbox]")) picker.removeAttribute("open");
  });

  // A sample's page in the list that is seen now: Esc there leads back to exactly this comparison.
  const SAMPLE_KEYS = ["eps", "delta", "view", "class", "set"];
  /**
   * @param {string | number} index
   * @returns {Query}
   */
  function sampleQuery(index) {
    const here = new URLSearchParams(window.location.search);
    /** @type {Query} */
    const query = { dense: here.get("dense"), pruned: here.get("pruned"), index };
    for (const key of SAMPLE_KEYS) if (here.get(key)) query[key] = here.get(key);
    return query;
  }

  /** @param {string | number} index */
  const sampleAddress = (index) => thinice.address("/sample", sampleQuery(index));

  // The server wrote the links of the wall before the threshold moved.
  function linkSamples() {
    document.querySelectorAll(`#${ids.PAGE} [data-sample]`).forEach((link) => {
      link.setAttribute("href", sampleAddress(thinice.elements.data(link, "sample")));
    });
  }

  document.addEventListener("click", (event) => {
    const link = thinice.elements.closest(event, `#${ids.PAGE} [data-sample]`);
    if (!link || !thinice.elements.isPlainClick(event)) return;
    event.preventDefault();
    thinice.visit("/sample", sampleQuery(thinice.elements.data(link, "sample")));
  });

  /** @param {Marked<number> | null} data */
  function open(data) {
    const mark = data && data.points && data.points[0];
    if (!mark || mark.customdata === undefined) return;
    thinice.visit("/sample", sampleQuery(mark.customdata));
  }

  /**
   * @param {number | null} clicks
   * @param {string | null} dense
   * @param {string | null} pruned
   */
  function pick(clicks, dense, pruned) {
    if (!clicks || !dense || !pruned) return;
    thinice.go({ dense, pruned, eps: null, delta: null, class: null, set: null }, false);
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    compare: { read, slideEps, slideDelta, choose, open, pick },
  });

  // A sample's number in the table leads to its page.
  const components = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  components.SampleLink = function (props) {
    const attributes = { href: sampleAddress(props.value), "data-sample": props.value };
    return window.React.createElement("a", attributes, String(props.value));
  };
})();
