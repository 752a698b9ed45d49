// The sliders of a pair's page: a move cuts the page at once, and the address follows after a pause.
(function () {
  const PAUSE = 150; // milliseconds after the last move before the address follows
  const SAME_MOVE = 1500; // milliseconds within which the next change belongs to the same move

  /**
   * Writes the address after a pause. One move of a slider, however many steps it takes, is one entry in the history.
   * @param {() => boolean} isHere
   * @param {(key: string) => void} onWritten
   */
  function makeWriter(isHere, onWritten) {
    /** @type {Record<string, number>} */
    const waiting = {};
    /** @type {Record<string, number>} */
    const written = {};
    /** @param {string} key */
    const stop = (key) => window.clearTimeout(waiting[key]);
    /**
     * @param {string} key
     * @param {string | null} text
     */
    function writeLater(key, text) {
      stop(key);
      waiting[key] = window.setTimeout(() => {
        const last = written[key];
        const isSameMove = last !== undefined && performance.now() - last < SAME_MOVE;
        written[key] = performance.now();
        onWritten(key);
        if (isHere()) thinice.go({ [key]: text }, isSameMove);
      }, PAUSE);
    }
    return { stop, writeLater };
  }

  /**
   * @param {SliderPage} page
   * @returns {Sliders}
   */
  function make({ EPS_TEXT, DELTA_TEXT, isHere, cutAt }) {
    // What the sliders stand at while the address has not followed yet; null: the pair's own value.
    /** @type {Record<string, string | null | undefined>} */
    const moving = {};
    const writer = makeWriter(isHere, (key) => { moving[key] = undefined; });

    /**
     * @param {URLSearchParams} address
     * @param {ComparedPair} pair
     */
    function cutThere(address, pair) {
      const cut = thinice.sampleLists.cutOf(Object.fromEntries(address), pair);
      write(EPS_TEXT, cut.epsText);
      write(DELTA_TEXT, thinice.distances.asText(cut.delta, pair));
      cutAt(cut, pair);
      return cut;
    }

    /**
     * A slider has moved.
     * @param {"eps" | "delta"} key
     * @param {number} value
     * @param {ComparedPair | null} pair
     */
    function slide(key, value, pair) {
      if (!pair || !isHere()) return;
      const own = key === "eps" ? pair.default_eps : pair.default_delta;
      const address = new URLSearchParams(window.location.search);
      const isNamed = thinice.distances.isNear(value, thinice.distances.fromText(address.get(key), own, pair));
      const text = thinice.distances.isNear(value, own) ? null : thinice.distances.asText(value, pair);
      if (isNamed) writer.stop(key);
      else writer.writeLater(key, text);
      for (const [name, pending] of Object.entries(moving)) put(address, name, pending);
      moving[key] = isNamed ? undefined : text;
      if (!isNamed) put(address, key, text);
      cutThere(address, pair);
    }

    /**
     * The address has changed: cut the page there. Null where the address is not one of this pair.
     * @param {string | null} search
     * @param {ComparedPair | null} pair
     */
    function follow(search, pair) {
      const address = new URLSearchParams(search || "");
      if (!pair || !isHere() || address.get("dense") !== pair.dense || address.get("pruned") !== pair.pruned) return null;
      return cutThere(address, pair);
    }
    return { slide, follow };
  }

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
   * Text that React wrote once and that no callback changes.
   * @param {string} id
   * @param {string} text
   */
  function write(id, text) {
    const holder = document.getElementById(id);
    if (holder) thinice.charts.write(holder, text);
  }

  /** @type {ThinIce["sliders"]} */
  const sliders = { make };
  window.thinice = Object.assign({}, window.thinice, { sliders });
})();
