// Methods in the browser: what its controls say goes into the address, and a mark of a panel leads to what it is of.
(function () {
  // The page is built anew from its address; an empty field takes the key out of it.
  function choose(eps, method) {
    window.thinice.go({ eps: (eps || "").trim(), method }, false);
  }

  function openMark() {
    const pressed = window.dash_clientside.callback_context.triggered[0];
    const mark = pressed && pressed.value && pressed.value.points[0];
    const found = (mark && mark.customdata) || [];
    if (found.length > 1) window.thinice.visit("/compare", { dense: found[0], pruned: found[1] });
    else if (found.length) window.thinice.visit("/jobs", { evaluation: found[0] });
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, { methods: { choose, openMark } });
})();
