// Samples in the browser: the sliders and the address follow each other, and the keyboard walks the wall.
(function () {
  const PAUSE = 150; // milliseconds after the last move before the address follows
  const TYPED = "input, textarea, select, [contenteditable], [role=dialog]";
  const isHere = () => window.location.pathname === "/samples";
  /** @type {Record<string, number>} */
  const waiting = {};

  /**
   * Where the address puts a slider, in shown units.
   * @param {string} key
   * @param {number} own
   * @param {Pair} pair
   */
  function named(key, own, pair) {
    return thinice.distances.fromText(new URLSearchParams(window.location.search).get(key), own, pair);
  }

  /**
   * @param {string} key
   * @param {number} value
   * @param {number} own
   * @param {Pair} pair
   */
  function write(key, value, own, pair) {
    window.clearTimeout(waiting[key]);
    waiting[key] = window.setTimeout(() => {
      if (!isHere() || thinice.distances.isNear(value, named(key, own, pair))) return;
      thinice.go({ [key]: thinice.distances.asText(value, pair), shown: null }, true);
    }, PAUSE);
    return thinice.distances.asText(value, pair);
  }

  /**
   * @param {number} value
   * @param {Pair | null} pair
   */
  function eps(value, pair) {
    return pair && isHere() ? write("eps", value, pair.default_eps, pair) : window.dash_clientside.no_update;
  }

  /**
   * @param {number} value
   * @param {Pair | null} pair
   */
  function delta(value, pair) {
    return pair && isHere() ? write("delta", value, pair.default_delta, pair) : window.dash_clientside.no_update;
  }

  /**
   * @param {string | null} _search
   * @param {Pair | null} pair
   */
  function read(_search, pair) {
    const none = window.dash_clientside.no_update;
    if (!pair || !isHere()) return [none, none];
    return [named("eps", pair.default_eps, pair), named("delta", pair.default_delta, pair)];
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { samples: { eps, delta, read } });

  document.addEventListener("click", (event) => {
    const button = thinice.elements.closest(event, "[data-go-replace]");
    if (button) thinice.go(JSON.parse(thinice.elements.data(button, "go-replace")), true);
  });

  /**
   * How many tiles stand in a row.
   * @param {HTMLElement[]} tiles
   */
  function columns(tiles) {
    const top = tiles[0] ? tiles[0].offsetTop : 0;
    const wrapped = tiles.findIndex((tile) => tile.offsetTop > top);
    return wrapped < 0 ? tiles.length : wrapped;
  }

  /**
   * The tile that an arrow leads to, from one of the wall's.
   * @param {HTMLElement} tile
   * @param {string} key
   */
  function neighbour(tile, key) {
    /** @type {HTMLElement[]} */
    const tiles = Array.from(document.querySelectorAll(`#${thinice.ids.samples.WALL} .tile`));
    /** @type {Record<string, number>} */
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns(tiles), ArrowDown: columns(tiles) };
    const step = steps[key];
    return step === undefined ? undefined : tiles[tiles.indexOf(tile) + step];
  }

  document.addEventListener("keydown", (event) => {
    if (!isHere() || event.metaKey || event.ctrlKey || event.altKey || thinice.elements.closest(event, TYPED)) return;
    if (thinice.elements.closest(event, "[role=slider]") && event.key !== "Escape") return;
    /** @type {HTMLElement | null} */
    const chip = document.querySelector(`#${thinice.ids.samples.PAGE} [data-key="${CSS.escape(event.key)}"]`);
    if (chip) {
      event.preventDefault();
      chip.click();
      return;
    }
    const tile = thinice.elements.closest(event, `#${thinice.ids.samples.WALL} .tile`);
    const next = tile && neighbour(tile, event.key);
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
})();
