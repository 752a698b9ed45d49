// Elements that the scripts draw themselves: described as data, and changed in place where they differ, so that
// focus, loaded images and scroll positions stay. Dash knows nothing of what stands inside of such an element.
// What another script added there (`data-added`) stays; a table says when it is drawn anew (`drawing`).
(function () {
  /** @type {WeakMap<Element, string>} */
  const keys = new WeakMap();

  /** @param {Tree} wanted */
  const keyOf = (wanted) => wanted.attributes["key"] || "";

  /** @param {Tree} wanted */
  function build(wanted) {
    const element = document.createElement(wanted.tag);
    if (keyOf(wanted)) keys.set(element, keyOf(wanted));
    setAttributes(element, wanted);
    draw(element, wanted.children);
    return element;
  }

  /**
   * @param {Element} element
   * @param {Tree} wanted
   */
  function setAttributes(element, wanted) {
    for (const name of element.getAttributeNames()) {
      if (name !== "open" && (wanted.attributes[name] ?? null) === null) element.removeAttribute(name);
    }
    for (const [name, value] of Object.entries(wanted.attributes)) {
      if (name !== "key" && value !== null && element.getAttribute(name) !== value) element.setAttribute(name, value);
    }
  }

  /**
   * Whether an element can become what is wanted without being another one.
   * @param {ChildNode | undefined | null} node
   * @param {Tree} wanted
   * @returns {node is Element}
   */
  function fits(node, wanted) {
    return node instanceof Element && node.localName === wanted.tag && (keys.get(node) || "") === keyOf(wanted);
  }

  /**
   * The first node from here on that no other script added.
   * @param {ChildNode | null} node
   * @returns {ChildNode | null}
   */
  function own(node) {
    return node instanceof Element && node.hasAttribute("data-added") ? own(node.nextSibling) : node;
  }

  /**
   * Make the children of an element what is wanted.
   * @param {Element} holder
   * @param {(Tree | string)[]} wanted
   */
  function draw(holder, wanted) {
    /** @type {Map<string, Element>} */
    const keyed = new Map();
    for (const child of holder.children) {
      const key = keys.get(child);
      if (key) keyed.set(key, child);
    }
    let next = own(holder.firstChild);
    for (const one of wanted) {
      const node = typeof one === "string" ? textFor(next, one) : elementFor(next, one, keyed);
      if (node === next) next = own(node.nextSibling);
      else holder.insertBefore(node, next);
    }
    while (next) {
      const gone = next;
      next = own(next.nextSibling);
      gone.remove();
    }
  }

  /**
   * @param {ChildNode | null} node
   * @param {string} text
   */
  function textFor(node, text) {
    if (!(node instanceof Text)) return document.createTextNode(text);
    if (node.data !== text) node.data = text;
    return node;
  }

  /**
   * @param {ChildNode | null} node
   * @param {Tree} wanted
   * @param {Map<string, Element>} keyed
   */
  function elementFor(node, wanted, keyed) {
    const found = fits(node, wanted) ? node : keyed.get(keyOf(wanted));
    if (!found || !fits(found, wanted)) return build(wanted);
    if (wanted.tag === "table") found.dispatchEvent(new Event("drawing", { bubbles: true }));
    setAttributes(found, wanted);
    draw(found, wanted.children);
    return found;
  }

  /**
   * The same by the id of the element; nothing where the page has none.
   * @param {string} id
   * @param {(Tree | string)[]} wanted
   */
  function drawInto(id, wanted) {
    const holder = document.getElementById(id);
    if (holder) draw(holder, wanted);
  }

  /** Draw what a page sent as data (`lighten` of the server), in the moment in which it comes, before it is painted. */
  function unfold() {
    for (const holder of document.querySelectorAll("[data-plain]")) {
      const wanted = JSON.parse(holder.getAttribute("data-plain") || "[]");
      holder.removeAttribute("data-plain");
      draw(holder, wanted);
    }
  }

  if (globalThis.document) {
    const seen = { childList: true, subtree: true, attributes: true, attributeFilter: ["data-plain"] };
    new MutationObserver(unfold).observe(document.documentElement, seen);
  }

  /** @type {ThinIce["plain"]} */
  const plain = { draw, drawInto };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { plain });
})();
