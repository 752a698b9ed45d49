"""Intervals and tests for counts and medians, each with what it cannot say."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from backend.analysis.outcomes import FloatArray, IntArray
from backend.errors import InvalidRequest

CONFIDENCE = 0.95
_BLOCK = 4_000_000  # numbers drawn at once: 32 MB, so that 10,000 samples do not need gigabytes


@dataclass(frozen=True)
class Share:
    """`count` of `n`, as a share in [0, 1] with an interval; value, low and high are None where n is 0."""

    count: int
    n: int
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Estimate:
    """A number with an interval from n samples. None where it cannot be had; `reason` says why in one sentence.

    `high` may be None although the value is finite: the upper end is censored (beyond every radius tried).
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    reason: str | None = None


def wilson(count: int, n: int, confidence: float = CONFIDENCE) -> Share:
    """Share `count / n` with Wilson's score interval (Wilson 1927), without continuity correction.

    Raises:
        InvalidRequest: not 0 <= count <= n, or the confidence is not inside (0, 1).
    """
    if not 0 <= count <= n:
        raise InvalidRequest(f"A share needs 0 <= count <= n; got {count} of {n}.", count=count, n=n)
    if not 0 < confidence < 1:
        raise InvalidRequest(f"The confidence must lie between 0 and 1; got {confidence}.", confidence=confidence)
    if n == 0:
        return Share(0, 0, None, None, None)
    z = float(special.ndtri(0.5 + confidence / 2))
    share = count / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    # Rounding would otherwise leave 1e-17 at the ends, where the interval is exact.
    low = 0.0 if count == 0 else max(0.0, centre - half)
    high = 1.0 if count == n else min(1.0, centre + half)
    return Share(int(count), int(n), share, low, high)


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided McNemar p of two discordant counts (binomial, share 1/2); 1 where there are none."""
    discordant = only_first + only_second
    if discordant == 0:
        return 1.0
    return float(stats.binomtest(only_first, discordant, 0.5).pvalue)


def holm(p_values: FloatArray) -> FloatArray:
    """Holm's step-down correction (Holm 1979), float64 (M,) in the order given, in [0, 1]."""
    p_values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p_values, kind="stable")
    factors = len(p_values) - np.arange(len(p_values))
    stepped = np.minimum(1.0, np.maximum.accumulate(p_values[order] * factors)) if len(order) else p_values[order]
    corrected = np.empty_like(p_values)
    corrected[order] = stepped
    return corrected


def find_middle(values: ArrayLike) -> float | None:
    """The median of values in which inf stands for "not found"; None where that is inf, and where there are no values.

    An even number of values has two middle ones, and the median is their mean: one of them not found makes it None.
    """
    array = np.asarray(values, dtype=np.float64)
    middle = float(np.median(array)) if array.size else np.inf
    return middle if np.isfinite(middle) else None


def median(
    values: FloatArray, *, resamples: int = 1000, seed: int = 0, confidence: float = CONFIDENCE, of: str = "values"
) -> Estimate:
    """Median (`find_middle`) with a seeded percentile-bootstrap interval; inf is "larger than every number".

    A median that is inf is None with a reason; an upper end that is inf is None although the value is finite. Ends are
    order statistics of the resampled medians, so no interpolation meets inf.

    Raises:
        InvalidRequest: a NaN among the values.
    """
    values = np.sort(np.asarray(values, dtype=np.float64))
    n = len(values)
    if np.isnan(values).any():
        raise InvalidRequest("A median needs values without NaN.")
    if n == 0:
        return Estimate(None, None, None, 0, f"There is no median, because there are no {of}.")
    middle = find_middle(values)
    medians = np.sort(_resample_medians(values, resamples, seed))
    low = float(medians[int(np.floor((1 - confidence) / 2 * (resamples - 1)))])
    high = float(medians[int(np.ceil((1 + confidence) / 2 * (resamples - 1)))])
    if middle is None:
        censored = int(np.isinf(values).sum())
        reason = f"The median lies beyond every radius tried: {censored:,} of {n:,} {of} were not found."
        return Estimate(None, low if np.isfinite(low) else None, None, n, reason)
    return Estimate(middle, low, high if np.isfinite(high) else None, n)


def paired_difference(both: int, only_first: int, only_second: int, neither: int) -> Estimate:
    """Difference of two paired shares, first minus second, with Newcombe's interval at 95 %.

    Method 10 of Newcombe, Statistics in Medicine 17:2635 (1998): Wilson intervals of the two shares, joined with a
    continuity-corrected phi. Stays inside [-1, 1] and has a width also where nothing is discordant.
    """
    n = both + only_first + only_second + neither
    if n == 0:
        return Estimate(None, None, None, 0, "There are no shared samples to compare.")
    first, second = wilson(both + only_first, n), wilson(both + only_second, n)
    phi = _phi(both, only_first, only_second, neither)
    assert first.value is not None and first.low is not None and first.high is not None
    assert second.value is not None and second.low is not None and second.high is not None
    difference = first.value - second.value
    below, above = first.value - first.low, second.high - second.value
    low = difference - float(np.sqrt(max(0.0, below**2 - 2 * phi * below * above + above**2)))
    below, above = second.value - second.low, first.high - first.value
    high = difference + float(np.sqrt(max(0.0, above**2 - 2 * phi * above * below + below**2)))
    return Estimate(difference, max(-1.0, low), min(1.0, high), n)


def _phi(both: int, only_first: int, only_second: int, neither: int) -> float:
    n = both + only_first + only_second + neither
    rows = (both + only_first) * (only_second + neither)
    columns = (both + only_second) * (only_first + neither)
    if rows == 0 or columns == 0:
        return 0.0
    excess = float(both * neither - only_first * only_second)
    if excess > 0:
        excess = max(0.0, excess - n / 2)
    return float(excess / np.sqrt(float(rows) * float(columns)))


def _resample_medians(values: FloatArray, resamples: int, seed: int) -> FloatArray:
    generator = np.random.default_rng(seed)
    n = len(values)
    rows = max(1, min(resamples, _BLOCK // n))
    medians = [
        _row_medians(values, generator.integers(0, n, size=(min(rows, resamples - start), n)))
        for start in range(0, resamples, rows)
    ]
    return np.concatenate(medians)


def _row_medians(sorted_values: FloatArray, ranks: IntArray) -> FloatArray:
    """Median of each resample; working on ranks of the sorted values keeps inf out of the partition."""
    n = ranks.shape[1]
    lower, upper = (n - 1) // 2, n // 2
    ranks.partition((lower, upper), axis=1)
    result: FloatArray = (sorted_values[ranks[:, lower]] + sorted_values[ranks[:, upper]]) / 2
    return result
