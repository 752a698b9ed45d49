// Compare in the browser: the address as state, the sliders and filters that write it, and what a key or a row opens.
(function () {
  const ids = thinice.ids.compare;
  const isHere = () => window.location.pathname === "/compare";

  /** @type {Sliders | null} */
  let made = null;
  function sliders() {
    const page = { EPS_TEXT: ids.EPS_TEXT, DELTA_TEXT: ids.DELTA_TEXT, isHere };
    made = made || thinice.sliders.make({ ...page, cutAt: (cut, pair) => { void thinice.compareCut.cutAt(cut, pair); } });
    return made;
  }

  /**
   * The address has changed: cut the page there, and move the controls that stand elsewhere.
   * @param {string | null} search
   * @param {ComparedPair | null} pair
   * @param {{ eps: string | null } | null} current
   * @param {unknown[]} controls
   */
  function read(search, pair, current, ...controls) {
    const none = window.dash_clientside.no_update, cut = sliders().follow(search, pair);
    if (!cut || !pair) return [none, none, none, none, none, none];
    const followed = { dense: pair.dense, pruned: pair.pruned, eps: cut.query["eps"] || null, view: cut.view };
    const label = cut.query["class"] || null, shown = cut.eps * pair.scale;
    const wanted = [shown, cut.delta, cut.view, label, cut.set].map((value, place) => {
      const own = controls[place];
      const isSame = typeof value === "number" ? thinice.distances.isNear(value, Number(own)) : value === (own || null);
      return isSame ? none : value;
    });
    return [JSON.stringify(followed) === JSON.stringify(current) ? none : followed, ...wanted];
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

  /**
   * @param {string} view
   * @param {string | null} label
   * @param {string | null} chosen
   */
  function choose(view, label, chosen) {
    thinice.go({ view: view === "clean" ? null : view, class: label, set: chosen }, false);
  }

  // Escape closes the picker, or else removes the filters; a click outside of the picker closes it too.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !isHere() || event.defaultPrevented) return;
    const picker = document.querySelector(".picker-holder[open]");
    if (picker) picker.removeAttribute("open");
    else if (!thinice.elements.closest(event, "input")) thinice.go({ class: null, set: null, thin: null, pick: null }, false);
  });
  document.addEventListener("pointerdown", (event) => {
    const picker = document.querySelector(".picker-holder[open]");
    if (picker && !thinice.elements.closest(event, ".picker-holder, [role=listbox]")) picker.removeAttribute("open");
  });

  /**
   * @param {number | null} clicks
   * @param {string | null} dense
   * @param {string | null} pruned
   */
  function pick(clicks, dense, pruned) {
    if (!clicks || !dense || !pruned) return;
    thinice.go({ dense, pruned, eps: null, delta: null, class: null, set: null, thin: null, pick: null }, false);
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    compare: { read, slideEps, slideDelta, choose, pick },
  });

  // A sample's number in the table leads to its page, and from there Esc to exactly this comparison.
  const components = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  components.SampleLink = function (props) {
    const shown = thinice.compareCut.shown();
    const href = shown ? thinice.sampleLists.address("/sample", shown.cut, { index: props.value }) : "";
    return window.React.createElement("a", { href, "data-visit": "" }, String(props.value));
  };
})();
