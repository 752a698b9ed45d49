// The samples of a pair, cut at any eps: the sets, their counts and tests, as backend/analysis makes them.
// Pure: tests call this in Node.
(function () {
  const TOLERANCE = { minimum: 2e-7, witness: 1e-4 }; // of backend/analysis/outcomes.py
  const SETS = ["S11", "S10", "S01", "S00"];
  const Z = 1.959963984540054; // the normal quantile of a 95 % interval
  const FEWEST_POSITIVES = 20; // of backend/analysis/thin_ice.py
  const NOTHING = 1e-18; // of a sum: a term that no longer changes it

  /** @param {string} text */
  function bytesOf(text) {
    const raw = atob(text);
    const bytes = new Uint8Array(raw.length);
    for (let place = 0; place < raw.length; place += 1) bytes[place] = raw.charCodeAt(place);
    return bytes.buffer;
  }

  /**
   * The typed arrays of a payload (PairColumns of REST). Every machine with a browser is little-endian.
   * @param {ColumnsOut} sent
   * @returns {Columns}
   */
  function decode(sent) {
    /** @param {ColumnsOfSideOut} side */
    const sideOf = (side) => ({
      kind: side.kind,
      eps: side.eps,
      prediction: new Int32Array(bytesOf(side.prediction)),
      margin: new Float64Array(bytesOf(side.margin)),
    });
    return {
      n: sent.n,
      index: new Int32Array(bytesOf(sent.index)),
      label: new Int32Array(bytesOf(sent.label)),
      dense: sideOf(sent.dense),
      pruned: sideOf(sent.pruned),
      thinness: new Float64Array(bytesOf(sent.thinness)),
      logitGap: new Float64Array(bytesOf(sent.logit_gap)),
    };
  }

  /**
   * The largest margin that counts as within eps (stored units, as all lengths here).
   * @param {number} eps
   * @param {"minimum" | "witness"} kind
   */
  const largestWithin = (eps, kind) => eps * (1 + TOLERANCE[kind]);

  /**
   * Which samples a side gets right; at an eps, which it holds. Witnesses of two different eps are each judged at
   * their own, where they decide: an adversarial was found, or none was.
   * @param {Columns} columns
   * @param {ColumnsSide} side
   * @param {number | null} eps
   */
  function held(columns, side, eps) {
    const other = side === columns.dense ? columns.pruned : columns.dense;
    const isOwn = side.kind === "witness" && other.kind === "witness" && side.eps !== null && other.eps !== null;
    const limit = eps === null ? -1 : isOwn && side.eps !== other.eps ? Number.MAX_VALUE : largestWithin(eps, side.kind);
    const holds = new Uint8Array(columns.n);
    for (let place = 0; place < columns.n; place += 1) {
      const isRight = side.prediction[place] === columns.label[place];
      holds[place] = Number(isRight && !(Number(side.margin[place]) <= limit));
    }
    return holds;
  }

  /**
   * The set of every sample by its place in SETS; `eps` null: by clean correctness.
   * @param {Columns} columns
   * @param {number | null} eps
   */
  function sets(columns, eps) {
    const dense = held(columns, columns.dense, eps), pruned = held(columns, columns.pruned, eps);
    return dense.map((holds, place) => 2 * (1 - holds) + (1 - Number(pruned[place])));
  }

  /**
   * @param {Uint8Array} named
   * @param {Uint8Array | null} [mask] 1 where a sample counts; all do without it
   */
  function count(named, mask = null) {
    const counts = { n11: 0, n10: 0, n01: 0, n00: 0 };
    for (let place = 0; place < named.length; place += 1) {
      const set = named[place];
      if (mask !== null && !mask[place]) continue;
      if (set === 0) counts.n11 += 1;
      else if (set === 1) counts.n10 += 1;
      else if (set === 2) counts.n01 += 1;
      else counts.n00 += 1;
    }
    return counts;
  }

  /**
   * A share with Wilson's interval at 95 %; null where there is nothing to share.
   * @param {number} part
   * @param {number} n
   * @returns {Share}
   */
  function wilson(part, n) {
    if (n === 0) return { count: 0, n: 0, value: null, low: null, high: null };
    const value = part / n;
    const whole = 1 + Z * Z / n;
    const centre = (value + Z * Z / (2 * n)) / whole;
    const half = Z / whole * Math.sqrt(value * (1 - value) / n + Z * Z / (4 * n * n));
    const low = part === 0 ? 0 : Math.max(0, centre - half);
    return { count: part, n, value, low, high: part === n ? 1 : Math.min(1, centre + half) };
  }

  /**
   * Exact two-sided McNemar p of two discordant counts: both tails of the binomial with share 1/2.
   * @param {number} onlyFirst
   * @param {number} onlySecond
   */
  function mcnemar(onlyFirst, onlySecond) {
    const n = onlyFirst + onlySecond, fewer = Math.min(onlyFirst, onlySecond);
    if (2 * fewer >= n - 1) return 1;
    // From the largest term down, each a factor of the one before: the sum stands relative to that term.
    let sum = 1, term = 1;
    for (let k = fewer; k > 0 && term > sum * NOTHING; k -= 1) {
      term *= k / (n - k + 1);
      sum += term;
    }
    let logarithm = -n * Math.LN2;
    for (let k = 1; k <= fewer; k += 1) logarithm += Math.log((n - fewer + k) / k);
    return Math.min(1, 2 * sum * Math.exp(logarithm));
  }

  /**
   * What `flips.summarise` says of a pair at an eps, or by clean correctness.
   * @param {Columns} columns
   * @param {number | null} eps
   */
  const summarise = (columns, eps) => summariseSets(columns, sets(columns, eps), null);

  /**
   * The same of sets that are known, and of a part of the samples.
   * @param {Columns} columns
   * @param {Uint8Array} named
   * @param {Uint8Array | null} mask 1 where a sample counts; null: all do
   */
  function summariseSets(columns, named, mask) {
    const counts = count(named, mask), n = counts.n11 + counts.n10 + counts.n01 + counts.n00;
    let changed = 0;
    columns.dense.prediction.forEach((prediction, place) => {
      changed += Number((mask === null || mask[place] === 1) && prediction !== columns.pruned.prediction[place]);
    });
    return {
      counts,
      negative_flip_rate: wilson(counts.n10, n),
      positive_flip_rate: wilson(counts.n01, n),
      lost_share: wilson(counts.n10, counts.n11 + counts.n10),
      churn: wilson(changed, n),
      net: counts.n01 - counts.n10,
      mcnemar_p: mcnemar(counts.n10, counts.n01),
    };
  }

  /**
   * Probability that a positive scores above a negative, ties counted half; null where either is missing.
   * @param {ArrayLike<number>} scores
   * @param {ArrayLike<number>} positives 1 where positive
   */
  function auroc(scores, positives) {
    const order = Array.from(scores, (_, place) => place).sort((a, b) => {
      const first = Number(scores[a]), second = Number(scores[b]);
      return first < second ? -1 : Number(first > second); // a difference of infinite scores would be NaN
    });
    let below = 0, doubled = 0, hits = 0;
    for (let start = 0, end = 0; start < order.length; start = end) {
      let above = 0;
      for (; end < order.length && scores[Number(order[end])] === scores[Number(order[start])]; end += 1) {
        above += Number(positives[Number(order[end])]);
      }
      const tied = end - start - above;
      doubled += above * (2 * below + tied);
      below += tied;
      hits += above;
    }
    return hits && below ? doubled / (2 * hits * below) : null;
  }

  /**
   * How well a small dense margin ranks the lost samples among those that the dense model holds; null where
   * `thin_ice.predictive` gives a reason instead.
   * @param {Columns} columns
   * @param {number | null} eps
   */
  function rankLost(columns, eps) {
    /** @type {number[]} */
    const scores = [];
    /** @type {number[]} */
    const lost = [];
    sets(columns, eps).forEach((set, place) => {
      if (set > 1) return;
      scores.push(-Number(columns.dense.margin[place]));
      lost.push(set);
    });
    const positives = lost.filter(Boolean).length;
    return columns.dense.kind !== "minimum" || positives < FEWEST_POSITIVES ? null : auroc(scores, lost);
  }

  /** @type {ThinIce["outcomes"]} */
  const outcomes = { TOLERANCE, SETS, decode, largestWithin, sets, count, wilson, mcnemar, summarise, summariseSets, auroc, rankLost };
  globalThis.thinice = Object.assign({}, globalThis.thinice, { outcomes });
})();
