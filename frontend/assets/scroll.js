// Going back finds a page where it was left: its content comes late, so the browser cannot do it alone.
(function () {
  const PATIENCE = 5000; // milliseconds until a page that stays shorter than it was is left where it is
  const MOST = 200; // addresses remembered
  /** @type {Map<string, number>} */
  const places = new Map();
  /** @type {number | null} */
  let wanted = null;

  window.history.scrollRestoration = "manual";
  window.addEventListener("scroll", () => {
    if (wanted !== null) return;
    places.delete(window.location.href);
    places.set(window.location.href, window.scrollY);
    const oldest = places.keys().next().value;
    if (places.size > MOST && oldest !== undefined) places.delete(oldest);
  }, { passive: true });
  window.addEventListener("popstate", () => {
    wanted = places.get(window.location.href) ?? 0;
  });
  // Who scrolls is not led elsewhere.
  for (const event of ["wheel", "touchstart", "keydown", "mousedown"]) {
    window.addEventListener(event, () => (wanted = null), { passive: true });
  }

  /** A new page is there: to its top, or to where it was left. */
  function arrive() {
    if (wanted === null) window.scrollTo(0, 0);
    else approach(window.performance.now() + PATIENCE);
  }

  /** @param {number} end */
  function approach(end) {
    if (wanted === null) return;
    window.scrollTo(0, wanted);
    if (Math.abs(window.scrollY - wanted) < 2 || window.performance.now() > end) wanted = null;
    else window.requestAnimationFrame(() => approach(end));
  }

  window.thinice = Object.assign({}, window.thinice, { scroll: { arrive } });
})();
