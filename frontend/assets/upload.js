// The upload page: a file is sent first (upload_file.js); the form then names it by its upload_id.
// What is typed lives in the form's own fields, so a refused import loses nothing and can be sent again.
(function () {
  const unchanged = () => window.dash_clientside.no_update;
  let prefilled = ""; // the name that we put into the field ourselves

  /** @param {UploadSetup | null} setup */
  function mount(setup) {
    prefilled = "";
    suggested = 0;
    thinice.uploadPreview.forget();
    if (setup) thinice.uploadFile.build(setup);
    return unchanged();
  }

  /**
   * @param {Upload | null} upload
   * @param {string | null} typed
   */
  function prefill(upload, typed) {
    if (!upload || (typed && typed !== prefilled)) return unchanged();
    prefilled = thinice.uploadForm.nameOf(upload.filename);
    return prefilled;
  }

  /** @param {string} role */
  const chooseRole = (role) => thinice.uploadForm.describeRole(role);

  /**
   * @param {string} dataset
   * @param {UploadSetup} setup
   * @param {string | null} current
   */
  const chooseDataset = (dataset, setup, current) => thinice.uploadForm.chooseParent(dataset, setup.parents, current);

  /** @param {string | null} typed */
  const checkName = (typed) => thinice.uploadPreview.checkName(typed);

  /**
   * @param {Upload | null} upload
   * @param {string | null} dataset
   * @param {UploadSetup} setup
   */
  function findParent(upload, dataset, setup) {
    thinice.uploadPreview.findParent(upload, dataset, setup);
  }

  let suggested = 0; // the number of samples that we put into the field ourselves

  /**
   * The number of samples and what it is; what was typed stays.
   * @param {string | null} parent
   * @param {string | null} preset
   * @param {string} role
   * @param {UploadSetup} setup
   * @param {number | string | null | undefined} typed
   */
  function chooseSamples(parent, preset, role, setup, typed) {
    const [number, words] = thinice.uploadForm.suggestSamples(parent, preset, role, setup.parents);
    const isOurs = !typed || Number(typed) === suggested;
    if (isOurs) suggested = number;
    return [isOurs ? number : unchanged(), words];
  }

  /**
   * @typedef {object} Form
   * @property {string} path REST's collection
   * @property {string} button the id of the button that sends it
   * @property {string} busyWords what is said meanwhile
   * @property {(made: Record<string, unknown>) => void} arrive what follows success
   */

  /**
   * The page of what was made, from its top.
   * @param {Query} query
   */
  function arriveAt(query) {
    thinice.visit("/upload", query);
    window.scrollTo({ top: 0 });
  }

  /** @type {Form} */
  const CHECKPOINT = {
    path: "/api/v1/checkpoints",
    button: thinice.ids.upload.GO,
    busyWords: "Opening the file in a sandboxed process and counting its weights ...",
    arrive: (made) => arriveAt({ checkpoint: String(made.id) }),
  };
  /** @type {Form} */
  const DATASET = {
    path: "/api/v1/datasets",
    button: thinice.ids.upload.SET_GO,
    busyWords: "Reading and checking every sample ...",
    arrive: (made) => arriveAt({ kind: "dataset", dataset: String(made.slug) }),
  };

  /** @type {Form} */
  const BUNDLE = {
    path: "/api/v1/bundles",
    button: thinice.ids.upload.BUNDLE_GO,
    busyWords: "Reading every row of the bundle ...",
    arrive: (made) => {
      window.dash_clientside.set_props(thinice.ids.upload.FILE, { data: null }); // the server has taken the file
      window.dash_clientside.set_props(thinice.ids.upload.BUNDLE_CAME, { data: made });
    },
  };

  /**
   * Send the form; what is not as it should be is said above the button.
   * @param {Form} form
   * @param {string[]} names the fields, in the order of their values
   * @param {unknown[]} values
   * @param {Upload | null} upload
   */
  async function post(form, names, values, upload) {
    const { refuse, parse, errorOf } = thinice.refusal;
    refuse(null);
    const button = document.getElementById(form.button);
    const status = document.getElementById(thinice.ids.upload.STATUS);
    if (thinice.uploadFile.isSending()) {
      return refuse({ code: "not_sent", message: "The file is still uploading. Wait until the upload has finished." });
    }
    if (!upload) return refuse({ code: "no_file", message: "Choose a file first." });
    if (!(button instanceof HTMLButtonElement) || !status) return undefined;
    button.disabled = true;
    status.textContent = form.busyWords;
    try {
      const body = asBody(names, values[0] ? values : [prefilled, ...values.slice(1)], upload);
      const response = await fetch(form.path, { method: "POST", body, credentials: "same-origin" });
      const made = parse(await response.text());
      if (response.ok && made) return form.arrive(made);
      return refuse(errorOf(made, response.status));
    } catch {
      const message = "The server could not be reached. Your file is already uploaded; send the form again.";
      return refuse({ code: "unreachable", message });
    } finally {
      button.disabled = false;
      status.textContent = "";
    }
  }

  /**
   * @param {string[]} names
   * @param {unknown[]} values
   * @param {Upload} upload
   */
  function asBody(names, values, upload) {
    const body = new FormData();
    body.append("upload_id", upload.upload_id);
    for (const [name, text] of thinice.uploadForm.write(names, values)) body.append(name, text);
    return body;
  }

  /**
   * @param {number | null} clicks
   * @param {Upload | null} upload
   * @param {unknown[]} values
   */
  function sendCheckpoint(clicks, upload, ...values) {
    if (clicks) post(CHECKPOINT, thinice.uploadForm.CHECKPOINT_FIELDS, values, upload);
  }

  /**
   * @param {number | null} clicks
   * @param {Upload | null} upload
   * @param {unknown[]} values
   */
  function sendDataset(clicks, upload, ...values) {
    if (clicks) post(DATASET, thinice.uploadForm.DATASET_FIELDS, values, upload);
  }

  /**
   * @param {number | null} clicks
   * @param {Upload | null} upload
   */
  function sendBundle(clicks, upload) {
    if (clicks) post(BUNDLE, [], [], upload);
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    upload: {
      mount, prefill, chooseRole, chooseDataset, chooseSamples, sendCheckpoint, sendDataset, sendBundle,
      checkName,
      findParent,
    },
  });
})();
