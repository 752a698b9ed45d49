// Compare in the browser: the address as state, the sliders' echo, the threshold of thin ice, hovering and clicking.
(function () {
  const unchanged = () => window.dash_clientside.no_update;
  const CHARTS = ["compare-scatter", "compare-share", "compare-histogram", "compare-curve"];
  const PAUSE = 150; // milliseconds after the last move before the address follows
  const SAME_MOVE = 1500; // milliseconds within which the next change belongs to the same move

  function chart(id) {
    const holder = document.getElementById(id);
    return holder && holder.querySelector(".js-plotly-plot");
  }

  // Move the named shapes (and the label of the ice) of every chart that has them.
  function moveShapes(moves) {
    for (const id of CHARTS) {
      const plot = chart(id);
      if (!plot || !plot.layout || !window.Plotly) continue;
      const update = {};
      (plot.layout.shapes || []).forEach((shape, place) => {
        const move = moves[shape.name];
        if (move === undefined) return;
        for (const end of shape.name === "ice" ? ["x1"] : shape.yref === "paper" ? ["x0", "x1"] : ["y0", "y1"]) {
          if (shape[end] !== move) update["shapes[" + place + "]." + end] = move;
        }
      });
      (plot.layout.annotations || []).forEach((note, place) => {
        const move = moves[note.name];
        const axis = plot._fullLayout.xaxis;
        if (move === undefined || !axis) return;
        const isWide = axis.l2p(move) - axis.l2p(0) > 64;
        if (note.x === move && note.xanchor === (isWide ? "right" : "left")) return;
        update["annotations[" + place + "].x"] = move;
        update["annotations[" + place + "].xanchor"] = isWide ? "right" : "left";
        update["annotations[" + place + "].xshift"] = isWide ? -4 : 4;
        const card = window.getComputedStyle(document.documentElement).getPropertyValue("--card").trim();
        update["annotations[" + place + "].bgcolor"] = isWide ? "rgba(0,0,0,0)" : card;
      });
      if (Object.keys(update).length) window.Plotly.relayout(plot, update);
    }
  }

  // A value of a slider as the address and the page write it.
  function asText(value, pair) {
    const digits = pair.suffix ? 1 : 3;
    return Number(value.toFixed(digits)) + pair.suffix;
  }

  function fromText(text, fallback, pair) {
    if (!text) return fallback;
    const parts = text.split("/").map(Number);
    const value = parts.length === 2 ? parts[0] / parts[1] : parts[0];
    return Number.isFinite(value) && value > 0 ? value * pair.scale : fallback;
  }

  // What the address holds of a slider: nothing where it stands at the pair's own value.
  function changed(value, pair, key) {
    return near(value, pair["default_" + key]) ? null : asText(value, pair);
  }

  const near = (first, second) => Math.abs(first - second) < 1e-6;

  // One move of a slider, however many steps it takes, is one entry in the history.
  const waiting = {};
  const written = {};
  function writeLater(key, text) {
    window.clearTimeout(waiting[key]);
    waiting[key] = window.setTimeout(() => {
      const isSameMove = written[key] !== undefined && performance.now() - written[key] < SAME_MOVE;
      written[key] = performance.now();
      window.thinice.go({ [key]: text }, isSameMove);
    }, PAUSE);
  }

  function read(search, pair, current) {
    const none = unchanged();
    if (!pair || window.location.pathname !== "/compare") return [none, none, none, none, none, none];
    const query = new URLSearchParams(search || "");
    if (query.get("dense") !== pair.dense || query.get("pruned") !== pair.pruned) {
      return [none, none, none, none, none, none];
    }
    const cut = { dense: pair.dense, pruned: pair.pruned };
    for (const key of ["eps", "view", "set", "class"]) cut[key] = query.get(key) || null;
    // The threshold moves in the browser alone: it travels with the cut, but a change of it asks for no new one.
    const isSame = current && JSON.stringify({ ...current, delta: null }) === JSON.stringify({ ...cut, delta: null });
    cut.delta = query.get("delta") || null;
    linkSamples();
    return [
      isSame ? none : cut,
      fromText(cut.eps, pair.default_eps, pair),
      fromText(query.get("delta"), pair.default_delta, pair),
      cut.view || "clean",
      cut.class,
      cut.set,
    ];
  }

  function slideEps(value, pair) {
    const query = new URLSearchParams(window.location.search);
    moveShapes({ eps: value });
    if (!near(value, fromText(query.get("eps"), pair.default_eps, pair))) writeLater("eps", changed(value, pair, "eps"));
    return asText(value, pair);
  }

  function slideDelta(value, points, pair) {
    const query = new URLSearchParams(window.location.search);
    const moves = { ice: value, "ice-edge": value, "ice-label": value };
    moveShapes(moves);
    window.setTimeout(() => moveShapes(moves), 400); // once more when charts that just got their data are drawn
    markThin(value);
    const named = fromText(query.get("delta"), pair.default_delta, pair);
    if (!near(value, named)) writeLater("delta", changed(value, pair, "delta"));
    return [asText(value, pair), thinSentence(value, points, pair)];
  }

  // What "dense margin up to delta" catches, among the samples the dense model gets right.
  function thinSentence(delta, points, pair) {
    if (!points || !pair.has_margins) return "";
    let held = 0, lost = 0, flagged = 0, caught = 0;
    points.clean.forEach((set, place) => {
      if (set !== "S11" && set !== "S10") return;
      held += 1;
      const isThin = points.dense[place] !== null && points.dense[place] <= delta;
      if (set === "S10") lost += 1;
      if (isThin) flagged += 1;
      if (isThin && set === "S10") caught += 1;
    });
    if (!held) return "The dense model gets no sample right, so none can be lost.";
    const share = (part, whole) => (whole ? ((100 * part) / whole).toFixed(1) + " %" : "none");
    const count = (number) => number.toLocaleString("en-US");
    return (
      count(flagged) + " of " + count(held) + " samples stand on thin ice, up to " + asText(delta, pair) + " (" +
      share(flagged, held) + "). " + count(caught) + " of the " + count(lost) + " lost are among them (recall " +
      share(caught, lost) + "); of those on thin ice " + share(caught, flagged) + " are lost (precision)."
    );
  }

  function markThin(delta) {
    window.requestAnimationFrame(() => {
      document.querySelectorAll("#compare-wall [data-margin]").forEach((tile) => {
        const margin = tile.getAttribute("data-margin");
        tile.classList.toggle("is-thin", margin !== "" && Number(margin) <= delta);
      });
    });
  }

  function choose(view, label, set) {
    window.thinice.go({ view: view === "clean" ? null : view, class: label, set }, false);
  }

  function hover(data, points, pair) {
    const card = document.getElementById("compare-hover");
    if (!card) return;
    const mark = data && data.points && data.points[0];
    if (!mark || !points || mark.customdata === undefined || !mark.bbox) {
      card.hidden = true;
      return;
    }
    const place = points.index.indexOf(mark.customdata);
    if (place < 0) return;
    const [label, dense, pruned] = points.labels[place];
    const distance = (value) =>
      value === null ? "none found" : value === 0 ? "0, already wrong" : value.toFixed(pair.suffix ? 1 : 3) + pair.suffix;
    document.getElementById("compare-hover-image").src =
      "/api/v1/datasets/" + pair.dataset + "/samples/" + mark.customdata + ".png";
    const lines = [
      [label, "#" + mark.customdata],
      ["dense says", dense],
      ["pruned says", pruned],
      ["dense margin", distance(points.dense[place])],
      ["pruned margin", distance(points.pruned[place])],
    ];
    const text = document.getElementById("compare-hover-text");
    text.replaceChildren(
      ...lines.flatMap(([name, value]) => {
        const term = document.createElement("span");
        const detail = document.createElement("span");
        term.textContent = name;
        detail.textContent = value;
        return [term, detail];
      })
    );
    const plot = chart("compare-scatter").getBoundingClientRect();
    const x = plot.left + mark.bbox.x1 + 12;
    const y = plot.top + mark.bbox.y0;
    card.hidden = false;
    const left = x + card.offsetWidth > window.innerWidth - 8 ? x - card.offsetWidth - 28 : x;
    card.style.left = Math.max(8, left) + "px";
    card.style.top = Math.max(8, Math.min(y - 20, window.innerHeight - card.offsetHeight - 8)) + "px";
  }

  document.addEventListener("pointermove", (event) => {
    const card = document.getElementById("compare-hover");
    if (card && !card.hidden && !event.target.closest("#compare-scatter")) card.hidden = true;
  });
  document.addEventListener("scroll", () => {
    const card = document.getElementById("compare-hover");
    if (card) card.hidden = true;
  }, { passive: true });

  // Escape closes the picker, or else removes the filters; a click additional the picker closes it too.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || window.location.pathname !== "/compare") return;
    const picker = document.querySelector(".picker-holder[open]");
    if (picker) picker.removeAttribute("open");
    else if (!event.target.closest("input")) window.thinice.go({ class: null, set: null }, false);
  });
  document.addEventListener("pointerdown", (event) => {
    const picker = document.querySelector(".picker-holder[open]");
    if (picker && !event.target.closest(".picker-holder, [role=listbox]")) picker.removeAttribute("open");
  });

  // A sample's page in the list that is seen now: Esc there leads back to exactly this comparison.
  const SAMPLE_KEYS = ["eps", "delta", "view", "class", "set"];
  function sampleQuery(index) {
    const here = new URLSearchParams(window.location.search);
    const query = { dense: here.get("dense"), pruned: here.get("pruned"), index };
    for (const key of SAMPLE_KEYS) if (here.get(key)) query[key] = here.get(key);
    return query;
  }

  function sampleAddress(index) {
    return "/sample?" + new URLSearchParams(sampleQuery(index)).toString().replaceAll("%2F", "/");
  }

  // The server wrote the links of the wall before the threshold moved.
  function linkSamples() {
    document.querySelectorAll("#compare [data-sample]").forEach((link) => {
      link.setAttribute("href", sampleAddress(link.getAttribute("data-sample")));
    });
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("#compare [data-sample]");
    if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    window.thinice.visit("/sample", sampleQuery(link.getAttribute("data-sample")));
  });

  function open(data) {
    const mark = data && data.points && data.points[0];
    if (!mark || mark.customdata === undefined) return;
    window.thinice.visit("/sample", sampleQuery(mark.customdata));
  }

  function pick(clicks, dense, pruned) {
    if (!clicks || !dense || !pruned) return;
    window.thinice.go({ dense, pruned, eps: null, delta: null, class: null, set: null }, false);
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    compare: { read, slideEps, slideDelta, choose, hover, open, pick },
  });

  // A sample's number in the table leads to its page.
  const components = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  components.SampleLink = function (props) {
    const attributes = { href: sampleAddress(props.value), "data-sample": props.value };
    return window.React.createElement("a", attributes, String(props.value));
  };
})();
