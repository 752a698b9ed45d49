// The shell's part of the browser: which page an address means, the theme, and the count of jobs in the rail.
(function () {
  const THEME_KEY = "mantine-color-scheme-value"; // shared with the script in the page's head
  const unchanged = () => window.dash_clientside.no_update;

  /**
   * Dash's own event makes its Location read the window. (Setting its props instead would push a stale address.)
   * @param {string} address
   * @param {boolean} replace
   */
  function moveTo(address, replace) {
    if (replace) window.history.replaceState({}, "", address);
    else window.history.pushState({}, "", address);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  }

  /** @param {URLSearchParams} query */
  function asSearch(query) {
    const text = query.toString().replaceAll("%2F", "/").replaceAll("%2C", ",");
    return text ? "?" + text : "";
  }

  /**
   * @param {URLSearchParams} query
   * @param {Query} changes
   */
  function change(query, changes) {
    for (const [key, value] of Object.entries(changes)) {
      if (value === null || value === undefined || value === "") query.delete(key);
      else query.set(key, String(value));
    }
    return query;
  }

  /**
   * @param {Query} changes
   * @param {boolean} replace
   */
  function go(changes, replace) {
    const search = asSearch(change(new URLSearchParams(window.location.search), changes));
    if (search !== window.location.search) moveTo(window.location.pathname + search + window.location.hash, replace);
  }

  /**
   * @param {string} path
   * @param {Query} query
   */
  const address = (path, query) => path + asSearch(change(new URLSearchParams(), query));

  /**
   * @param {string} path
   * @param {Query} query
   */
  const visit = (path, query) => moveTo(address(path, query), false);

  // Anything with data-go='{"set": "S10"}' changes the address by that much.
  document.addEventListener("click", (event) => {
    const target = thinice.elements.closest(event, "[data-go]");
    if (target) go(JSON.parse(thinice.elements.data(target, "go")), false);
  });

  /** @type {Record<string, string[]>} */
  let keysOfPages = {};
  /** @type {{ path: string, key: string } | null} */
  let current = null;

  /**
   * What of an address builds a page anew.
   * @param {string | null} pathname
   * @param {string | null} search
   */
  function place(pathname, search) {
    const query = new URLSearchParams(search || "");
    const key = (keysOfPages[pathname || ""] || []).map((name) => name + "=" + (query.get(name) || "")).join("&");
    return { path: pathname || "/", key };
  }

  /**
   * Which page an address means; nothing new where only what the page itself cuts has changed.
   * @param {string | null} pathname
   * @param {string | null} search
   * @param {Record<string, string[]>} pageKeys
   */
  function route(pathname, search, pageKeys) {
    keysOfPages = pageKeys;
    const wanted = place(pathname, search);
    if (current && current.path === wanted.path && current.key === wanted.key) return unchanged();
    current = wanted;
    return wanted;
  }

  /**
   * A page that was built, and the whole query where the address lacked something.
   * @param {{ page: unknown, title: string, search: string } | null} arrival
   */
  function open(arrival) {
    if (!arrival) return [unchanged(), unchanged()];
    if (arrival.search) {
      current = place(window.location.pathname, arrival.search); // this is what stands here now
      moveTo(window.location.pathname + arrival.search + window.location.hash, true);
    }
    return [arrival.page, arrival.title];
  }

  /** @type {string | null} */
  let shown = null;
  /**
   * A new page: its title, its link in the rail, and the focus where a reader expects it.
   * @param {string | null} title
   */
  function arrive(title) {
    document.title = title ? title + " · Thin Ice" : "Thin Ice";
    const path = window.location.pathname;
    document.querySelectorAll(".rail-link[href]").forEach((link) => {
      const href = link.getAttribute("href");
      if (href === path || path.startsWith(href + "/")) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    });
    if (shown !== null && shown !== path) {
      thinice.scroll.arrive();
      const page = document.getElementById(thinice.ids.shell.PAGE);
      if (page) page.focus({ preventScroll: true });
    }
    shown = path;
    thinice.stream.open();
  }

  /**
   * @param {number | null} clicks
   * @param {string | null} chosen
   */
  function theme(clicks, chosen) {
    const root = document.documentElement;
    if (!clicks || !chosen) return root.getAttribute("data-theme");
    const next = chosen === "dark" ? "light" : "dark";
    root.setAttribute("data-theme", next);
    root.setAttribute("data-mantine-color-scheme", next);
    try {
      window.localStorage.setItem(THEME_KEY, next);
    } catch {
      // Storage may be forbidden; the choice then lasts for this page only.
    }
    return next;
  }

  // The pair that was looked at last, so that Compare opens with it again.
  function remember() {
    const query = new URLSearchParams(window.location.search);
    const [dense, pruned] = [query.get("dense"), query.get("pruned")];
    return dense && pruned ? { dense, pruned } : unchanged();
  }

  // A link among what the scripts draw leads on without loading the document anew; data-visit="top" to its top.
  document.addEventListener("click", (event) => {
    const link = thinice.elements.closest(event, "a[data-visit]");
    if (!link || link.getAttribute("target") || !thinice.elements.isPlainClick(event)) return;
    event.preventDefault();
    const { pathname, search, hash } = new URL(link.getAttribute("href") || "", window.location.href);
    moveTo(pathname + search + hash, false);
    if (thinice.elements.data(link, "visit") === "top" && !hash) window.scrollTo(0, 0);
  });

  /** @param {boolean | null} isDone */
  function reload(isDone) {
    if (isDone) window.location.reload();
  }

  window.thinice = Object.assign({}, window.thinice, { go, visit, address });
  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    shell: { route, open, arrive, remember, theme, reload },
  });
})();
