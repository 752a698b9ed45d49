// The drop zone of the upload page: a file streams to PUT /api/v1/uploads with progress.
// Dash never renders into the zone, because a file input is none of its components.
(function () {
  /** @type {Record<string, string>} */
  const ACCEPTED = { dataset: ".npz,.gz,.tar,.mat", bundle: ".thinice" };
  /** @type {XMLHttpRequest | null} */
  let running = null; // the request in flight

  const isSending = () => running !== null;

  /**
   * Fill the zone; the setup may be there before the page is.
   * @param {UploadSetup} setup
   */
  function build(setup) {
    const zone = document.getElementById(thinice.ids.upload.DROP);
    if (!zone) {
      window.requestAnimationFrame(() => build(setup));
      return;
    }
    if (running) running.abort();
    running = null;
    const input = document.createElement("input");
    input.className = "hidden-label drop-input";
    input.type = "file";
    input.id = thinice.ids.upload.INPUT;
    input.accept = ACCEPTED[setup.kind] || "";
    const state = thinice.elements.make("div", "drop-state");
    state.setAttribute("role", "status");
    state.hidden = true;
    const label = makeLabel(input.id, setup);
    zone.replaceChildren(input, label, state);
    input.addEventListener("change", () => {
      const file = input.files && input.files[0];
      if (file) send(file, setup, state);
      input.value = "";
    });
    takeDrops(label, (file) => send(file, setup, state));
  }

  /**
   * @param {string} inputId
   * @param {UploadSetup} setup
   */
  function makeLabel(inputId, setup) {
    const { make } = thinice.elements;
    const label = make("label", "drop-zone");
    label.setAttribute("for", inputId);
    const mark = make("span", "icon icon-upload");
    mark.setAttribute("aria-hidden", "true");
    const words = make("span", "drop-words");
    words.append("Drop a file here, or ", make("span", "drop-choose", "choose one"));
    const limit = thinice.numbers.sizeWords(setup.limit_bytes);
    label.append(mark, words, make("span", "muted small", setup.words + " Up to " + limit + "."));
    return label;
  }

  /**
   * @param {HTMLElement} label
   * @param {(file: File) => void} receive
   */
  function takeDrops(label, receive) {
    label.addEventListener("dragover", (event) => { event.preventDefault(); label.classList.add("is-over"); });
    label.addEventListener("dragleave", () => label.classList.remove("is-over"));
    label.addEventListener("drop", (event) => {
      event.preventDefault();
      label.classList.remove("is-over");
      const file = event.dataTransfer && event.dataTransfer.files[0];
      if (file) receive(file);
    });
  }

  // A file dropped outside of the zone must not replace the page.
  for (const name of ["dragover", "drop"]) {
    window.addEventListener(name, (event) => {
      const isOutside = document.getElementById(thinice.ids.upload.DROP) && !thinice.elements.closest(event, ".drop-zone");
      if (isOutside) event.preventDefault();
    });
  }

  /**
   * @param {File} file
   * @param {UploadSetup} setup
   * @param {HTMLElement} state
   */
  function send(file, setup, state) {
    const { refuse } = thinice.refusal;
    const { sizeWords } = thinice.numbers;
    if (running) running.abort();
    keep(null);
    refuse(null);
    state.hidden = false;
    if (file.size > setup.limit_bytes) {
      finish(state, file.name, null);
      const most = sizeWords(setup.limit_bytes) + " (THINICE_MAX_UPLOAD_MB).";
      const message = file.name + " has " + sizeWords(file.size) + "; the limit is " + most;
      refuse({ code: "too_large", message });
      return;
    }
    const request = new XMLHttpRequest();
    running = request;
    showProgress(file, request, state);
    request.addEventListener("load", () => take(request, file.name, state));
    request.addEventListener("error", () => {
      running = null;
      finish(state, file.name, null);
      const message = "The server could not be reached during the upload. Choose the file again to retry.";
      refuse({ code: "unreachable", message });
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

  /**
   * A bar that follows the request, and a button that cancels it.
   * @param {File} file
   * @param {XMLHttpRequest} request
   * @param {HTMLElement} state
   */
  function showProgress(file, request, state) {
    const { make } = thinice.elements;
    const bar = make("span", "progress");
    const fill = make("span", "progress-fill");
    bar.setAttribute("role", "progressbar");
    bar.setAttribute("aria-label", "Upload of " + file.name);
    bar.setAttribute("aria-valuemin", "0");
    bar.setAttribute("aria-valuemax", "100");
    bar.append(fill);
    const words = make("span", "muted small", "0 of " + thinice.numbers.sizeWords(file.size));
    const cancel = make("button", "button", "Cancel");
    cancel.setAttribute("type", "button");
    cancel.addEventListener("click", () => request.abort());
    state.replaceChildren(make("span", "drop-name", file.name), bar, words, cancel);
    const began = Date.now();
    request.upload.addEventListener("progress", (event) => {
      const now = thinice.uploadForm.progress(event.loaded, file.size, (Date.now() - began) / 1000);
      fill.style.width = now.width;
      bar.setAttribute("aria-valuenow", String(now.percent));
      words.textContent = now.words;
    });
  }

  /**
   * The server has responded: keep the upload, or say why not.
   * @param {XMLHttpRequest} request
   * @param {string} name
   * @param {HTMLElement} state
   */
  function take(request, name, state) {
    running = null;
    const response = thinice.refusal.parse(request.responseText);
    const upload = request.status === 201 ? /** @type {Upload | null} */ (/** @type {unknown} */ (response)) : null;
    finish(state, name, upload);
    if (upload) keep(upload);
    else thinice.refusal.refuse(thinice.refusal.errorOf(response, request.status));
  }

  /**
   * @param {HTMLElement} state
   * @param {string} name
   * @param {Upload | null} upload
   * @param {string} [word]
   */
  function finish(state, name, upload, word = "not uploaded") {
    const { make } = thinice.elements;
    const title = make("span", "drop-name", name);
    if (!upload) {
      state.replaceChildren(title, make("span", "muted small", word));
      return;
    }
    const mark = make("span", "icon icon-check");
    mark.setAttribute("aria-hidden", "true");
    const hash = make("code", "hash", upload.sha256.slice(0, 12));
    hash.title = upload.sha256;
    const size = thinice.numbers.sizeWords(upload.bytes);
    state.replaceChildren(mark, title, make("span", "muted small", size + ", SHA-256 "), hash);
  }

  /** @param {Upload | null} upload */
  const keep = (upload) => {
    if (document.getElementById(thinice.ids.upload.PAGE)) window.dash_clientside.set_props(thinice.ids.upload.FILE, { data: upload });
  };

  /** @type {ThinIce["uploadFile"]} */
  const uploadFile = { build, isSending };
  window.thinice = Object.assign({}, window.thinice, { uploadFile });
})();
