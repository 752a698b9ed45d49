// Sample in the browser: arrows walk the list and the versions, b blinks, Esc leaves.
(function () {
  const TYPED = "input, textarea, select, [contenteditable], [role=slider], dialog, [role=dialog]";
  const isHere = () => window.location.pathname === "/sample";

  // A step changes the address in place: a walk through a list is one entry in the history.
  document.addEventListener("click", (event) => {
    const link = thinice.elements.closest(event, "[data-step]");
    if (link) {
      if (!thinice.elements.isPlainClick(event)) return;
      event.preventDefault();
      thinice.go(JSON.parse(thinice.elements.data(link, "step")), true);
      return;
    }
    const button = thinice.elements.closest(event, "button");
    if (!button) return;
    if (button.id === thinice.ids.sample.BLINK) blink();
    else if (button.hasAttribute("data-copy")) copy(button);
  });

  // An adversarial that an imported evaluation came without is computed again while the page is open.
  const RESTORE_PAUSE = 400; // milliseconds on a sample before it is asked for: a quick walk asks for nothing
  const RESTORE_TRIES = 60;
  /** @type {Set<string>} */
  const restoring = new Set();
  function restoreMissing() {
    document.querySelectorAll(`#${thinice.ids.sample.PAGE} [data-restore]`).forEach((holder) => {
      const address = thinice.elements.data(/** @type {HTMLElement} */ (holder), "restore");
      if (restoring.has(address)) return;
      restoring.add(address);
      window.setTimeout(() => {
        if (holder.isConnected) void restore(holder, address);
        else restoring.delete(address);
      }, RESTORE_PAUSE);
    });
  }

  /**
   * @param {Element} holder
   * @param {string} address
   */
  async function restore(holder, address) {
    for (let tries = 0; tries < RESTORE_TRIES && holder.isConnected; tries += 1) {
      const asked = await fetch(`${address}/adversarial`, { method: "POST" });
      if (asked.status === 200 && holder.isConnected) window.location.reload();
      if (asked.status !== 202) return;
      await new Promise((resolve) => window.setTimeout(resolve, 500));
    }
    const reason = holder.querySelector(".frame-reason");
    if (reason) reason.textContent = "The image is not here yet: a worker computes it once it is free. If that fails, the log of the evaluation says why.";
  }

  let isBlinking = false;
  function blink() {
    isBlinking = !isBlinking;
    showBlink();
  }

  function showBlink() {
    const button = document.getElementById(thinice.ids.sample.BLINK);
    if (!button) isBlinking = false;
    else if (button.getAttribute("aria-pressed") !== String(isBlinking)) {
      button.setAttribute("aria-pressed", String(isBlinking));
    }
  }

  // Every step builds the page anew: the focus goes back to the same control, and blinking goes on.
  /** @type {{ name: string, element: HTMLElement } | null} */
  let focused = null;
  document.addEventListener("focusin", (event) => {
    const holder = thinice.elements.closest(event, `#${thinice.ids.sample.PAGE} [data-focus], #${thinice.ids.samples.PAGE} [data-focus]`);
    focused = holder && { name: thinice.elements.data(holder, "focus"), element: holder };
  });

  // What was unfolded stays so from sample to sample.
  /** @type {Set<string>} */
  const unfolded = new Set();
  document.addEventListener(
    "toggle",
    (event) => {
      const fold = event.target;
      if (!(fold instanceof HTMLDetailsElement) || !fold.isConnected || !fold.hasAttribute("data-fold")) return;
      if (fold.open) unfolded.add(thinice.elements.data(fold, "fold"));
      else unfolded.delete(thinice.elements.data(fold, "fold"));
    },
    true,
  );

  /** @type {WeakSet<Element>} */
  const met = new WeakSet();
  function unfold() {
    /** @type {NodeListOf<HTMLDetailsElement>} */
    const folds = document.querySelectorAll(`#${thinice.ids.sample.PAGE} details[data-fold]`);
    folds.forEach((fold) => {
      if (met.has(fold)) return;
      met.add(fold);
      if (unfolded.has(thinice.elements.data(fold, "fold"))) fold.open = true;
    });
  }

  const observer = new MutationObserver(() => {
    showBlink();
    unfold();
    restoreMissing();
    if (!focused || focused.element.isConnected || document.activeElement !== document.body) return;
    /** @type {HTMLElement | null} */
    const again = document.querySelector('[data-focus="' + CSS.escape(focused.name) + '"]');
    if (again) again.focus({ preventScroll: true });
  });
  observer.observe(document.documentElement, { childList: true, subtree: true });

  /** @param {HTMLElement} button */
  async function copy(button) {
    const word = button.querySelector(".copy-word");
    if (!word) return;
    try {
      await navigator.clipboard.writeText(thinice.elements.data(button, "copy"));
      word.textContent = "Copied";
    } catch {
      word.textContent = "Copying is not allowed"; // the browser gives the clipboard to secure pages only
    }
    window.setTimeout(() => (word.textContent = "Copy"), 2000);
  }

  document.addEventListener("keydown", (event) => {
    if (!isHere() || event.metaKey || event.ctrlKey || event.altKey || thinice.elements.closest(event, TYPED)) return;
    if (event.key === "b" || event.key === "B") {
      if (!event.repeat) blink();
    } else {
      /** @type {HTMLElement | null} */
      const holder = document.querySelector(`#${thinice.ids.sample.PAGE} [data-key="${CSS.escape(event.key)}"]`);
      if (!holder) return;
      (holder.querySelector("a") || holder).click();
    }
    event.preventDefault();
  });
})();
