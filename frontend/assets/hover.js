// The card next to a mark of Compare's scatter: the sample's picture, labels and margins.
(function () {
  const ids = thinice.ids.compare;

  /**
   * The card for a mark under the pointer; away with it where there is none.
   * @param {Marked<number> | null} data
   * @param {Points | null} points
   * @param {ComparedPair} pair
   */
  function show(data, points, pair) {
    const card = document.getElementById(ids.HOVER);
    if (!card) return;
    const mark = data && data.points && data.points[0];
    if (!mark || !points || mark.customdata === undefined || !mark.bbox) {
      card.hidden = true;
      return;
    }
    const labels = points.labels[points.index.indexOf(mark.customdata)];
    const image = document.getElementById(ids.HOVER_IMAGE);
    const text = document.getElementById(ids.HOVER_TEXT);
    if (!labels || !image || !text) return;
    image.setAttribute("src", "/api/v1/datasets/" + pair.dataset + "/samples/" + mark.customdata + ".png");
    text.replaceChildren(...lines(mark.customdata, points, pair));
    placeNextTo(card, mark.bbox);
  }

  /**
   * Names and values in turn.
   * @param {number} index
   * @param {Points} points
   * @param {ComparedPair} pair
   */
  function lines(index, points, pair) {
    const place = points.index.indexOf(index);
    const [label = "", dense = "", pruned = ""] = points.labels[place] || [];
    const words = [
      label, "#" + index,
      "Dense says", dense,
      "Pruned says", pruned,
      "Dense margin", thinice.distances.words(points.dense[place], pair),
      "Pruned margin", thinice.distances.words(points.pruned[place], pair),
    ];
    return words.map((text) => {
      const element = document.createElement("span");
      element.textContent = text;
      return element;
    });
  }

  /**
   * Show the card next to a mark of the scatter, inside the window.
   * @param {HTMLElement} card
   * @param {{ x1: number, y0: number }} box
   */
  function placeNextTo(card, box) {
    const scatter = thinice.charts.find(ids.SCATTER);
    if (!scatter) return;
    const plot = scatter.getBoundingClientRect();
    const x = plot.left + box.x1 + 12;
    const y = plot.top + box.y0;
    card.hidden = false;
    const left = x + card.offsetWidth > window.innerWidth - 8 ? x - card.offsetWidth - 28 : x;
    card.style.left = Math.max(8, left) + "px";
    card.style.top = Math.max(8, Math.min(y - 20, window.innerHeight - card.offsetHeight - 8)) + "px";
  }

  document.addEventListener("pointermove", (event) => {
    const card = document.getElementById(ids.HOVER);
    if (card && !card.hidden && !thinice.elements.closest(event, `#${ids.SCATTER}`)) card.hidden = true;
  });
  document.addEventListener("scroll", () => {
    const card = document.getElementById(ids.HOVER);
    if (card) card.hidden = true;
  }, { passive: true });

  window.dash_clientside = Object.assign({}, window.dash_clientside, { hover: { show } });
})();
