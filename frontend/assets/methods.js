// Methods in the browser: what its controls say goes into the address, a mark of a panel leads to what it is of, and
// the boxes of the table choose what the page of several checkpoints shows.
(function () {
  const ids = thinice.ids.methods;
  const MOST = 8; // checkpoints side by side

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

  /** The boxes that are ticked, in the order of the table. */
  const ticked = () => Array.from(document.querySelectorAll("[data-pick][aria-checked=true]"));

  /** Say how many are chosen, with the way to see them side by side; `picked_line` of the page says it at first. */
  function showPicked() {
    const holder = document.getElementById(ids.PICKED), boxes = ticked(), [first] = boxes;
    if (!holder) return;
    if (!first) {
      thinice.plain.draw(holder, ["Tick up to " + MOST + " checkpoints to compare them sample by sample."]);
      return;
    }
    const query = {
      dense: thinice.elements.data(first, "dense"),
      pruned: boxes.map((box) => thinice.elements.data(box, "pick")).join(","),
      view: "robust",
      eps: thinice.elements.data(holder, "eps"),
    };
    const words = boxes.length === 1 ? "Show the chosen one" : "Compare the " + boxes.length + " chosen";
    thinice.plain.draw(holder, [
      { tag: "a", attributes: { class: "button button-primary", "data-visit": "", href: thinice.address("/several", query) }, children: [words] },
      { tag: "button", attributes: { class: "button button-quiet", "data-unpick": "" }, children: ["Clear"] },
      boxes.length >= MOST ? MOST + " is the most." : "",
    ]);
  }

  /** The address keeps the choice, so that a reload shows it again. */
  function keepPicked() {
    showPicked();
    thinice.go({ pick: ticked().map((box) => thinice.elements.data(box, "pick")).join(",") }, true);
  }

  document.addEventListener("click", (event) => {
    const box = thinice.elements.closest(event, "[data-pick]");
    if (box) {
      const isOn = box.getAttribute("aria-checked") === "true";
      if (isOn || ticked().length < MOST) box.setAttribute("aria-checked", String(!isOn));
      keepPicked();
    }
    if (thinice.elements.closest(event, `#${ids.PICKED} [data-unpick]`)) {
      for (const one of ticked()) one.setAttribute("aria-checked", "false");
      keepPicked();
    }
  });

  window.dash_clientside = Object.assign({}, window.dash_clientside, { methods: { choose, openMark } });
})();
