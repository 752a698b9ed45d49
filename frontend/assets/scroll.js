// Going back finds a page where it was left: its content comes late, so the browser cannot do it alone.
(function () {
  const PATIENCE = 5000; // milliseconds until a page that stays shorter than it was is left where it is
  const HOLD = 1200; // milliseconds in which a page that still grows may not move the window away again
  const MOST = 200; // addresses remembered
  /** @type {Map<string, number>} */
  const places = new Map();
  let path = window.location.pathname;
  /** @type {number | null} */
  let wanted = null;

  const here = () => window.location.pathname + window.location.search;

  function save() {
    if (wanted !== null) return;
    places.delete(here());
    places.set(here(), window.scrollY);
    const oldest = places.keys().next().value;
    if (places.size > MOST && oldest !== undefined) places.delete(oldest);
  }

  window.history.scrollRestoration = "manual";
  window.addEventListener("scroll", save, { passive: true });
  // An address that changed without a scroll is saved by what leads away from it.
  for (const event of ["click", "keydown"]) window.addEventListener(event, save, { passive: true, capture: true });
  window.addEventListener("popstate", () => {
    if (window.location.pathname !== path) wanted = places.get(here()) ?? 0;
  });
  // Who scrolls is not led elsewhere.
  for (const event of ["wheel", "touchstart", "keydown", "mousedown"]) {
    window.addEventListener(event, () => (wanted = null), { passive: true, capture: true });
  }

  /** A new page is there: to its top, or to where it was left. */
  function arrive() {
    path = window.location.pathname;
    if (wanted === null) window.scrollTo(0, 0);
    else approach(wanted, window.performance.now() + PATIENCE, false);
  }

  /**
   * @param {number} place
   * @param {number} end
   * @param {boolean} isReached
   */
  function approach(place, end, isReached) {
    if (wanted !== place) return;
    if (Math.abs(window.scrollY - place) > 1) window.scrollTo(0, place);
    const time = window.performance.now(), isThere = Math.abs(window.scrollY - place) < 2;
    const until = isThere && !isReached ? time + HOLD : end;
    if (time > until) wanted = null;
    else window.requestAnimationFrame(() => approach(place, until, isReached || isThere));
  }

  window.thinice = Object.assign({}, window.thinice, { scroll: { arrive } });
})();
