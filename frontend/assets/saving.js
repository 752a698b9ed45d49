// What is on the screen as a file: a figure as PNG or SVG, a table as CSV, Parquet, Markdown or LaTeX; and a card on the
// full screen. The name of a file says the page, the networks, the cut and the figure.
(function () {
  const SCALE = 2; // pixels of a PNG for one of the screen
  /** @type {Record<string, Record<string, string>>} */
  const FORMATS = {
    figure: { png: "PNG", svg: "SVG" },
    table: { csv: "CSV", parquet: "Parquet", md: "Markdown", tex: "LaTeX" },
  };
  /** @type {Record<string, string>} */
  const MEDIA = { csv: "text/csv", md: "text/markdown", tex: "application/x-tex" };
  const CUT = ["eps", "delta", "view", "class", "set"];

  /**
   * A menu that opens: a button for each format, and the full screen.
   * @param {"figure" | "table"} kind
   * @param {string} label
   */
  function menu(kind, label) {
    const holder = document.createElement("details");
    holder.className = "save-menu";
    const opener = document.createElement("summary");
    opener.textContent = "Save";
    opener.setAttribute("aria-label", "Save: " + label);
    const list = thinice.elements.make("div", "save-list");
    for (const [format, words] of Object.entries(FORMATS[kind] || {})) list.append(choice(words, { save: format, label }));
    if (document.fullscreenEnabled) list.append(choice("Full screen", { full: "1", label }));
    holder.append(opener, list);
    return holder;
  }

  /**
   * @param {string} words
   * @param {Record<string, string>} values
   */
  function choice(words, values) {
    const button = thinice.elements.make("button", "button button-quiet", words);
    for (const [name, value] of Object.entries(values)) button.setAttribute("data-" + name, value);
    return button;
  }

  /**
   * The name of a file without its end: the page, the networks, the cut, and what it is.
   * @param {string} label
   */
  function fileName(label) {
    const { slug } = thinice.tableTexts;
    const query = new URLSearchParams(window.location.search);
    const names = Array.from(document.querySelectorAll("h1 .name")).map((name) => slug(name.textContent || ""));
    const page = slug(document.title.split(" · ")[0] || "thin-ice");
    const cut = CUT.filter((key) => query.get(key)).map((key) => `${key}-${slug(query.get(key) || "")}`);
    return [page, names.join("-vs-"), ...cut, slug(label)].filter(Boolean).join("_");
  }

  /**
   * @param {Blob} content
   * @param {string} name
   */
  function offer(content, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(content);
    link.download = name;
    link.click();
    window.setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  /**
   * The figure as it is drawn now, in one SVG. (Plotly's own export draws the figure anew, without our marks.)
   * @param {Element} plot
   */
  function drawing(plot) {
    const layers = Array.from(plot.querySelectorAll("svg.main-svg"));
    const box = layers[0]?.getBoundingClientRect();
    if (!layers[0] || !box) return null;
    const whole = /** @type {SVGElement} */ (layers[0].cloneNode(false));
    const ground = /** @type {SVGElement} */ (document.createElementNS(layers[0].namespaceURI, "rect"));
    const card = plot.closest(".card") || document.body;
    ground.setAttribute("width", "100%");
    ground.setAttribute("height", "100%");
    ground.setAttribute("fill", window.getComputedStyle(card).backgroundColor);
    whole.append(ground);
    for (const layer of layers) for (const part of Array.from(layer.children)) whole.append(part.cloneNode(true));
    whole.querySelectorAll(".hoverlayer > *, .dragcover").forEach((part) => part.remove());
    whole.setAttribute("viewBox", `0 0 ${box.width} ${box.height}`);
    whole.setAttribute("font-family", window.getComputedStyle(document.body).fontFamily);
    return { text: new XMLSerializer().serializeToString(whole), width: box.width, height: box.height };
  }

  /**
   * @param {Element} plot
   * @param {string} format
   * @param {string} name
   */
  async function saveFigure(plot, format, name) {
    const drawn = drawing(plot);
    if (!drawn) return;
    const vector = new Blob([drawn.text], { type: "image/svg+xml" });
    if (format === "svg") {
      offer(vector, name);
      return;
    }
    const image = new Image();
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(drawn.text);
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = SCALE * drawn.width;
    canvas.height = SCALE * drawn.height;
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => blob && offer(blob, name), "image/png");
  }

  /**
   * @param {HTMLElement} bar
   * @param {string} format
   * @param {string} name
   */
  async function saveTable(bar, format, name) {
    const found = thinice.tables.read(bar);
    if (!found) return;
    if (format === "parquet") {
      const [headings, ...rows] = found.rows;
      const headers = { "Content-Type": "application/json" };
      const response = await fetch("/api/v1/tables", { method: "POST", headers, body: JSON.stringify({ headings, rows }) });
      bar.querySelector("[role=alert]")?.remove();
      if (response.ok) {
        offer(await response.blob(), name);
        return;
      }
      const refusal = thinice.elements.make("span", "small", (await response.json()).error.message);
      refusal.setAttribute("role", "alert");
      bar.append(refusal);
      return;
    }
    const { csv, markdown, latex } = thinice.tableTexts;
    const text = format === "csv" ? csv(found.rows) : (format === "md" ? markdown : latex)(found.rows, found.numeric);
    offer(new Blob([text], { type: MEDIA[format] + ";charset=utf-8" }), name);
  }

  document.addEventListener("click", (event) => {
    const button = thinice.elements.closest(event, "[data-save], [data-full]");
    const inside = thinice.elements.closest(event, ".save-menu");
    document.querySelectorAll(".save-menu[open]").forEach((open) => {
      if (open !== inside || button) open.removeAttribute("open");
    });
    if (!button || !inside) return;
    const format = thinice.elements.data(button, "save"), name = `${fileName(thinice.elements.data(button, "label"))}.${format}`;
    const bar = /** @type {HTMLElement | null} */ (inside.parentElement);
    if (!format) void bar?.closest(".card")?.requestFullscreen();
    else if (bar?.classList.contains("plot-tools")) {
      const plot = bar.parentElement?.querySelector(".js-plotly-plot");
      if (plot) void saveFigure(plot, format, name);
    } else if (bar) void saveTable(bar, format, name);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll(".save-menu[open]").forEach((open) => {
      open.removeAttribute("open");
      open.querySelector("summary")?.focus();
    });
  });
  document.addEventListener("fullscreenchange", () => window.dispatchEvent(new Event("resize"))); // figures fit anew

  // Each figure gets its menu, next to the numbers that open under it.
  function equip() {
    document.querySelectorAll(".plot").forEach((plot) => {
      const holder = plot.parentElement;
      if (!holder || holder.querySelector(":scope > .plot-tools")) return;
      const bar = thinice.elements.make("div", "plot-tools");
      bar.append(menu("figure", plot.getAttribute("aria-label") || "figure"));
      plot.after(bar);
    });
  }
  new MutationObserver(equip).observe(document.documentElement, { childList: true, subtree: true });

  window.thinice = Object.assign({}, window.thinice, { saving: { menu, fileName } });
})();
