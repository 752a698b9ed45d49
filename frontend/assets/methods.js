// Methods in the browser: what its controls say goes into the address, and a mark of a panel leads to what it is of.
(function () {
  /**
   * The page is built anew from its address; an empty field takes the key out of it.
   * @param {string | null} eps
   * @param {string | null} method
   */
  function choose(eps, method) {
    thinice.go({ eps: (eps || "").trim(), method }, false);
  }

  function openMark() {
    const pressed = window.dash_clientside.callback_context.triggered[0];
    const data = /** @type {Marked<string[]> | null} */ (pressed ? pressed.value : null);
    const mark = data && data.points && data.points[0];
    const found = (mark && mark.customdata) || [];
    if (found.length > 1) thinice.visit("/compare", { dense: found[0], pruned: found[1] });
    else if (found.length) thinice.visit("/jobs", { evaluation: found[0] });
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { methods: { choose, openMark } });
})();
