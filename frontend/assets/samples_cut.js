// Samples cut in the browser: the columns of a pair come once, then sentence, chips and wall follow every step at once.
(function () {
  const ids = thinice.ids.samples;
  /** @type {Shown | null} */
  let now = null;
  /** @type {Cut | null} */
  let wanted = null;
  /** @type {HeldPair | null} */
  let held = null;
  /** @type {number[]} */
  let places = [];
  /** @type {Element | null} */
  let shownPage = null;

  /** @param {Cut} cut */
  const listed = (cut) => [cut.view, cut.set, cut.label, cut.query["pick"], cut.isThin, cut.sort].join();
  /** @param {Shown} shown */
  const whole = ({ cut }) => [cut.epsText, cut.delta, listed(cut)].join();

  /** @type {Part[]} */
  const parts = [
    { name: "order", key: whole, draw: (shown) => { places = thinice.sampleLists.order(shown, shown.cut.set); } },
    { name: "sentence", key: whole, draw: drawSentence },
    { name: "chips", key: whole, draw: (shown) => thinice.plain.drawInto(ids.CHIPS, thinice.samplesParts.chipRows(shown)) },
    { name: "wall", key: (shown) => JSON.stringify(shown.cut.query) + whole(shown), draw: drawWall },
    { name: "sorts", key: ({ cut }) => cut.sort, draw: (shown) => thinice.plain.drawInto(ids.SORT, thinice.samplesParts.sortChoice(shown.cut, shown.pair)) },
    { name: "links", key: ({ cut }) => JSON.stringify(cut.query), draw: drawLinks },
  ];
  /** @type {Drawing | null} */
  let drawing = null;
  const drawn = () => (drawing = drawing || thinice.drawing.make(parts, () => (document.getElementById(ids.PAGE) ? now : null)));

  /**
   * Show the page at a cut, once the columns of the pair have come.
   * @param {Cut} cut
   * @param {ComparedPair} pair
   */
  async function cutAt(cut, pair) {
    wanted = cut;
    const page = document.getElementById(ids.PAGE);
    if (page !== shownPage) drawn().forget();
    shownPage = page;
    if (held && isSame(held.pair, pair)) held = { ...held, pair };
    else {
      const found = await thinice.pairColumns.load(pair);
      if (!found || !wanted || wanted.dense !== pair.dense || wanted.pruned !== pair.pruned) return;
      held = found;
    }
    now = thinice.sampleLists.shownAt(held, wanted, now);
    drawn().drawNext();
  }

  /**
   * @param {ComparedPair} first
   * @param {ComparedPair} second
   */
  const isSame = (first, second) => first.dense === second.dense && first.pruned === second.pruned && first.version === second.version;

  /** @param {Shown} shown */
  function drawSentence(shown) {
    const note = thinice.samplesParts.orderNote(shown, places);
    const words = { tag: "span", attributes: {}, children: thinice.samplesParts.sentence(shown, places.length) };
    const more = note ? [{ tag: "p", attributes: { class: "footnote" }, children: [note] }] : [];
    thinice.plain.drawInto(ids.SENTENCE, [words, ...more]);
  }

  /** @param {Shown} shown */
  function drawWall(shown) {
    const { count } = thinice.numbers, list = shown.cut.set === null ? "all" : null;
    const label = count(places.length) + (places.length === 1 ? " sample" : " samples");
    thinice.wall.show(ids.WALL, { places, label, tile: (place) => thinice.sampleTiles.tile(shown, place, list) });
    const nothing = document.getElementById(ids.NOTHING);
    if (nothing) nothing.hidden = places.length > 0;
  }

  /** @param {Shown} shown */
  function drawLinks({ cut }) {
    const href = thinice.sampleLists.address("/compare", cut, { list: null });
    thinice.plain.drawInto(ids.LINKS, [{ tag: "a", attributes: { href, class: "button", "data-visit": "" }, children: ["Compare"] }]);
  }

  /** @type {ThinIce["samplesCut"]} */
  const samplesCut = { cutAt };
  window.thinice = Object.assign({}, window.thinice, { samplesCut });
})();
