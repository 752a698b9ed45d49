// The keyboard on every page: ? lists the keys, w explains the words, g and a letter goes to a page, a skip link leads to the samples.
// On a phone, More shows the pages that the bar leaves out.
(function () {
  const TYPED = "input, textarea, select, [contenteditable], [role=slider], [role=combobox], dialog";
  const WAIT = 1500; // milliseconds for the letter after g
  /** @type {Record<string, string>} */
  const PLACES = { o: "/", m: "/methods", c: "/compare", s: "/samples", j: "/jobs", u: "/upload", h: "/help" };
  let goesUntil = 0;

  const dialog = () => /** @type {HTMLDialogElement | null} */ (document.getElementById(thinice.ids.shell.KEYS));

  function toggleKeys() {
    const keys = dialog();
    if (!keys) return;
    if (keys.open) {
      keys.close();
      return;
    }
    keys.querySelectorAll("[data-path]").forEach((part) => {
      part.toggleAttribute("hidden", thinice.elements.data(part, "path") !== window.location.pathname);
    });
    keys.showModal();
  }

  /** @param {boolean} isOpen */
  function showMore(isOpen) {
    const rail = document.getElementById(thinice.ids.shell.RAIL), more = document.getElementById(thinice.ids.shell.MORE);
    if (rail) rail.classList.toggle("is-open", isOpen);
    if (more) more.setAttribute("aria-expanded", String(isOpen));
  }

  const isMoreOpen = () => Boolean(document.querySelector(`#${thinice.ids.shell.RAIL}.is-open`));

  document.addEventListener("click", (event) => {
    const target = thinice.elements.closest(event, "[data-opens], [data-closes], [data-skip]");
    if (target && (target.hasAttribute("data-opens") || target.hasAttribute("data-closes"))) toggleKeys();
    if (target && target.hasAttribute("data-skip")) skip(event, thinice.elements.data(target, "skip"));
    const isMore = thinice.elements.closest(event, `#${thinice.ids.shell.MORE}`);
    if (isMore || isMoreOpen()) showMore(Boolean(isMore) && !isMoreOpen());
  });

  /**
   * @param {Event} event
   * @param {string} selector
   */
  function skip(event, selector) {
    /** @type {HTMLElement | null} */
    const first = document.querySelector(`#${thinice.ids.shell.PAGE} ${selector}`);
    const control = first && (first.matches("a, button, [tabindex]") ? first : first.querySelector("a, button, [tabindex]"));
    if (!(control instanceof HTMLElement)) return;
    event.preventDefault();
    control.focus();
    control.scrollIntoView({ block: "center" });
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isMoreOpen()) showMore(false);
    if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented) return;
    if (event.key === "?" && dialog()?.open) toggleKeys();
    else if (thinice.elements.closest(event, TYPED)) return;
    else if (event.key === "?") toggleKeys();
    else if (event.key === "w") void thinice.terms.list();
    else if (event.key === "g") goesUntil = event.timeStamp + WAIT;
    else {
      const path = event.timeStamp < goesUntil ? PLACES[event.key] : undefined;
      goesUntil = 0;
      if (!path) return;
      thinice.visit(path, {});
    }
    event.preventDefault();
    event.stopPropagation(); // a page's own keys come after these
  }, true);
})();
