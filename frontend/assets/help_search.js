// Help: looks through the entries of all its pages as one types, and leads addresses of the former single page on.
(function () {
  const MOST = 30; // results shown; the count says how many there are
  const WORDS_SHOWN = 180; // characters of an entry under its title

  /**
   * How well an entry fits: smaller is better, null where a word is missing. `tokens` in lower case, at least one.
   * @param {string[]} tokens
   * @param {string} title
   * @param {string} words
   * @returns {number | null}
   */
  function rate(tokens, title, words) {
    const name = title.toLowerCase();
    const all = name + " " + words.toLowerCase();
    if (!tokens.every((token) => all.includes(token))) return null;
    const query = tokens.join(" ");
    const forms = name.split(/, |: /);
    if (forms.includes(query)) return forms[0] === query ? 0 : 1;
    if (name.startsWith(query)) return 2;
    const pieces = name.split(/[^a-z0-9ε.δ]+/);
    if (tokens.every((token) => pieces.some((piece) => piece.startsWith(token)))) return 3;
    return tokens.every((token) => name.includes(token)) ? 4 : 5;
  }

  /**
   * The entries that hold every word of a query, best first.
   * @param {string} query
   * @param {string[][]} index address, title, kind and words of each entry
   */
  function find(query, index) {
    const tokens = query.toLowerCase().split(/\s+/).filter(Boolean);
    if (!tokens.length) return [];
    return index
      .map((entry, place) => ({ entry, place, rank: rate(tokens, entry[1] || "", entry[3] || "") }))
      .filter((hit) => hit.rank !== null)
      .sort((first, second) => (first.rank || 0) - (second.rank || 0) || first.place - second.place)
      .map((hit) => hit.entry);
  }

  /**
   * The part of an entry's words around the first word looked for.
   * @param {string} words
   * @param {string} query
   */
  function excerpt(words, query) {
    const token = query.toLowerCase().split(/\s+/).filter(Boolean)[0] || "";
    const spot = words.toLowerCase().indexOf(token);
    const from = spot > WORDS_SHOWN - 40 ? words.lastIndexOf(" ", spot - 60) + 1 : 0;
    const isWhole = from + WORDS_SHOWN >= words.length;
    const end = isWhole ? words.length : words.lastIndexOf(" ", from + WORDS_SHOWN);
    return (from ? "… " : "") + words.slice(from, end) + (isWhole ? "" : " …");
  }

  const html = (type, props) => ({ namespace: "dash_html_components", type, props });

  function result(entry, query) {
    const [address, title, kind, words] = entry;
    const children = [
      html("Span", { children: title, className: "help-found-title" }),
      html("Span", { children: kind, className: "help-found-kind" }),
      html("Span", { children: excerpt(words, query), className: "help-found-words" }),
    ];
    const link = { namespace: "dash_core_components", type: "Link", props: { href: address, children } };
    return html("Li", { children: link });
  }

  /** What the page shows for a query: results, how many there are, and which of results and body is hidden. */
  function search(query, index) {
    const asked = (query || "").trim();
    if (!asked) return [[], "", true, false];
    const found = find(asked, index);
    const shown = found.slice(0, MOST).map((entry) => result(entry, asked));
    const count = found.length === 1 ? "1 entry" : found.length + " entries";
    const more = found.length > MOST ? ", the first " + MOST + " shown" : "";
    const words = found.length ? count + more : "No entry holds all of these words.";
    return [shown, words, false, true];
  }

  /** An anchor of the page that Help was once leads to the page that has it now. */
  function forward(former) {
    const name = decodeURIComponent(window.location.hash.slice(1));
    if (window.location.pathname !== "/help" || !name) return null;
    const page = former.kinds[name.split("-")[0]];
    const address = former.anchors[name] || (page && page + "#" + name);
    if (!address) return null;
    window.history.replaceState({}, "", address);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    return address;
  }

  const field = () => document.querySelector('.help-search input');
  const links = () => Array.from(document.querySelectorAll(".help-results a"));

  function clear() {
    const input = field();
    if (input) window.dash_clientside.set_props(input.id, { value: "" });
  }

  // Arrows walk from the field through the results and back, Enter opens the first, Escape clears.
  document.addEventListener("keydown", (event) => {
    const input = field();
    if (!input || event.ctrlKey || event.metaKey || event.altKey) return;
    const found = links();
    const place = event.target === input ? -1 : found.indexOf(event.target);
    if (place < 0 && event.target !== input) return;
    if (event.key === "Escape") { clear(); input.focus(); }
    else if (event.key === "Enter" && place < 0 && found.length) found[0].click();
    else if (event.key === "ArrowDown" && place + 1 < found.length) found[place + 1].focus();
    else if (event.key === "ArrowUp" && place >= 0) (place === 0 ? input : found[place - 1]).focus();
    else return;
    event.preventDefault();
  });

  // A result on the page that is shown already: the field gives way to it.
  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest(".help-results a")) clear();
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, { helpSearch: { find, search, forward } });
})();
