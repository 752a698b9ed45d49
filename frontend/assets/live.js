// Cells that change while work runs. The server sends {key: {text, width, value, title}}; the element with
// data-live="key" takes them in place, because Dash would mount a new element, and focus would be lost.
(function () {
  /** @type {HTMLElement | null} */
  let focused = null;

  /** @param {Record<string, Cell> | null} cells */
  function patch(cells) {
    for (const [key, cell] of Object.entries(cells || {})) {
      /** @type {NodeListOf<HTMLElement>} */
      const elements = document.querySelectorAll('[data-live="' + CSS.escape(key) + '"]');
      elements.forEach((element) => {
        if (cell.text !== undefined && element.textContent !== cell.text) element.textContent = cell.text;
        if (cell.width !== undefined) element.style.width = cell.width;
        if (cell.value !== undefined) element.setAttribute("aria-valuenow", String(cell.value));
        if (cell.title !== undefined) element.title = cell.title;
      });
    }
    restoreFocus();
  }

  /**
   * A mark of a figure that stands for an evaluation leads to its record.
   * @param {Marked<string> | null} data
   */
  function openEvaluation(data) {
    const mark = data && data.points && data.points[0];
    if (mark && mark.customdata) thinice.visit("/jobs", { evaluation: mark.customdata });
  }

  // A table that was built anew takes the focus back to the same control of the same row.
  document.addEventListener("focusin", (event) => {
    focused = event.target instanceof HTMLElement && event.target.id ? event.target : null;
  });

  function restoreFocus() {
    if (!focused || focused.isConnected) return;
    if (document.activeElement && document.activeElement !== document.body) return;
    const again = document.getElementById(focused.id) || rowControl(thinice.elements.data(focused, "row"));
    if (again) again.focus({ preventScroll: true });
  }

  /**
   * Cancel becomes Resume: another control, but the same row.
   * @param {string} row
   * @returns {HTMLElement | null}
   */
  function rowControl(row) {
    return row ? document.querySelector('[data-row="' + CSS.escape(row) + '"]') : null;
  }

  // What cannot be taken back asks once more: the first press arms the button, the second within 10 s confirms.
  document.addEventListener(
    "click",
    (event) => {
      const button = thinice.elements.closest(event, "[data-confirm]");
      if (!button || button.classList.contains("is-armed")) return;
      event.stopPropagation();
      event.preventDefault();
      const words = button.textContent;
      button.classList.add("is-armed");
      button.textContent = button.getAttribute("data-confirm");
      window.setTimeout(() => {
        if (!button.isConnected) return;
        button.classList.remove("is-armed");
        button.textContent = words;
      }, 10000);
    },
    true
  );

  window.thinice = Object.assign({}, window.thinice, { live: { patch } });
  window.dash_clientside = Object.assign({}, window.dash_clientside, { live: { patch, openEvaluation } });
})();
