// Folded sections of a page. Nothing of one is on the page until it is opened: then the server sends its parts. A link
// to its anchor (`#controls`) opens it.
(function () {
  const TRIES = 150, PAUSE = 100; // how long an anchor waits for a page that is still being built
  const HELD = 25; // pauses in which the section keeps its place in the window

  // Opening asks for the parts, once: Dash hears of it through a store.
  document.addEventListener("toggle", (event) => {
    const section = event.target instanceof HTMLDetailsElement && event.target.matches("[data-section]") ? event.target : null;
    if (!section || !section.open) return;
    void ask(section);
  }, true);

  /** @param {HTMLElement} section */
  async function ask(section) {
    const script = section.getAttribute("data-script");
    section.removeAttribute("data-failed");
    try {
      if (script) await load(script);
    } catch {
      section.setAttribute("data-failed", "");
      return;
    }
    window.dash_clientside.set_props(thinice.elements.data(section, "store"), { data: true });
  }

  /** @type {Map<string, Promise<void>>} */
  const loaded = new Map();

  /**
   * A library that the parts need, once.
   * @param {string} address
   */
  function load(address) {
    const coming = loaded.get(address) || new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = address;
      script.addEventListener("load", () => resolve());
      script.addEventListener("error", () => {
        loaded.delete(address);
        script.remove();
        reject(new Error("The script did not come: " + address));
      });
      document.head.append(script);
    });
    loaded.set(address, coming);
    return coming;
  }

  let reached = ""; // where the anchor of the address was last opened: a step of a slider leaves the window in its place
  const place = () => window.location.pathname + window.location.hash;

  /** @param {number} tries */
  function openAnchor(tries) {
    reached = place();
    const name = decodeURIComponent(window.location.hash.slice(1));
    if (!name) return;
    const section = document.querySelector(`[data-section="${CSS.escape(name)}"]`);
    if (section instanceof HTMLDetailsElement) {
      section.open = true;
      hold(section, HELD);
    } else if (tries > 0) window.setTimeout(openAnchor, PAUSE, tries - 1);
  }

  let inputs = 0; // who scrolls is not led elsewhere
  for (const event of ["wheel", "touchstart", "keydown", "mousedown"]) {
    window.addEventListener(event, () => (inputs += 1), { passive: true, capture: true });
  }

  /**
   * In sight, while the parts come in and around it.
   * @param {HTMLElement} section
   * @param {number} tries
   */
  function hold(section, tries, since = inputs) {
    if (since !== inputs || tries <= 0 || !section.isConnected) return;
    section.scrollIntoView({ block: "start" });
    window.setTimeout(hold, PAUSE, section, tries - 1, since);
  }

  // A section that a reader opens is in the address, so that it can be shared.
  document.addEventListener("click", (event) => {
    const section = thinice.elements.closest(event, "[data-section] > summary")?.parentElement;
    if (!(section instanceof HTMLDetailsElement) || section.open) return;
    const address = window.location.pathname + window.location.search + "#" + thinice.elements.data(section, "section");
    window.history.replaceState(window.history.state, "", address);
    reached = place();
  });
  window.addEventListener("hashchange", () => openAnchor(TRIES));
  window.addEventListener("_dashprivate_pushstate", () => {
    if (place() !== reached) openAnchor(TRIES);
  });
  openAnchor(TRIES);
})();
