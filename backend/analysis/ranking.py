"""How well a score ranks positives above negatives: AUROC with ties, average precision, FPR, and their bootstrap."""

from collections.abc import Iterator

import numpy as np

from backend.analysis.outcomes import BoolArray, FloatArray, IntArray
from backend.errors import InvalidRequest

_BLOCK = 4_000_000  # weights held at once


def auroc(score: FloatArray, is_positive: BoolArray) -> float:
    """Probability that a positive scores above a negative, ties counted half, in [0, 1].

    Infinite scores are ranked like any other. O(n log n).

    Raises:
        InvalidRequest: no positives or no negatives, or a NaN score.
    """
    return float(weighted_aurocs(score, is_positive, np.ones((1, len(score)), dtype=np.int64))[0])


def weighted_aurocs(score: FloatArray, is_positive: BoolArray, weights: IntArray) -> FloatArray:
    """AUROC under each row of sample weights.

    Args:
        score: float64 (N,), larger means more likely positive.
        is_positive: bool (N,).
        weights: int64 (R, N), how often each sample counts; every row holds positives and negatives.

    Returns:
        float64 (R,). Cost: one cumulative sum of (R, negatives) and two gathers of (R, positives).
    """
    _check(score, is_positive)
    negatives = np.flatnonzero(~is_positive)
    negatives = negatives[np.argsort(score[negatives], kind="stable")]
    positives = np.flatnonzero(is_positive)
    below = np.searchsorted(score[negatives], score[positives], side="left")
    at_most = np.searchsorted(score[negatives], score[positives], side="right")
    running = np.zeros((len(weights), len(negatives) + 1), dtype=np.int64)
    np.cumsum(weights[:, negatives], axis=1, out=running[:, 1:])
    weight = weights[:, positives]
    doubled = ((running[:, below] + running[:, at_most]) * weight).sum(axis=1)
    result: FloatArray = doubled / (2.0 * weight.sum(axis=1) * running[:, -1])
    return result


def average_precision(score: FloatArray, is_positive: BoolArray) -> float:
    """Sum over thresholds of (recall step) x precision, tied scores entering together, without interpolation."""
    _check(score, is_positive)
    hits, taken = _cumulate(score, is_positive)
    steps = np.diff(hits, prepend=0)
    return float((steps * hits / taken).sum() / hits[-1])


def fpr_at_tpr(score: FloatArray, is_positive: BoolArray, tpr: float = 0.95) -> float:
    """Share of negatives flagged at the strictest threshold that catches at least `tpr` of the positives."""
    _check(score, is_positive)
    hits, taken = _cumulate(score, is_positive)
    needed = tpr * hits[-1] * (1 - 1e-12)
    first = int(np.argmax(hits >= needed))
    return float((taken[first] - hits[first]) / (len(score) - hits[-1]))


def draw_weights(strata: IntArray, resamples: int, seed: int) -> Iterator[IntArray]:
    """Bootstrap weights, resampled with replacement inside each stratum, as blocks of int64 (rows, N)."""
    generator = np.random.default_rng(seed)
    members = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    rows = max(1, _BLOCK // max(1, len(strata)))
    for start in range(0, resamples, rows):
        count = min(rows, resamples - start)
        weights = np.zeros((count, len(strata)), dtype=np.int64)
        for member in members:
            size = len(member)
            picks = generator.integers(0, size, size=(count, size)) + size * np.arange(count)[:, None]
            weights[:, member] = np.bincount(picks.ravel(), minlength=count * size).reshape(count, size)
        yield weights


def percentile_interval(
    value: float, resampled: FloatArray, confidence: float, smaller_group: int
) -> tuple[float, float]:
    """Percentile interval of a resampled AUROC.

    A perfect ranking resamples to itself, and a width of nothing would claim certainty; there the end is the exact
    binomial one of `smaller_group` disjoint pairs, all ordered the same way (Clopper and Pearson 1934).
    """
    low, high = (float(end) for end in np.quantile(resampled, [(1 - confidence) / 2, (1 + confidence) / 2]))
    exact = float(((1 - confidence) / 2) ** (1 / smaller_group))
    if value == 1.0:
        low = min(low, exact)
    if value == 0.0:
        high = max(high, 1 - exact)
    return low, high


def _cumulate(score: FloatArray, is_positive: BoolArray) -> tuple[IntArray, IntArray]:
    """(positives, samples) taken at each distinct threshold, from the highest score down."""
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    # A comparison, not a difference: inf - inf would be NaN.
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    return np.cumsum(is_positive[order], dtype=np.int64)[ends], (ends + 1).astype(np.int64)


def _check(score: FloatArray, is_positive: BoolArray) -> None:
    if np.isnan(score).any():
        raise InvalidRequest("A ranking needs scores without NaN.")
    positives = int(np.count_nonzero(is_positive))
    if positives == 0 or positives == len(is_positive):
        raise InvalidRequest(
            f"A ranking needs positives and negatives; got {positives} positives of {len(is_positive)} samples."
        )
