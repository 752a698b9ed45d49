// Help: shows what a query finds as one types, and leads addresses of the former single page on.
(function () {
  const MOST = 30; // results shown; the count says how many there are

  /**
   * A component as Dash's renderer takes it.
   * @param {string} type
   * @param {Record<string, unknown>} props
   * @param {string} library
   */
  const component = (type, props, library = "dash_html_components") => ({ namespace: library, type, props });

  /**
   * @param {HelpEntry} entry
   * @param {string} query
   */
  function result([address, title, kind, words], query) {
    const children = [
      component("Span", { children: title, className: "help-found-title" }),
      component("Span", { children: kind, className: "help-found-kind" }),
      component("Span", { children: thinice.helpEntries.excerpt(words, query), className: "help-found-words" }),
    ];
    return component("Li", { children: component("Link", { href: address, children }, "dash_core_components") });
  }

  /** @param {number} count */
  function countWords(count) {
    if (!count) return "No entry holds all of these words.";
    if (count === 1) return "1 entry";
    return count + " entries" + (count > MOST ? ", the first " + MOST + " shown" : "");
  }

  /**
   * What the page shows for a query: results, how many there are, and which of results and body is hidden.
   * @param {string | null} query
   * @param {HelpEntry[]} index
   */
  function search(query, index) {
    const asked = (query || "").trim();
    if (!asked) return [[], "", true, false];
    const found = thinice.helpEntries.find(asked, index);
    return [found.slice(0, MOST).map((entry) => result(entry, asked)), countWords(found.length), false, true];
  }

  /**
   * An anchor of the page that Help was once leads to the page that has it now.
   * @param {{ kinds: Record<string, string>, anchors: Record<string, string> }} former
   */
  function forward(former) {
    const name = decodeURIComponent(window.location.hash.slice(1));
    if (window.location.pathname !== "/help" || !name) return null;
    const page = former.kinds[name.split("-")[0] || ""];
    const address = former.anchors[name] || (page && page + "#" + name);
    if (!address) return null;
    window.history.replaceState({}, "", address);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    return address;
  }

  /** @returns {HTMLInputElement | null} */
  const field = () => document.querySelector(".help-search input");

  function clear() {
    const input = field();
    if (input) window.dash_clientside.set_props(input.id, { value: "" });
  }

  // Arrows walk from the field through the results and back, Enter opens the first, Escape clears.
  document.addEventListener("keydown", (event) => {
    const input = field();
    if (!input || event.ctrlKey || event.metaKey || event.altKey) return;
    /** @type {NodeListOf<HTMLElement>} */
    const links = document.querySelectorAll(".help-results a");
    const stops = [input, ...links];
    const place = stops.findIndex((stop) => stop === event.target);
    if (place < 0) return;
    const next = { ArrowDown: stops[place + 1], ArrowUp: stops[place - 1], Escape: input }[event.key];
    const opened = event.key === "Enter" && place === 0 ? stops[1] : undefined;
    if (event.key === "Escape") clear();
    if (next) next.focus();
    if (opened) opened.click();
    if (next || opened) event.preventDefault();
  });

  // A result on the page that is shown already: the field gives way to it.
  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest(".help-results a")) clear();
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, { helpSearch: { search, forward } });
})();
