// The card next to a mark of Compare's scatter: the sample's picture, labels and margins.
(function () {
  const ids = thinice.ids.compare;

  /**
   * The card for the mark next to the pointer; away with it where there is none.
   * @param {number} x
   * @param {number} y
   * @param {Shown} shown
   */
  function show(x, y, shown) {
    const card = document.getElementById(ids.HOVER);
    const image = document.getElementById(ids.HOVER_IMAGE);
    const text = document.getElementById(ids.HOVER_TEXT);
    if (!card || !image || !text) return;
    const mark = thinice.compareMarks.nearest(x, y, shown);
    card.hidden = mark === null;
    if (!mark) return;
    const index = String(shown.columns.index[mark.place]);
    if (card.getAttribute("data-index") !== index) {
      card.setAttribute("data-index", index);
      image.setAttribute("src", "/api/v1/datasets/" + shown.pair.dataset + "/samples/" + index + ".png");
      text.replaceChildren(...lines(mark.place, shown));
    }
    placeNextTo(card, mark.left, mark.top);
  }

  /**
   * Names and values in turn.
   * @param {number} place
   * @param {Shown} shown
   */
  function lines(place, { columns, pair }) {
    /** @param {number | undefined} label */
    const name = (label) => thinice.sampleTiles.className(pair, label);
    /** @param {ColumnsSide} side */
    function margin(side) {
      const stored = Number(side.margin[place]);
      return thinice.distances.words(Number.isFinite(stored) && pair.has_margins ? stored * pair.scale : null, pair);
    }
    const words = [
      name(columns.label[place]), "#" + columns.index[place],
      "Dense says", name(columns.dense.prediction[place]),
      "Pruned says", name(columns.pruned.prediction[place]),
      "Dense margin", margin(columns.dense),
      "Pruned margin", margin(columns.pruned),
    ];
    return words.map((text) => {
      const element = document.createElement("span");
      element.textContent = text;
      return element;
    });
  }

  /**
   * Show the card next to a mark, inside the window.
   * @param {HTMLElement} card
   * @param {number} left
   * @param {number} top
   */
  function placeNextTo(card, left, top) {
    const x = left + 16;
    const start = x + card.offsetWidth > window.innerWidth - 8 ? x - card.offsetWidth - 32 : x;
    card.style.left = Math.max(8, start) + "px";
    card.style.top = Math.max(8, Math.min(top - 20, window.innerHeight - card.offsetHeight - 8)) + "px";
  }

  document.addEventListener("pointermove", (event) => {
    const card = document.getElementById(ids.HOVER), shown = thinice.compareCut.shown();
    if (!card || !shown) return;
    if (!event.buttons && thinice.elements.closest(event, `#${ids.SCATTER}`)) show(event.clientX, event.clientY, shown);
    else card.hidden = true;
  });
  document.addEventListener("scroll", () => {
    const card = document.getElementById(ids.HOVER);
    if (card) card.hidden = true;
  }, { passive: true });
})();
