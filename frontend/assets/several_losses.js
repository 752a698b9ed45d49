// Losses of several pruned networks against one dense network, as backend/analysis/overlaps.py counts them: for each
// sample the networks that lose it are the bits of one number. Pure: tests call this in Node.
(function () {
  const STATE_KEYS = ["eps", "delta", "view"]; // of an address, that other pages of these samples know too
  const CHOICE = /^(least|by|only)-([1-8])$|^both-([1-8])-([1-8])$/;

  /**
   * The columns of a pair for each pruned network; all share the arrays of the samples.
   * @param {SeveralColumnsOut} sent
   * @returns {Columns[]}
   */
  function decode(sent) {
    /** @type {Columns | null} */
    let first = null;
    return sent.pruned.map((pruned) => {
      const columns = thinice.outcomes.decode({ ...sent, pruned });
      first = first || columns;
      const { index, label, dense, thinness, logitGap } = first;
      return { ...columns, index, label, dense, thinness, logitGap };
    });
  }

  /**
   * For each sample which networks lose it: bit 0 is the first one.
   * @param {Columns[]} networks
   * @param {number | null} eps
   */
  function masks(networks, eps) {
    const found = new Uint8Array(networks[0]?.n || 0);
    networks.forEach((columns, network) => {
      thinice.outcomes.sets(columns, eps).forEach((set, place) => {
        if (set === 1) found[place] = Number(found[place]) | (1 << network);
      });
    });
    return found;
  }

  /**
   * How many networks a mask names.
   * @param {number} mask
   */
  function size(mask) {
    let count = 0;
    for (let rest = mask; rest; rest >>= 1) count += rest & 1;
    return count;
  }

  /**
   * What `overlaps.count_losses` says of the masks.
   * @param {Uint8Array} found
   * @param {number} networks
   * @param {number} held samples that the dense network holds
   * @returns {SeveralLosses}
   */
  function tally(found, networks, held) {
    const byMask = new Array(1 << networks).fill(0);
    for (const mask of found) byMask[mask] += 1;
    /** @param {(mask: number) => boolean} isMeant */
    const count = (isMeant) => byMask.reduce((sum, samples, mask) => (mask && isMeant(mask) ? sum + samples : sum), 0);
    const numbers = Array.from({ length: networks }, (_, network) => network);
    const lostBy = numbers.map((network) => count((mask) => size(mask) === network + 1));
    const n = found.length;
    return {
      n,
      held,
      lost: numbers.map((network) => count((mask) => Boolean(mask & (1 << network)))),
      only: numbers.map((network) => count((mask) => mask === 1 << network)),
      lostBy: [held - lostBy.reduce((sum, samples) => sum + samples, 0), ...lostBy],
      atLeast: numbers.map((network) => thinice.outcomes.wilson(count((mask) => size(mask) > network), n)),
      both: numbers.map((first) => numbers.map((second) => {
        const pair = (1 << first) | (1 << second);
        return count((mask) => (mask & pair) === pair);
      })),
    };
  }

  /**
   * What `overlaps.overlap` says of two networks, each by its number from 0.
   * @param {SeveralLosses} losses
   * @param {number} first
   * @param {number} second
   * @returns {LossOverlap}
   */
  function overlap(losses, first, second) {
    const [a, b] = [Number(losses.lost[first]), Number(losses.lost[second])];
    const both = Number(losses.both[first]?.[second]), chance = losses.held ? (a * b) / losses.held : 0;
    return {
      both,
      onlyFirst: a - both,
      onlySecond: b - both,
      jaccard: thinice.outcomes.wilson(both, a + b - both),
      byChance: losses.held && a + b ? chance / (a + b - chance) : null,
      mcnemarP: thinice.outcomes.mcnemar(a - both, b - both),
    };
  }

  /**
   * A choice of samples as the address writes it: `least-3` (lost by at least three), `by-1` (lost by the first),
   * `only-1` (by no other one), `both-1-2`. What names no network there is the losses that all share.
   * @param {string | null | undefined} text
   * @param {number} networks
   * @returns {LossChoice}
   */
  function readChoice(text, networks) {
    const [, kind, one, first, second] = CHOICE.exec(text || "") || [];
    const numbers = (one ? [one] : [first, second]).map(Number);
    const isKnown = numbers.every((number) => number <= networks) && numbers[0] !== numbers[1];
    if (!isKnown || (!kind && !first)) return { kind: "least", numbers: [networks] };
    /** @type {LossChoice["kind"]} */
    const meant = kind === "by" || kind === "only" || kind === "least" ? kind : "both";
    return { kind: meant, numbers };
  }

  /** @param {LossChoice} choice */
  const writeChoice = (choice) => [choice.kind, ...choice.numbers].join("-");

  /**
   * @param {number} mask
   * @param {LossChoice} choice
   */
  function isChosen(mask, { kind, numbers }) {
    const [first = 0, second = 0] = numbers;
    if (kind === "least") return size(mask) >= first;
    if (kind === "only") return mask === 1 << (first - 1);
    const wanted = kind === "both" ? (1 << (first - 1)) | (1 << (second - 1)) : 1 << (first - 1);
    return (mask & wanted) === wanted;
  }

  /**
   * The places of the chosen samples, thinnest ice first.
   * @param {Columns} columns
   * @param {Uint8Array} found
   * @param {LossChoice} choice
   */
  function choose(columns, found, choice) {
    const places = Array.from(found.keys()).filter((place) => isChosen(Number(found[place]), choice));
    const { thinness, index } = columns;
    return places.sort((a, b) => {
      const first = Number(thinness[a]), second = Number(thinness[b]);
      if (first !== second) return first < second ? -1 : 1;
      return Number(index[a]) - Number(index[b]);
    });
  }

  /**
   * The cut that an address names.
   * @param {URLSearchParams | Map<string, string>} address
   * @param {SeveralState} several
   * @returns {SeveralCut}
   */
  function readCut(address, several) {
    const text = address.get("eps") || several.default_eps_text;
    const query = Object.fromEntries(STATE_KEYS.map((key) => [key, address.get(key) || ""]).filter(([, value]) => value));
    return {
      dense: several.dense,
      eps: thinice.distances.stored(text),
      epsText: thinice.distances.epsText(text, several),
      delta: thinice.distances.fromText(address.get("delta"), several.default_delta, several),
      view: address.get("view") === "robust" ? "robust" : "clean",
      query,
    };
  }

  /** @type {ThinIce["severalLosses"]} */
  const severalLosses = { decode, masks, size, tally, overlap, readChoice, writeChoice, readCut, isChosen, choose };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { severalLosses });
})();
