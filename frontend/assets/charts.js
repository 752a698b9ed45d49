// Charts that Plotly drew: lines and labels that follow a slider without a new drawing.
(function () {
  /**
   * The chart in the element of this id, once it is drawn.
   * @param {string} id
   * @returns {Chart | null}
   */
  function find(id) {
    const holder = document.getElementById(id);
    return holder && holder.querySelector(".js-plotly-plot");
  }

  /**
   * Move the named shapes (and the label of the ice) of every chart that has them.
   * @param {string[]} ids
   * @param {Record<string, number>} moves
   */
  function moveShapes(ids, moves) {
    for (const id of ids) {
      const plot = find(id);
      if (!plot || !plot.layout || !window.Plotly) continue;
      const update = { ...shapeUpdate(plot, moves), ...labelUpdate(plot, moves) };
      if (Object.keys(update).length) window.Plotly.relayout(plot, update);
    }
  }

  /**
   * @param {Chart} plot
   * @param {Record<string, number>} moves
   */
  function shapeUpdate(plot, moves) {
    /** @type {Record<string, number>} */
    const update = {};
    ((plot.layout && plot.layout.shapes) || []).forEach((shape, place) => {
      const move = moves[shape.name || ""];
      if (move === undefined) return;
      /** @type {("x0" | "x1" | "y0" | "y1")[]} */
      const ends = shape.name === "ice" ? ["x1"] : shape.yref === "paper" ? ["x0", "x1"] : ["y0", "y1"];
      for (const end of ends) {
        if (shape[end] !== move) update["shapes[" + place + "]." + end] = move;
      }
    });
    return update;
  }

  /**
   * The label of the ice stands inside it where it is wide enough, otherwise next to it.
   * @param {Chart} plot
   * @param {Record<string, number>} moves
   */
  function labelUpdate(plot, moves) {
    /** @type {Record<string, string | number>} */
    const update = {};
    ((plot.layout && plot.layout.annotations) || []).forEach((note, place) => {
      const move = moves[note.name || ""];
      const axis = plot._fullLayout.xaxis;
      if (move === undefined || !axis) return;
      const isWide = axis.l2p(move) - axis.l2p(0) > 64;
      if (note.x === move && note.xanchor === (isWide ? "right" : "left")) return;
      const card = window.getComputedStyle(document.documentElement).getPropertyValue("--card").trim();
      const name = "annotations[" + place + "].";
      update[name + "x"] = move;
      update[name + "xanchor"] = isWide ? "right" : "left";
      update[name + "xshift"] = isWide ? -4 : 4;
      update[name + "bgcolor"] = isWide ? "rgba(0,0,0,0)" : card;
    });
    return update;
  }

  /** @type {ThinIce["charts"]} */
  const charts = { find, moveShapes };
  window.thinice = Object.assign({}, window.thinice, { charts });
})();
