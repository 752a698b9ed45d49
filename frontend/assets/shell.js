// The shell's part of the browser: which page an address means, the theme, and the count of jobs in the rail.
(function () {
  const THEME_KEY = "mantine-color-scheme-value"; // shared with the script in the page's head
  const unchanged = () => window.dash_clientside.no_update;

  // Dash's own event makes its Location read the window. (Setting its props instead would push a stale address.)
  function moveTo(address, replace) {
    if (replace) window.history.replaceState({}, "", address);
    else window.history.pushState({}, "", address);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  }

  function asSearch(query) {
    const text = query.toString().replaceAll("%2F", "/");
    return text ? "?" + text : "";
  }

  // The address with its query changed; no new entry in the history when `replace`.
  function go(changes, replace) {
    const query = new URLSearchParams(window.location.search);
    for (const [key, value] of Object.entries(changes)) {
      if (value === null || value === undefined || value === "") query.delete(key);
      else query.set(key, value);
    }
    const search = asSearch(query);
    if (search !== window.location.search) moveTo(window.location.pathname + search, replace);
  }

  // Another page, without loading the document anew.
  function visit(path, query) {
    moveTo(path + asSearch(new URLSearchParams(query)), false);
  }

  // Anything with data-go='{"set": "S10"}' changes the address by that much.
  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-go]");
    if (target) go(JSON.parse(target.getAttribute("data-go")), false);
  });

  function route(pathname, search, pageKeys, current) {
    const query = new URLSearchParams(search || "");
    const key = (pageKeys[pathname] || []).map((name) => name + "=" + (query.get(name) || "")).join("&");
    if (current && current.path === pathname && current.key === key) return unchanged();
    return { path: pathname || "/", key };
  }

  function redirect(search) {
    if (search) moveTo(window.location.pathname + search, true);
  }

  // A new page: its title, its link in the rail, and the focus where a reader expects it.
  let shown = null;
  function arrive(title) {
    document.title = title ? title + " · Thin Ice" : "Thin Ice";
    const path = window.location.pathname;
    document.querySelectorAll(".rail-link[href]").forEach((link) => {
      const href = link.getAttribute("href");
      if (href === path || path.startsWith(href + "/")) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    });
    if (shown !== null && shown !== path) {
      window.scrollTo(0, 0);
      const page = document.getElementById("page");
      if (page) page.focus({ preventScroll: true });
    }
    shown = path;
  }

  function theme(clicks, current) {
    const root = document.documentElement;
    if (!clicks || !current) return root.getAttribute("data-theme");
    const next = current === "dark" ? "light" : "dark";
    root.setAttribute("data-theme", next);
    root.setAttribute("data-mantine-color-scheme", next);
    try {
      window.localStorage.setItem(THEME_KEY, next);
    } catch (refused) {
      // Storage may be forbidden; the choice then lasts for this page only.
    }
    return next;
  }

  async function countJobs() {
    if (document.hidden) return unchanged();
    try {
      const answer = await fetch("/api/v1/health", { credentials: "same-origin" });
      if (!answer.ok) return "";
      const depth = (await answer.json()).queue_depth;
      return depth > 0 ? String(depth) : "";
    } catch (unreachable) {
      return "";
    }
  }

  window.thinice = Object.assign({}, window.thinice, { go, visit });
  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    shell: { route, redirect, arrive, theme, countJobs },
  });
})();
