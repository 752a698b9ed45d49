// What the server can say before the form is sent: whether a name is taken, and which checkpoint a file was made from.
(function () {
  const TYPING_MILLISECONDS = 250;
  let typing = 0; // the timer of the last keystroke
  let asked = ""; // the name that was asked for last
  let looked = ""; // the file and data set that were looked at last

  /** A new page asks again. */
  function forget() {
    looked = asked = "";
    window.clearTimeout(typing);
  }

  /**
   * JSON of a GET; null where the server refuses or is away: the form is refused later, with a reason.
   * @param {string} address
   * @returns {Promise<Record<string, unknown> | null>}
   */
  async function get(address) {
    try {
      const response = await fetch(address, { credentials: "same-origin" });
      return response.ok ? thinice.refusal.parse(await response.text()) : null;
    } catch {
      return null;
    }
  }

  /**
   * Set what a field shows, unless the visitor has left the form: Dash throws over a component that is gone.
   * @param {string} id
   * @param {Record<string, unknown>} props
   */
  function tell(id, props) {
    if (document.getElementById(id)) window.dash_clientside.set_props(id, props);
  }

  /**
   * Say under the field that a checkpoint has this name, once the typing pauses.
   * @param {string | null} typed
   */
  function checkName(typed) {
    const name = (typed || "").trim();
    asked = name;
    window.clearTimeout(typing);
    const say = (/** @type {string | null} */ error) => tell(thinice.ids.upload.NAME, { error });
    if (!name) {
      say(null);
      return;
    }
    typing = window.setTimeout(async () => {
      const found = await get("/api/v1/checkpoints?limit=1&name=" + encodeURIComponent(name));
      if (asked !== name || !found) return;
      say(Number(found.total) > 0 ? "A checkpoint has this name already." : null);
    }, TYPING_MILLISECONDS);
  }

  /**
   * Look into the file that has arrived, choose the parent that its weights name, and say so.
   * @param {Upload | null} upload
   * @param {string | null} dataset
   * @param {UploadSetup} setup
   */
  async function findParent(upload, dataset, setup) {
    if (setup.kind !== "checkpoint") return;
    const say = (/** @type {Record<string, unknown>} */ props) => tell(thinice.ids.upload.PARENT, props);
    const wanted = upload && dataset ? upload.upload_id + " " + dataset : "";
    if (wanted === looked) return;
    looked = wanted;
    if (!upload || !dataset) {
      say({ description: "" });
      return;
    }
    say({ description: "Reading the weights ..." });
    const query = "?dataset_id=" + encodeURIComponent(dataset);
    const answer = await get("/api/v1/uploads/" + upload.upload_id + "/preview" + query);
    if (looked !== wanted) return;
    const found = /** @type {UploadPreview | null} */ (/** @type {unknown} */ (answer));
    const parent = found && found.likely_parent;
    say({ description: found ? thinice.uploadForm.describePreview(found) : "" });
    if (parent && setup.parents.some((one) => one.value === parent.checkpoint_id)) say({ value: parent.checkpoint_id });
  }

  /** @type {ThinIce["uploadPreview"]} */
  const uploadPreview = { checkName, findParent, forget };
  window.thinice = Object.assign({}, window.thinice, { uploadPreview });
})();
