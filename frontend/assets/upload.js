// The upload page: a file streams to PUT /api/v1/uploads with progress; the form then names it by its upload_id.
// What is typed lives in the form's own fields, so a refused import loses nothing and can be sent again.
(function () {
  const unchanged = () => window.dash_clientside.no_update;
  const FORM_FIELDS = [
    "name", "role", "dataset_id", "parent_id", "architecture", "normalization", "method", "declared_sparsity", "keep_rate",
    "claimed_robust_accuracy", "claimed_attack", "claimed_norm", "claimed_eps", "claimed_n", "claimed_source", "evaluate",
  ];
  const DATASET_FIELDS = ["name", "default_norm", "default_eps", "classes", "split"];
  const IN_PERCENT = new Set(["declared_sparsity", "keep_rate", "claimed_robust_accuracy"]);
  const ROLE_HINTS = {
    dense: "nothing pruned; others are compared with it",
    pruned: "made from a dense checkpoint by pruning",
    control: "the dense parent finetuned as long, nothing pruned",
  };
  // The fields that a file which leaves something open asks for.
  const ASKED = { keep_rate: "upload-keep-rate", architecture: "upload-architecture" };
  let running = null; // the request in flight
  let prefilled = ""; // the name that we put into the field ourselves

  const byId = (id) => document.getElementById(id);

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text) element.textContent = text;
    return element;
  }

  function sizeWords(bytes) {
    const units = ["bytes", "kB", "MB", "GB"];
    let size = bytes, place = 0;
    while (size >= 1000 && place < units.length - 1) { size /= 1000; place += 1; }
    return size.toFixed(place === 0 || size >= 100 ? 0 : 1) + " " + units[place];
  }

  // Dash never renders into the drop zone, because a file input is none of its components.
  function mount(setup) {
    if (setup) build(setup);
    return unchanged();
  }

  function build(setup) {
    const zone = byId("upload-drop");
    if (!zone) return window.requestAnimationFrame(() => build(setup)); // the store may be there before the page is
    if (running) running.abort();
    running = null;
    prefilled = "";
    const input = make("input", "hidden-label drop-input");
    input.type = "file";
    input.id = "upload-input";
    input.accept = setup.kind === "dataset" ? ".npz,.gz,.tar,.mat" : "";
    const label = make("label", "drop-zone");
    label.htmlFor = input.id;
    const mark = make("span", "icon icon-upload");
    mark.setAttribute("aria-hidden", "true");
    const words = make("span", "drop-words");
    words.append("Drop a file here, or ", make("span", "drop-choose", "choose one"));
    label.append(mark, words, make("span", "muted small", setup.words + " Up to " + sizeWords(setup.limit_bytes) + "."));
    const state = make("div", "drop-state");
    state.setAttribute("role", "status");
    state.hidden = true;
    zone.replaceChildren(input, label, state);
    input.addEventListener("change", () => { if (input.files.length) send(input.files[0], setup, state); input.value = ""; });
    label.addEventListener("dragover", (event) => { event.preventDefault(); label.classList.add("is-over"); });
    label.addEventListener("dragleave", () => label.classList.remove("is-over"));
    label.addEventListener("drop", (event) => {
      event.preventDefault();
      label.classList.remove("is-over");
      if (event.dataTransfer.files.length) send(event.dataTransfer.files[0], setup, state);
    });
  }

  // A file dropped additional the zone must not replace the page.
  for (const name of ["dragover", "drop"]) {
    window.addEventListener(name, (event) => {
      if (byId("upload-drop") && !event.target.closest(".drop-zone")) event.preventDefault();
    });
  }

  function send(file, setup, state) {
    if (running) running.abort();
    keep(null);
    refuse(null);
    const name = make("span", "drop-name", file.name);
    const bar = make("span", "progress");
    const fill = make("span", "progress-fill");
    bar.setAttribute("role", "progressbar");
    bar.setAttribute("aria-label", "Upload of " + file.name);
    bar.setAttribute("aria-valuemin", "0");
    bar.setAttribute("aria-valuemax", "100");
    bar.append(fill);
    const words = make("span", "muted small", "0 of " + sizeWords(file.size));
    const cancel = make("button", "button", "Cancel");
    cancel.type = "button";
    state.replaceChildren(name, bar, words, cancel);
    state.hidden = false;
    if (file.size > setup.limit_bytes) {
      finish(state, file.name, null);
      return refuse({ code: "too_large", message: file.name + " has " + sizeWords(file.size) + "; the most is " + sizeWords(setup.limit_bytes) + " (THINICE_MAX_UPLOAD_MB)." });
    }
    const request = new XMLHttpRequest();
    const began = Date.now();
    running = request;
    cancel.addEventListener("click", () => request.abort());
    request.upload.addEventListener("progress", (event) => {
      const share = file.size ? event.loaded / file.size : 1;
      const seconds = (Date.now() - began) / 1000;
      fill.style.width = (100 * Math.min(1, share)).toFixed(1) + "%";
      bar.setAttribute("aria-valuenow", String(Math.floor(100 * Math.min(1, share))));
      const speed = seconds > 0.5 ? ", " + sizeWords(event.loaded / seconds) + "/s" : "";
      words.textContent = sizeWords(Math.min(event.loaded, file.size)) + " of " + sizeWords(file.size) + speed;
    });
    request.addEventListener("load", () => {
      running = null;
      const answer = parse(request.responseText);
      if (request.status === 201 && answer) {
        finish(state, file.name, answer);
        return keep(answer);
      }
      finish(state, file.name, null);
      refuse(errorOf(answer, request.status));
    });
    request.addEventListener("error", () => {
      running = null;
      finish(state, file.name, null);
      refuse({ code: "unreachable", message: "The server could not be reached while the file was sent. Choose it again to retry." });
    });
    request.addEventListener("abort", () => {
      if (running === request) running = null;
      finish(state, file.name, null, "cancelled");
      refuse(null);
    });
    request.open("PUT", "/api/v1/uploads?filename=" + encodeURIComponent(file.name));
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.send(file);
  }

  function finish(state, name, upload, word) {
    const parts = [make("span", "drop-name", name)];
    if (upload) {
      const mark = make("span", "icon icon-check");
      mark.setAttribute("aria-hidden", "true");
      const hash = make("code", "hash", upload.sha256.slice(0, 12));
      hash.title = upload.sha256;
      parts.unshift(mark);
      parts.push(make("span", "muted small", sizeWords(upload.bytes) + ", SHA-256 "), hash);
    } else parts.push(make("span", "muted small", word || "not taken"));
    state.replaceChildren(...parts);
  }

  const keep = (upload) => window.dash_clientside.set_props("upload-file", { data: upload });

  function parse(text) {
    try {
      return JSON.parse(text);
    } catch (unreadable) {
      return null;
    }
  }

  function errorOf(answer, status) {
    if (answer && answer.error) return answer.error;
    return { code: "http_" + status, message: "The server answered with status " + status + " and no reason." };
  }

  // What the server said, in its place above the button; null takes it away.
  function refuse(error) {
    const place = byId("upload-refusal");
    if (!place) return;
    if (!error) return place.replaceChildren();
    const box = make("div", "refusal");
    const mark = make("span", "icon icon-warning");
    mark.setAttribute("aria-hidden", "true");
    const words = make("span", "", error.message + " ");
    const end = "(code " + error.code + (error.request_id ? ", request " + error.request_id : "") + "). What you typed is kept.";
    words.append(make("span", "small", end));
    box.append(mark, words);
    const asked = error.details && ASKED[error.details.ask];
    if (asked && error.details.suggestion) words.append(" ", suggest(asked, error.details));
    place.replaceChildren(box);
    box.scrollIntoView({ block: "nearest" });
  }

  // A button, never done unasked: what a file leaves open is for the user to say.
  function suggest(field, details) {
    const button = make("button", "button", "Put the suggestion into the form");
    button.type = "button";
    button.addEventListener("click", () => {
      const value = IN_PERCENT.has(details.ask) ? Number((100 * details.suggestion).toFixed(6)) : details.suggestion;
      window.dash_clientside.set_props(field, { value });
      byId(field).focus();
    });
    return button;
  }

  function prefill(upload, typed) {
    if (!upload || (typed && typed !== prefilled)) return unchanged();
    prefilled = upload.filename.replace(/(\.(pt|pth|bin|ckpt|tar|safetensors|npz|th|t7|model|gz|mat))+$/i, "").slice(0, 120);
    return prefilled;
  }

  function chooseRole(role) {
    return [ROLE_HINTS[role] || "", role === "dense", role !== "pruned", role !== "pruned"];
  }

  function chooseDataset(dataset, setup, current) {
    const fitting = setup.parents.filter((row) => row.dataset === dataset);
    const kept = fitting.some((row) => row.value === current) ? current : fitting.length === 1 ? fitting[0].value : null;
    return [fitting.map((row) => ({ value: row.value, label: row.label })), kept];
  }

  function asForm(names, values, upload) {
    const fields = Object.fromEntries(names.map((name, place) => [name, values[place]]));
    if (fields.role === "dense") fields.parent_id = null;
    if (fields.role === "dense" || fields.role === "control") fields.method = fields.declared_sparsity = null;
    if (fields.role === "control") Object.assign(fields, { role: "dense", method: "control" });
    const form = new FormData();
    form.append("upload_id", upload.upload_id);
    for (const [name, value] of Object.entries(fields)) {
      if (value === null || value === undefined || value === "") continue;
      form.append(name, IN_PERCENT.has(name) ? String(Number((Number(value) / 100).toFixed(8))) : String(value).trim());
    }
    return form;
  }

  async function post(path, names, values, upload, button, busyWords, arrive) {
    refuse(null);
    if (running) return refuse({ code: "not_sent", message: "The file is still on its way. Wait until it has arrived." });
    if (!upload) return refuse({ code: "no_file", message: "Choose a file first." });
    if (!values[0]) values = [prefilled, ...values.slice(1)];
    const status = byId("upload-status");
    button.disabled = true;
    status.textContent = busyWords;
    try {
      const answer = await fetch(path, { method: "POST", body: asForm(names, values, upload), credentials: "same-origin" });
      const body = parse(await answer.text());
      if (answer.ok && body) return arrive(body);
      refuse(errorOf(body, answer.status));
    } catch (unreachable) {
      refuse({ code: "unreachable", message: "The server could not be reached. The file is there already; send the form again." });
    } finally {
      button.disabled = false;
      status.textContent = "";
    }
  }

  function sendCheckpoint(clicks, upload, ...values) {
    if (!clicks) return;
    const words = "Opening the file in a locked process, counting its weights ...";
    post("/api/v1/checkpoints", FORM_FIELDS, values, upload, byId("upload-go"), words, (made) =>
      window.thinice.visit("/upload", { checkpoint: made.id })
    );
  }

  function sendDataset(clicks, upload, ...values) {
    if (!clicks) return;
    post("/api/v1/datasets", DATASET_FIELDS, values, upload, byId("upload-set-go"), "Reading and checking every sample ...", (made) =>
      window.thinice.visit("/upload", { kind: "dataset", dataset: made.slug })
    );
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    upload: { mount, prefill, chooseRole, chooseDataset, sendCheckpoint, sendDataset },
  });
})();
