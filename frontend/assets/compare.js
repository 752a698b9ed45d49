// Compare in the browser: the address as state, the sliders and filters that write it, and what a click opens.
(function () {
  const ids = thinice.ids.compare;
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
      moving[key] = undefined;
      thinice.go({ [key]: text }, isSameMove);
    }, PAUSE);
  }

  /**
   * The address has changed: cut the page there, and move the controls that stand elsewhere.
   * @param {string | null} search
   * @param {ComparedPair | null} pair
   * @param {{ eps: string | null } | null} current
   * @param {unknown[]} controls
   */
  function read(search, pair, current, ...controls) {
    const none = window.dash_clientside.no_update;
    const address = new URLSearchParams(search || "");
    if (!pair || !isHere() || address.get("dense") !== pair.dense || address.get("pruned") !== pair.pruned) {
      return [none, none, none, none, none, none];
    }
    thinice.compareCut.load(pair);
    const cut = thinice.compareLists.cutOf(Object.fromEntries(address), pair);
    thinice.compareCut.cutAt(cut);
    write(ids.EPS_TEXT, cut.epsText);
    write(ids.DELTA_TEXT, thinice.distances.asText(cut.delta, pair));
    const followed = { dense: pair.dense, pruned: pair.pruned, eps: cut.query["eps"] || null };
    const label = cut.query["class"] || null, shown = cut.eps * pair.scale;
    const wanted = [shown, cut.delta, cut.view, label, cut.set].map((value, place) => {
      const own = controls[place];
      const isSame = typeof value === "number" ? thinice.distances.isNear(value, Number(own)) : value === (own || null);
      return isSame ? none : value;
    });
    return [JSON.stringify(followed) === JSON.stringify(current) ? none : followed, ...wanted];
  }

  /**
   * Text that React wrote once and that no callback changes.
   * @param {string} id
   * @param {string} text
   */
  function write(id, text) {
    const holder = document.getElementById(id);
    if (holder) thinice.charts.write(holder, text);
  }

  /**
   * A slider has moved: the page is cut at once, and the address follows after a pause.
   * @param {"eps" | "delta"} key
   * @param {number} value
   * @param {ComparedPair} pair
   */
  function slide(key, value, pair) {
    if (!pair || !isHere()) return;
    const own = key === "eps" ? pair.default_eps : pair.default_delta;
    const address = new URLSearchParams(window.location.search);
    const isNamed = thinice.distances.isNear(value, thinice.distances.fromText(address.get(key), own, pair));
    const text = changed(value, own, pair);
    if (isNamed) window.clearTimeout(waiting[key]);
    else writeLater(key, text);
    for (const [name, pending] of Object.entries(moving)) put(address, name, pending);
    moving[key] = isNamed ? undefined : text;
    if (!isNamed) put(address, key, text);
    const cut = thinice.compareLists.cutOf(Object.fromEntries(address), pair);
    write(key === "eps" ? ids.EPS_TEXT : ids.DELTA_TEXT, key === "eps" ? cut.epsText : thinice.distances.asText(value, pair));
    thinice.compareCut.cutAt(cut);
  }

  /**
   * What the sliders stand at while the address has not followed yet.
   * @type {Record<string, string | null | undefined>}
   */
  const moving = {};

  /**
   * @param {URLSearchParams} address
   * @param {string} key
   * @param {string | null | undefined} text undefined: as it is
   */
  function put(address, key, text) {
    if (text) address.set(key, text);
    else if (text === null) address.delete(key);
  }

  /**
   * @param {number} value
   * @param {ComparedPair} pair
   */
  const slideEps = (value, pair) => slide("eps", value, pair);

  /**
   * @param {number} value
   * @param {ComparedPair} pair
   */
  const slideDelta = (value, pair) => slide("delta", value, pair);

  /**
   * @param {string} view
   * @param {string | null} label
   * @param {string | null} chosen
   */
  function choose(view, label, chosen) {
    thinice.go({ view: view === "clean" ? null : view, class: label, set: chosen }, false);
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
  /**
   * @param {string | number} index
   * @returns {Query}
   */
  function sampleQuery(index) {
    const here = new URLSearchParams(window.location.search);
    /** @type {Query} */
    const query = { dense: here.get("dense"), pruned: here.get("pruned"), index };
    for (const key of thinice.compareLists.STATE_KEYS) if (here.get(key)) query[key] = here.get(key);
    return query;
  }

  /** @param {string | number} index */
  const sampleAddress = (index) => thinice.address("/sample", sampleQuery(index));

  document.addEventListener("click", (event) => {
    const link = thinice.elements.closest(event, `#${ids.PAGE} [data-sample]`);
    if (!link || !thinice.elements.isPlainClick(event)) return;
    event.preventDefault();
    thinice.visit("/sample", sampleQuery(thinice.elements.data(link, "sample")));
  });

  // A mark of the scatter opens its sample; a drag there is a zoom.
  /** @type {{ x: number, y: number } | null} */
  let pressed = null;
  document.addEventListener("pointerdown", (event) => {
    pressed = thinice.elements.closest(event, `#${ids.SCATTER} .nsewdrag`) ? { x: event.clientX, y: event.clientY } : null;
  }, true);
  document.addEventListener("pointerup", (event) => {
    const shown = isHere() ? thinice.compareCut.shown() : null, from = pressed;
    pressed = null;
    if (!from || !shown || Math.hypot(event.clientX - from.x, event.clientY - from.y) > thinice.compareMarks.STILL) return;
    const mark = thinice.compareMarks.nearest(event.clientX, event.clientY, shown);
    if (mark) thinice.visit("/sample", sampleQuery(Number(shown.columns.index[mark.place])));
  }, true);

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
    compare: { read, slideEps, slideDelta, choose, pick },
  });

  // A sample's number in the table leads to its page.
  const components = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  components.SampleLink = function (props) {
    const attributes = { href: sampleAddress(props.value), "data-sample": props.value };
    return window.React.createElement("a", attributes, String(props.value));
  };
})();
