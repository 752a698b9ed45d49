// Samples in the browser: the sliders and the address follow each other, and keys press chips.
(function () {
  const ids = thinice.ids.samples;
  const TYPED = "input, textarea, select, [contenteditable], [role=dialog]";
  const isHere = () => window.location.pathname === "/samples";

  /** @type {Sliders | null} */
  let made = null;
  function sliders() {
    const page = { EPS_TEXT: ids.EPS_TEXT, DELTA_TEXT: ids.DELTA_TEXT, isHere };
    made = made || thinice.sliders.make({ ...page, cutAt: (cut, pair) => { void thinice.samplesCut.cutAt(cut, pair); } });
    return made;
  }

  /**
   * @param {string | null} search
   * @param {ComparedPair | null} pair
   * @param {number[]} controls
   */
  function read(search, pair, ...controls) {
    const none = window.dash_clientside.no_update, cut = sliders().follow(search, pair);
    if (!cut || !pair) return [none, none];
    return [cut.eps * pair.scale, cut.delta].map((value, place) =>
      (thinice.distances.isNear(value, Number(controls[place])) ? none : value));
  }

  /**
   * @param {number} value
   * @param {ComparedPair} pair
   */
  const slideEps = (value, pair) => sliders().slide("eps", value, pair);

  /**
   * @param {number} value
   * @param {ComparedPair} pair
   */
  const slideDelta = (value, pair) => sliders().slide("delta", value, pair);

  window.dash_clientside = Object.assign({}, window.dash_clientside, { samples: { read, slideEps, slideDelta } });

  document.addEventListener("keydown", (event) => {
    if (!isHere() || event.metaKey || event.ctrlKey || event.altKey || thinice.elements.closest(event, TYPED)) return;
    if (thinice.elements.closest(event, "[role=slider]") && event.key !== "Escape") return;
    /** @type {HTMLElement | null} */
    const chip = document.querySelector(`#${ids.PAGE} [data-key="${CSS.escape(event.key)}"]`);
    if (!chip) return;
    event.preventDefault();
    chip.click();
  });
})();
