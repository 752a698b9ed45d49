// What a word means: under the pointer, and with the key w for all words of the page. The words are those of the
// glossary, in whatever text they stand; nothing of the page is changed for it (they are marked as highlights).
(function () {
  const REST = 350; // milliseconds that the pointer rests on a word
  const MARKED = "h2, h3, th, .number-label, .card-note, .rule"; // where the first of each word is marked
  const PASSED = "a, button, input, textarea, select, svg, [role=slider], [role=menu], .tile";
  /** @type {TermFinder | null} */
  let words = null;
  /** @type {HTMLElement | null} */
  let tip = null;
  let timer = 0, isPlanned = false;

  const page = () => document.getElementById(thinice.ids.shell.PAGE);

  /** Null where the glossary cannot be had: the page is being left, or the server is away. */
  async function loadWords() {
    const link = document.getElementById("glossary");
    try {
      if (!words && link instanceof HTMLLinkElement) words = thinice.termTexts.finder(await (await fetch(link.href)).json());
    } catch {
      return null;
    }
    return words;
  }

  /**
   * The words of some elements, each with the place where it stands first.
   * @param {Iterable<Element>} elements
   * @param {TermFinder} known
   */
  function collect(elements, known) {
    /** @type {Map<Hint, Range>} */
    const found = new Map();
    for (const element of elements) {
      const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
      for (let text = texts.nextNode(); text; text = texts.nextNode()) {
        if (text.parentElement?.closest(PASSED)) continue;
        for (const { start, end, hint } of thinice.termTexts.find(text.textContent || "", known)) {
          if (!found.has(hint)) found.set(hint, rangeOf(text, start, end));
        }
      }
    }
    return found;
  }

  /**
   * @param {Node} text
   * @param {number} start
   * @param {number} end
   */
  function rangeOf(text, start, end) {
    const range = document.createRange();
    range.setStart(text, start);
    range.setEnd(text, end);
    return range;
  }

  async function mark() {
    const holder = page();
    if (!holder || !("highlights" in CSS)) return;
    const known = await loadWords();
    if (!known) return;
    const found = collect(holder.querySelectorAll(MARKED), known);
    CSS.highlights.set("terms", new Highlight(...found.values()));
  }

  // A page that settles has its words marked.
  function plan() {
    if (isPlanned) return;
    isPlanned = true;
    window.setTimeout(() => {
      isPlanned = false;
      void mark();
    }, 1000);
  }

  /**
   * The word under a point of the window.
   * @param {number} x
   * @param {number} y
   * @param {TermFinder} known
   */
  function wordAt(x, y, known) {
    const caret = document.caretPositionFromPoint?.(x, y), range = caret ? null : document.caretRangeFromPoint?.(x, y);
    const text = caret ? caret.offsetNode : range?.startContainer, offset = caret ? caret.offset : Number(range?.startOffset);
    if (!(text instanceof Text) || text.parentElement?.closest(PASSED)) return null;
    for (const { start, end, hint } of thinice.termTexts.find(text.data, known)) {
      if (offset < start || offset > end) continue;
      const box = rangeOf(text, start, end).getBoundingClientRect();
      if (x >= box.left && x <= box.right && y >= box.top && y <= box.bottom) return { hint, box };
    }
    return null;
  }

  function hide() {
    window.clearTimeout(timer);
    tip?.remove();
    tip = null;
  }

  /**
   * @param {Hint} hint
   * @param {DOMRect} box of the word
   */
  function show(hint, box) {
    hide();
    tip = thinice.elements.make("div", "term-tip");
    tip.setAttribute("role", "tooltip");
    tip.append(thinice.elements.make("strong", "", hint.name), " " + hint.means);
    document.body.append(tip);
    const own = tip.getBoundingClientRect(), isBelow = box.bottom + own.height + 8 < window.innerHeight;
    tip.style.left = Math.max(8, Math.min(box.left, window.innerWidth - own.width - 8)) + "px";
    tip.style.top = (isBelow ? box.bottom + 6 : Math.max(8, box.top - own.height - 6)) + "px";
  }

  document.addEventListener("mousemove", (event) => {
    hide();
    if (event.buttons || !(event.target instanceof Element) || !event.target.closest(`#${thinice.ids.shell.PAGE}`)) return;
    const { clientX, clientY } = event;
    timer = window.setTimeout(async () => {
      const known = await loadWords(), word = known && wordAt(clientX, clientY, known);
      if (word) show(word.hint, word.box);
    }, REST);
  }, { passive: true });
  for (const name of ["scroll", "keydown", "mousedown"]) document.addEventListener(name, hide, { passive: true, capture: true });
  document.addEventListener("mouseleave", hide);

  // All words of the page with their meaning, for who reads by keyboard or touch.
  async function list() {
    const holder = page(), known = await loadWords();
    if (!holder || !known) return;
    const found = [...collect([holder], known).keys()].sort((a, b) => a.name.localeCompare(b.name));
    const dialog = document.createElement("dialog");
    dialog.className = "keys-dialog terms-dialog";
    const title = thinice.elements.make("h2", "", found.length ? "Words on this page" : "No word of the glossary is on this page");
    title.id = "terms-title";
    dialog.setAttribute("aria-labelledby", title.id);
    const close = thinice.elements.make("button", "button", "Close");
    close.addEventListener("click", () => dialog.close());
    const head = thinice.elements.make("div", "keys-head"), listed = thinice.elements.make("dl", "key-words");
    head.append(title, close);
    for (const { name, means, href } of found) {
      const link = document.createElement("a"), term = document.createElement("dt");
      link.href = href;
      link.textContent = name;
      term.append(link);
      listed.append(term, thinice.elements.make("dd", "", means));
    }
    dialog.append(head, listed);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }

  new MutationObserver(plan).observe(document.documentElement, { childList: true, subtree: true });
  window.thinice = Object.assign({}, window.thinice, { terms: { list } });
})();
