// Help: the entry that the address names is brought into view once the page is there.
(function () {
  function arrive() {
    if (!/^\/help(\/|$)/.test(window.location.pathname)) return null;
    const name = decodeURIComponent(window.location.hash.slice(1));
    // The shell scrolls a new page to its top first.
    if (name) window.setTimeout(() => show(name), 60);
    return name;
  }

  /** @param {string} name */
  function show(name) {
    const entry = document.getElementById(name);
    if (!entry) return;
    entry.scrollIntoView({ block: "start" });
    document.querySelectorAll(".is-named").forEach((other) => other.classList.remove("is-named"));
    entry.classList.add("is-named");
  }

  window.addEventListener("hashchange", arrive);
  window.dash_clientside = Object.assign({}, window.dash_clientside, { help: { arrive } });
})();
