// Back restores the place on a page that the scripts draw: the browser itself would scroll before anything is there.
(function () {
  const PATIENCE = 1200; // milliseconds in which a page that grows, or the shell, may move the window away again
  window.history.scrollRestoration = "manual";
  /** @type {Map<string, number>} */
  const places = new Map();
  /** @type {number | null} */
  let pending = null;

  const here = () => window.location.pathname + window.location.search;
  function save() {
    if (pending === null) places.set(here(), window.scrollY);
  }

  /** Called by a page that has drawn itself. */
  function restore() {
    if (pending === null) return;
    const wanted = pending, end = performance.now() + PATIENCE;
    /** @param {number} time */
    function hold(time) {
      if (pending !== wanted) return;
      if (Math.abs(window.scrollY - wanted) > 1) window.scrollTo(0, wanted);
      if (time < end) window.requestAnimationFrame(hold);
      else pending = null;
    }
    hold(performance.now());
  }

  window.addEventListener("popstate", () => { pending = places.get(here()) ?? null; });
  document.addEventListener("scroll", save, { passive: true });
  for (const name of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    document.addEventListener(name, () => { pending = null; }, { passive: true, capture: true });
  }

  // A link among what the scripts draw leads on without loading the document anew.
  document.addEventListener("click", (event) => {
    const link = thinice.elements.closest(event, "a[data-visit]");
    if (!link || !thinice.elements.isPlainClick(event)) return;
    event.preventDefault();
    save();
    const { pathname, searchParams } = new URL(link.getAttribute("href") || "", window.location.href);
    thinice.visit(pathname, Object.fromEntries(searchParams));
  });

  /** @type {ThinIce["scrolling"]} */
  const scrolling = { restore, save };
  window.thinice = Object.assign({}, window.thinice, { scrolling });
})();
