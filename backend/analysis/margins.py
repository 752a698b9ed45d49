"""Dense against pruned margins of the same samples: their rank correlation."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from backend.analysis.outcomes import BoolArray, FloatArray
from backend.analysis.pairing import Pair
from backend.analysis.statistics import CONFIDENCE, Estimate

MIN_SAMPLES = 10
EXCLUSIONS = (
    "both already wrong",
    "dense already wrong",
    "pruned already wrong",
    "both not found",
    "dense not found",
    "pruned not found",
)


@dataclass(frozen=True)
class Correlation:
    """Rank correlations of dense and pruned margins where both are measured (finite, above 0).

    spearman, kendall (tau-b) in [-1, 1] with 95 % intervals; None with a reason under 10 samples or where one side
    does not vary. `excluded`: samples left out by reason, each counted once; with n they sum to the pair's n.
    """

    spearman: Estimate
    kendall: Estimate
    n: int
    excluded: Mapping[str, int]


def correlate(pair: Pair) -> Correlation:
    """Spearman and Kendall of dense against pruned margins.

    Intervals: Fisher's z with the standard errors of Bonett and Wright (2000) for Spearman, and of Fieller, Hartley
    and Pearson (1957) for Kendall.
    """
    is_measured, excluded = _split(pair)
    dense, pruned = pair.dense.margin[is_measured], pair.pruned.margin[is_measured]
    n = len(dense)
    reason = _explain_absence(pair, dense, pruned)
    if reason is not None:
        nothing = Estimate(None, None, None, n, reason)
        return Correlation(nothing, nothing, n, excluded)
    spearman = float(stats.spearmanr(dense, pruned).statistic)
    kendall = float(stats.kendalltau(dense, pruned).statistic)
    return Correlation(
        _fisher(spearman, float(np.sqrt((1 + spearman**2 / 2) / (n - 3))), n),
        _fisher(kendall, float(np.sqrt(0.437 / (n - 4))), n),
        n,
        excluded,
    )


def _split(pair: Pair) -> tuple[BoolArray, dict[str, int]]:
    """(measured on both sides, bool (N,); the others counted by reason)."""
    dense, pruned = pair.dense.margin, pair.pruned.margin
    zero_dense, zero_pruned = dense == 0, pruned == 0
    lost_dense, lost_pruned = np.isinf(dense), np.isinf(pruned)
    is_any_zero = zero_dense | zero_pruned
    groups = (
        zero_dense & zero_pruned,
        zero_dense & ~zero_pruned,
        ~zero_dense & zero_pruned,
        ~is_any_zero & lost_dense & lost_pruned,
        ~is_any_zero & lost_dense & ~lost_pruned,
        ~is_any_zero & ~lost_dense & lost_pruned,
    )
    excluded = {reason: int(group.sum()) for reason, group in zip(EXCLUSIONS, groups, strict=True)}
    return ~(is_any_zero | lost_dense | lost_pruned), excluded


def _explain_witness(pair: Pair) -> str | None:
    sides = [name for name, side in (("dense", pair.dense), ("pruned", pair.pruned)) if side.kind != "minimum"]
    if not sides:
        return None
    return f"The {' and '.join(sides)} distances are witnesses at a fixed eps, which only bound the margins."


def _explain_absence(pair: Pair, dense: FloatArray, pruned: FloatArray) -> str | None:
    reason = _explain_witness(pair)
    if reason is not None:
        return reason
    if len(dense) < MIN_SAMPLES:
        return f"Too few samples have a measured margin on both sides ({len(dense)}, at least {MIN_SAMPLES} needed)."
    for name, values in (("dense", dense), ("pruned", pruned)):
        if (values == values[0]).all():
            return f"All {name} margins are equal, so they cannot be ranked."
    return None


def _fisher(value: float, error: float, n: int) -> Estimate:
    # arctanh has no value at the ends; there the interval is taken around the nearest correlation that has one.
    z = float(np.arctanh(np.clip(value, -1 + 1e-9, 1 - 1e-9)))
    reach = float(special.ndtri(0.5 + CONFIDENCE / 2)) * error
    return Estimate(value, float(np.tanh(z - reach)), min(1.0, float(np.tanh(z + reach))), n)
