// Folded sections of a page. Nothing of one is on the page until it is opened: then the server sends its parts. A link
// to its anchor (`#controls`) opens it.
(function () {
  const TRIES = 150, PAUSE = 100; // how long an anchor waits for a page that is still being built

  // Opening asks for the parts, once: Dash hears of it through a store.
  document.addEventListener("toggle", (event) => {
    const section = event.target instanceof HTMLDetailsElement && event.target.matches("[data-section]") ? event.target : null;
    if (!section || !section.open) return;
    window.dash_clientside.set_props(thinice.elements.data(section, "store"), { data: true });
  }, true);

  /** @param {number} tries */
  function openAnchor(tries) {
    const name = decodeURIComponent(window.location.hash.slice(1));
    if (!name) return;
    const section = document.querySelector(`[data-section="${CSS.escape(name)}"]`);
    if (section instanceof HTMLDetailsElement) {
      section.open = true;
      section.scrollIntoView({ block: "start" });
    } else if (tries > 0) window.setTimeout(openAnchor, PAUSE, tries - 1);
  }

  // A section that a reader opens is in the address, so that it can be shared.
  document.addEventListener("click", (event) => {
    const section = thinice.elements.closest(event, "[data-section] > summary")?.parentElement;
    if (!(section instanceof HTMLDetailsElement) || section.open) return;
    const address = window.location.pathname + window.location.search + "#" + thinice.elements.data(section, "section");
    window.history.replaceState(window.history.state, "", address);
  });
  window.addEventListener("hashchange", () => openAnchor(TRIES));
  window.addEventListener("_dashprivate_pushstate", () => openAnchor(TRIES));
  openAnchor(TRIES);
})();
