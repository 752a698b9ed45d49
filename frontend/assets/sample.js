// Sample in the browser: arrows walk the list and the versions, b blinks, Esc leaves, ? lists the keys.
(function () {
  const isHere = () => window.location.pathname === "/sample";
  const isTyping = (element) => element.closest("input, textarea, select, [contenteditable], [role=slider], [role=dialog]");

  // A step changes the address in place: a walk through a list is one entry in the history.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-step]");
    if (link) {
      if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      window.thinice.go(JSON.parse(link.getAttribute("data-step")), true);
      return;
    }
    const button = event.target.closest("button");
    if (!button) return;
    if (button.id === "sample-blink") blink();
    else if (button.hasAttribute("data-toggle")) toggleList(button.getAttribute("data-toggle"));
    else if (button.hasAttribute("data-copy")) copy(button);
  });

  let isBlinking = false;
  function blink() {
    isBlinking = !isBlinking;
    showBlink();
  }

  function showBlink() {
    const button = document.getElementById("sample-blink");
    if (!button) isBlinking = false;
    else if (button.getAttribute("aria-pressed") !== String(isBlinking)) button.setAttribute("aria-pressed", String(isBlinking));
  }

  // Every step builds the page anew: the focus goes back to the same control, and blinking goes on.
  let focused = null;
  document.addEventListener("focusin", (event) => {
    const holder = event.target.closest("#sample [data-focus], #samples [data-focus]");
    focused = holder && { name: holder.getAttribute("data-focus"), element: holder };
  });

  const observer = new MutationObserver(() => {
    showBlink();
    if (!focused || focused.element.isConnected || document.activeElement !== document.body) return;
    const again = document.querySelector('[data-focus="' + CSS.escape(focused.name) + '"]');
    if (again) again.focus({ preventScroll: true });
  });
  observer.observe(document.documentElement, { childList: true, subtree: true });

  function toggleList(id) {
    const list = document.getElementById(id);
    if (!list) return;
    list.open = !list.open;
    if (list.open) list.scrollIntoView({ block: "nearest" });
  }

  async function copy(button) {
    const word = button.querySelector(".copy-word");
    try {
      await navigator.clipboard.writeText(button.getAttribute("data-copy"));
      word.textContent = "copied";
    } catch (refused) {
      word.textContent = "not allowed to copy"; // the browser gives the clipboard to secure pages only
    }
    window.setTimeout(() => (word.textContent = "copy"), 2000);
  }

  document.addEventListener("keydown", (event) => {
    if (!isHere() || event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
    if (event.key === "?") toggleList("sample-keys");
    else if (event.key === "b" || event.key === "B") {
      if (!event.repeat) blink();
    } else {
      const holder = document.querySelector('#sample [data-key="' + CSS.escape(event.key) + '"]');
      if (!holder) return;
      (holder.querySelector("a") || holder).click();
    }
    event.preventDefault();
  });
})();

// Samples in the browser: the sliders and the address follow each other, and the keyboard walks the wall.
(function () {
  const PAUSE = 150; // milliseconds after the last move before the address follows
  const waiting = {};

  const asText = (value, pair) => Number(value.toFixed(pair.suffix ? 1 : 3)) + pair.suffix;

  function named(key, pair) {
    const parts = (new URLSearchParams(window.location.search).get(key) || "").split("/").map(Number);
    const value = parts.length === 2 ? parts[0] / parts[1] : parts[0];
    return Number.isFinite(value) && value > 0 ? value * pair.scale : pair["default_" + key];
  }

  function write(key, value, pair) {
    if (!pair || window.location.pathname !== "/samples") return window.dash_clientside.no_update;
    window.clearTimeout(waiting[key]);
    waiting[key] = window.setTimeout(() => {
      if (window.location.pathname !== "/samples" || Math.abs(value - named(key, pair)) < 1e-6) return;
      window.thinice.go({ [key]: asText(value, pair), shown: null }, true);
    }, PAUSE);
    return asText(value, pair);
  }

  function read(search, pair) {
    const none = window.dash_clientside.no_update;
    if (!pair || window.location.pathname !== "/samples") return [none, none];
    return [named("eps", pair), named("delta", pair)];
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    samples: { eps: (value, pair) => write("eps", value, pair), delta: (value, pair) => write("delta", value, pair), read },
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-go-replace]");
    if (button) window.thinice.go(JSON.parse(button.getAttribute("data-go-replace")), true);
  });

  function columns(tiles) {
    const top = tiles[0].offsetTop;
    const wrapped = tiles.findIndex((tile) => tile.offsetTop > top);
    return wrapped < 0 ? tiles.length : wrapped;
  }

  document.addEventListener("keydown", (event) => {
    if (window.location.pathname !== "/samples" || event.metaKey || event.ctrlKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable], [role=dialog]")) return;
    if (event.target.closest("[role=slider]") && event.key !== "Escape") return;
    const chip = document.querySelector('#samples [data-key="' + CSS.escape(event.key) + '"]');
    if (chip) {
      event.preventDefault();
      chip.click();
      return;
    }
    const tile = event.target.closest("#samples-wall .tile");
    if (!tile) return;
    const tiles = Array.from(document.querySelectorAll("#samples-wall .tile"));
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns(tiles), ArrowDown: columns(tiles) };
    const next = tiles[tiles.indexOf(tile) + steps[event.key]];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
})();
