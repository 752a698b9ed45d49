// The address of the page that compares several checkpoints: sliders, view and choice write it and are read from it.
(function () {
  const ids = thinice.ids.several;
  const PAUSE = 150; // milliseconds after the last move before the address follows
  const SAME_MOVE = 1500; // milliseconds within which the next change belongs to the same move

  /**
   * Whether the address is of these checkpoints.
   * @param {URLSearchParams} address
   * @param {SeveralState | null} several
   * @returns {several is SeveralState}
   */
  function isOf(address, several) {
    return window.location.pathname === "/several" && several !== null && address.get("dense") === several.dense &&
      address.get("pruned") === several.pruned_list.join(",");
  }

  /**
   * The address has changed: cut the page there, and move the controls that stand elsewhere. A slider that has moved on
   * since stays where it is, and the address follows it.
   * @param {string | null} search
   * @param {SeveralState | null} several
   * @param {unknown[]} controls
   */
  function read(search, several, ...controls) {
    const none = window.dash_clientside.no_update, address = new URLSearchParams(search || "");
    if (!isOf(address, several)) return [none, none, none];
    thinice.severalCut.load(several);
    putMoving(address);
    const cut = thinice.severalLosses.readCut(address, several);
    thinice.severalCut.cutAt(cut, address.get("lost"));
    write(ids.EPS_TEXT, cut.epsText);
    write(ids.DELTA_TEXT, thinice.distances.asText(cut.delta, several));
    return [cut.eps * several.scale, cut.delta, cut.view].map((value, place) => {
      const own = controls[place];
      const isSame = typeof value === "number" ? thinice.distances.isNear(value, Number(own)) : value === own;
      return isSame ? none : value;
    });
  }

  /**
   * @param {string} id
   * @param {string} text
   */
  function write(id, text) {
    const holder = document.getElementById(id);
    if (holder) thinice.charts.write(holder, text);
  }

  // What the sliders stand at while the address has not followed yet, and when they last did.
  /** @type {Record<string, string | null>} */
  const moving = {};
  /** @type {Record<string, number>} */
  const waiting = {};
  /** @type {Record<string, number>} */
  const written = {};

  /** @param {URLSearchParams} address */
  function putMoving(address) {
    for (const [name, text] of Object.entries(moving)) {
      if (text) address.set(name, text);
      else address.delete(name);
    }
  }

  /**
   * One move of a slider, however many steps it takes, is one entry in the history.
   * @param {string} key
   */
  function writeLater(key) {
    window.clearTimeout(waiting[key]);
    waiting[key] = window.setTimeout(() => {
      const last = written[key], text = moving[key];
      written[key] = performance.now();
      delete moving[key];
      thinice.go({ [key]: text }, last !== undefined && performance.now() - last < SAME_MOVE);
    }, PAUSE);
  }

  /**
   * A slider has moved: the page is cut at once, and the address follows after a pause.
   * @param {"eps" | "delta"} key
   * @param {number} value
   * @param {SeveralState | null} several
   */
  function slide(key, value, several) {
    const address = new URLSearchParams(window.location.search);
    if (!isOf(address, several)) return;
    const own = key === "eps" ? several.default_eps : several.default_delta;
    window.clearTimeout(waiting[key]);
    delete moving[key];
    if (!thinice.distances.isNear(value, thinice.distances.fromText(address.get(key), own, several))) {
      moving[key] = thinice.distances.isNear(value, own) ? null : thinice.distances.asText(value, several);
      writeLater(key);
    }
    putMoving(address);
    const cut = thinice.severalLosses.readCut(address, several);
    write(ids.EPS_TEXT, cut.epsText);
    write(ids.DELTA_TEXT, thinice.distances.asText(cut.delta, several));
    thinice.severalCut.cutAt(cut, address.get("lost"));
  }

  /**
   * @param {number} value
   * @param {SeveralState | null} several
   */
  const slideEps = (value, several) => slide("eps", value, several);

  /**
   * @param {number} value
   * @param {SeveralState | null} several
   */
  const slideDelta = (value, several) => slide("delta", value, several);

  /** @param {string} view */
  function choose(view) {
    thinice.go({ view: view === "clean" ? null : view }, false);
  }

  /**
   * One more checkpoint: the page is built anew with it.
   * @param {string | null} evaluation
   * @param {SeveralState | null} several
   */
  function add(evaluation, several) {
    if (evaluation && several) thinice.go({ pruned: [...several.pruned_list, evaluation].join(","), lost: null }, false);
  }

  // A cell or a count chooses samples, and the choice comes into sight.
  document.addEventListener("click", (event) => {
    if (!thinice.elements.closest(event, `#${ids.MATRIX} [data-go], #${ids.COUNTS} [data-go], #${ids.TABLE} [data-go]`)) return;
    const wall = document.getElementById(ids.WALL);
    if (wall && wall.getBoundingClientRect().top > window.innerHeight - 120) wall.scrollIntoView({ block: "nearest" });
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, { several: { read, slideEps, slideDelta, choose, add } });
})();
