// The columns of a pair, fetched once: the address carries their version, so they never change under it.
(function () {
  const KEPT = 3; // pairs: Back leads to one that was seen a moment ago
  /** @type {Map<string, Promise<Omit<HeldPair, "pair"> | null>>} */
  const fetched = new Map();

  /**
   * The samples of a pair with their clean sets; null where the server gave none.
   * @param {ComparedPair} pair
   * @returns {Promise<HeldPair | null>}
   */
  async function load(pair) {
    const query = new URLSearchParams({ dense: pair.dense, pruned: pair.pruned, version: pair.version });
    const address = "/api/v1/comparisons/columns?" + query;
    const asked = fetched.get(address) || read(address);
    fetched.delete(address);
    fetched.set(address, asked);
    for (const old of [...fetched.keys()].slice(0, -KEPT)) fetched.delete(old);
    const found = await asked;
    if (!found) fetched.delete(address);
    return found && { pair, ...found };
  }

  /** @param {string} address */
  async function read(address) {
    const response = await fetch(address, { credentials: "same-origin" });
    if (!response.ok) return null;
    const columns = thinice.outcomes.decode(await response.json());
    return { columns, clean: thinice.outcomes.sets(columns, null) };
  }

  /** @type {ThinIce["pairColumns"]} */
  const pairColumns = { load };
  window.thinice = Object.assign({}, window.thinice, { pairColumns });
})();
