// Parts of a page that the scripts draw: one after another, the most important first, so that none keeps the page from
// answering. Each part has a key of what decides how it looks, and is drawn where the key has changed.
(function () {
  const AT_ONCE = 8; // milliseconds of drawing after which input and painting come first

  /**
   * @template T
   * @param {Part<T>[]} parts
   * @param {() => T | null} current what is shown now; null where nothing is
   * @returns {Drawing}
   */
  function make(parts, current) {
    /** @type {Record<string, string>} */
    const drawn = {};
    let isWaiting = false;

    function drawNext() {
      isWaiting = false;
      const end = performance.now() + AT_ONCE;
      do {
        const shown = current(), part = shown && parts.find(({ name, key }) => drawn[name] !== key(shown));
        if (!shown || !part) return;
        drawn[part.name] = part.key(shown);
        part.draw(shown);
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

    /** @param {string[]} [names] all parts without it */
    function forget(names = Object.keys(drawn)) {
      for (const name of names) delete drawn[name];
    }
    return { drawNext, drawSoon, forget };
  }

  /** @type {ThinIce["drawing"]} */
  const drawing = { make };
  window.thinice = Object.assign({}, window.thinice, { drawing });
})();
