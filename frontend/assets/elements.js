// Elements and events: what several scripts ask of them.
(function () {
  /**
   * The nearest element around an event's target that fits the selector.
   * @param {Event} event
   * @param {string} selector
   * @returns {HTMLElement | null}
   */
  function closest(event, selector) {
    return event.target instanceof Element ? event.target.closest(selector) : null;
  }

  /**
   * An attribute data-<name>; empty where the element has none.
   * @param {Element} element
   * @param {string} name
   */
  const data = (element, name) => element.getAttribute("data-" + name) || "";

  /**
   * A new element, not yet on the page.
   * @param {string} tag
   * @param {string} className
   * @param {string} [text]
   */
  function make(tag, className, text = "") {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text) element.textContent = text;
    return element;
  }

  /**
   * A new element of a drawing, not yet on the page.
   * @param {string} tag
   * @param {Record<string, string | number>} attributes
   * @param {string} [text]
   */
  function draw(tag, attributes, text = "") {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
    if (text) element.textContent = text;
    return element;
  }

  /**
   * A click that means "go there", not "open another tab".
   * @param {MouseEvent} event
   */
  function isPlainClick(event) {
    return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  }

  /** @type {ThinIce["elements"]} */
  const elements = { closest, data, make, draw, isPlainClick };
  window.thinice = Object.assign({}, window.thinice, { elements });
})();
