// The words of the glossary in a text: where they stand, and what each means. Pure: tests call this in Node.
(function () {
  /**
   * How to find the words: the longest form first, whole words only, also in the plural.
   * @param {Hint[]} hints
   * @returns {TermFinder}
   */
  function finder(hints) {
    /** @type {Map<string, Hint>} */
    const byForm = new Map();
    for (const hint of hints) for (const form of hint.forms) byForm.set(form, hint);
    const forms = [...byForm.keys()].sort((a, b) => b.length - a.length);
    const escaped = forms.map((form) => form.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return { byForm, pattern: new RegExp("(?<![\\p{L}\\p{N}_-])(" + escaped.join("|") + ")(?:s|es)?(?![\\p{L}\\p{N}_-])", "giu") };
  }

  /**
   * @param {string} text
   * @param {TermFinder} words
   * @returns {{ start: number, end: number, hint: Hint }[]}
   */
  function find(text, words) {
    return Array.from(text.matchAll(words.pattern)).flatMap((match) => {
      const hint = words.byForm.get((match[1] || "").toLowerCase());
      return hint ? [{ start: match.index, end: match.index + match[0].length, hint }] : [];
    });
  }

  /** @type {ThinIce["termTexts"]} */
  const termTexts = { finder, find };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { termTexts });
})();
