// Which entries of Help a query finds, and in what order. Pure: tests call this in Node.
(function () {
  const WORDS_SHOWN = 180; // characters of an entry under its title
  const BEFORE = 60; // of them before the word looked for, where it stands far behind

  /**
   * The words of a query, in lower case.
   * @param {string} query
   */
  const split = (query) => query.toLowerCase().split(/\s+/).filter(Boolean);

  /**
   * How well an entry fits: smaller is better, null where a word is missing.
   * @param {string[]} tokens at least one, in lower case
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
   * The entries that hold every word of a query, best first; equals keep the order of the index.
   * @param {string} query
   * @param {HelpEntry[]} index
   * @returns {HelpEntry[]}
   */
  function find(query, index) {
    const tokens = split(query);
    if (!tokens.length) return [];
    /** @type {{ entry: HelpEntry, rank: number }[]} */
    const hits = [];
    for (const entry of index) {
      const rank = rate(tokens, entry[1], entry[3]);
      if (rank !== null) hits.push({ entry, rank });
    }
    return hits.sort((first, second) => first.rank - second.rank).map((hit) => hit.entry);
  }

  /**
   * The part of an entry's words around the first word looked for, cut between words.
   * @param {string} words
   * @param {string} query
   */
  function excerpt(words, query) {
    const spot = words.toLowerCase().indexOf(split(query)[0] || "");
    const from = spot > WORDS_SHOWN - BEFORE ? words.lastIndexOf(" ", spot - BEFORE) + 1 : 0;
    const isWhole = from + WORDS_SHOWN >= words.length;
    const end = isWhole ? words.length : words.lastIndexOf(" ", from + WORDS_SHOWN);
    return (from ? "… " : "") + words.slice(from, end) + (isWhole ? "" : " …");
  }

  /** @type {ThinIce["helpEntries"]} */
  const helpEntries = { find, excerpt };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { helpEntries });
})();
