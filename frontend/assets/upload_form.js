// The upload form's values: percent and shares, names, and what is sent of each field. Pure: tests call this in Node.
(function () {
  const CHECKPOINT_FIELDS = [
    "name", "role", "dataset_id", "parent_id", "architecture", "normalization", "method", "declared_sparsity",
    "keep_rate", "claimed_robust_accuracy", "claimed_attack", "claimed_norm", "claimed_eps", "claimed_n",
    "claimed_source", "evaluate", "evaluate_samples",
  ];
  const DATASET_FIELDS = ["name", "default_norm", "default_eps", "classes", "split"];
  const AT_ONCE = 500; // samples, where no parent says how many
  const IN_PERCENT = ["declared_sparsity", "keep_rate", "claimed_robust_accuracy"];
  const ENDINGS = /(\.(pt|pth|bin|ckpt|tar|safetensors|npz|th|t7|model|gz|mat))+$/i;
  /** @type {Record<string, string>} */
  const ROLE_HINTS = {
    dense: "not pruned; pruned checkpoints are compared with it",
    pruned: "pruned from a dense checkpoint",
    control: "the dense parent finetuned for as long, but not pruned",
    seed: "a dense network trained again with another seed: the other kind of control",
  };

  /**
   * What is typed in percent, as REST's share 0..1.
   * @param {unknown} percent
   */
  const asShare = (percent) => Number((Number(percent) / 100).toFixed(8));

  /**
   * A share 0..1 as the form's percent.
   * @param {number} share
   */
  const asPercent = (share) => Number((100 * share).toFixed(6));

  /**
   * Whether networks of that role were made from no other.
   * @param {unknown} role
   */
  const isRoot = (role) => role === "dense" || role === "seed";

  /** @param {string} field */
  const isInPercent = (field) => IN_PERCENT.includes(field);

  /**
   * What is sent of the form: a field and its text, without those that are empty or do not fit the role.
   * @param {string[]} names
   * @param {unknown[]} values
   * @returns {[string, string][]}
   */
  function write(names, values) {
    /** @type {Record<string, unknown>} */
    const fields = Object.fromEntries(names.map((name, place) => [name, values[place]]));
    if (isRoot(fields.role)) fields.parent_id = null;
    if (fields.role !== "pruned") fields.method = fields.declared_sparsity = null;
    if (!fields.evaluate) fields.evaluate_samples = null;
    if (fields.role === "seed") Object.assign(fields, { role: "dense", method: "seed" });
    if (fields.role === "control") Object.assign(fields, { role: "dense", method: "control" });
    return Object.entries(fields)
      .filter(([, value]) => value !== null && value !== undefined && value !== "")
      .map(([name, value]) => [name, isInPercent(name) ? String(asShare(value)) : String(value).trim()]);
  }

  /**
   * The name that a file suggests.
   * @param {string} filename
   */
  const nameOf = (filename) => filename.replace(ENDINGS, "").slice(0, 120);

  /**
   * A role's hint, and which boxes it hides: parent, method, sparsity.
   * @param {string} role
   * @returns {[string, boolean, boolean, boolean]}
   */
  function describeRole(role) {
    return [ROLE_HINTS[role] || "", isRoot(role), role !== "pruned", role !== "pruned"];
  }

  /**
   * The parents on a data set, and the chosen one: the current where it fits, or the only one.
   * @param {string} dataset
   * @param {ParentChoice[]} parents
   * @param {string | null} current
   * @returns {[Choice[], string | null]}
   */
  function chooseParent(dataset, parents, current) {
    const choices = parents.filter((row) => row.dataset === dataset).map(({ value, label }) => ({ value, label }));
    const fitting = choices.find((row) => row.value === current) || (choices.length === 1 ? choices[0] : undefined);
    return [choices, fitting ? fitting.value : null];
  }

  /**
   * How many samples to evaluate, and why: as many as the parent has by that preset, so that both can be compared.
   * @param {string | null} parent
   * @param {string | null} preset
   * @param {string} role
   * @param {ParentChoice[]} parents
   * @returns {[number, string]}
   */
  function suggestSamples(parent, preset, role, parents) {
    const row = isRoot(role) ? undefined : parents.find((one) => one.value === parent);
    const known = row && preset ? row.samples[preset] : undefined;
    return row && known ? [known, "from row 0 on, as many as " + row.name + " has"] : [AT_ONCE, "from row 0 on"];
  }

  /**
   * What the weights say about the parent.
   * @param {UploadPreview} found
   */
  function describePreview(found) {
    const zeros = thinice.numbers.percent(found.measured_sparsity, 2) + " zeros";
    const parent = found.likely_parent;
    if (!parent) return zeros + "; no checkpoint here is its parent by its weights";
    return zeros + "; made from " + parent.name + ", by its weights (correlation " + parent.correlation.toFixed(2) + ")";
  }

  /**
   * How far a file is: the bar's width, whole percent for those who listen, and words.
   * @param {number} loaded
   * @param {number} size
   * @param {number} seconds
   * @returns {Progress}
   */
  function progress(loaded, size, seconds) {
    const { fixed, sizeWords } = thinice.numbers;
    const share = size ? Math.min(1, loaded / size) : 1;
    const speed = seconds > 0.5 ? ", " + sizeWords(loaded / seconds) + "/s" : "";
    const words = sizeWords(Math.min(loaded, size)) + " of " + sizeWords(size) + speed;
    return { width: fixed(100 * share, 1) + "%", percent: Math.floor(100 * share), words };
  }

  /** @type {ThinIce["uploadForm"]} */
  const uploadForm = {
    CHECKPOINT_FIELDS, DATASET_FIELDS,
    asShare, asPercent, isInPercent, write, nameOf, describeRole, chooseParent, suggestSamples,
    describePreview, progress,
  };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { uploadForm });
})();
