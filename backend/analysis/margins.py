"""Dense against pruned margins of the same samples: rank correlation, change, and distribution by set."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special, stats

from backend.analysis.flips import SETS, name_sets
from backend.analysis.outcomes import BoolArray, FloatArray
from backend.analysis.pairing import Pair
from backend.analysis.statistics import CONFIDENCE, Estimate, median
from backend.errors import InvalidRequest

Side = Literal["dense", "pruned"]
Measure = Literal["margin", "margin_pred"]

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


@dataclass(frozen=True, eq=False)
class Change:
    """Margin change, pruned minus dense, where both are measured.

    values: float64 (n,) for `sample_ids` (n,). wilcoxon_p: two-sided signed-rank test that the changes are symmetric
    about 0; it uses `n_used` of them (unchanged ones carry no sign). `excluded` as in Correlation.
    """

    sample_ids: np.ndarray
    values: FloatArray
    median: Estimate
    wilcoxon_p: float | None
    n_used: int
    grew: int
    shrank: int
    excluded: Mapping[str, int]
    reason: str | None


@dataclass(frozen=True, eq=False)
class Histogram:
    """Margins by set in common bins: edges float64 (B + 1,), counts int64 (B,) per set.

    `zero` and `not_found` count, per set, the margins that are no numbers; with the bins they hold every sample.
    """

    side: Side
    measure: Measure
    edges: FloatArray
    counts: Mapping[str, np.ndarray]
    zero: Mapping[str, int]
    not_found: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class Ecdf:
    """Share of a set's samples with margin <= x, float64 (P,) each; ends below 1 where margins were not found."""

    x: FloatArray
    share: FloatArray
    n: int
    not_found: int


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


def measure_change(pair: Pair, *, bootstrap: int = 1000, seed: int = 0) -> Change:
    """How much each measured margin moved, the median move with its interval, and Wilcoxon's signed-rank p."""
    is_measured, excluded = _split(pair)
    values = pair.pruned.margin[is_measured] - pair.dense.margin[is_measured]
    used = values[values != 0]
    reason = _explain_witness(pair)
    if reason is None and len(used) < MIN_SAMPLES:
        reason = f"Too few measured margins changed for a test ({len(used)}, at least {MIN_SAMPLES} needed)."
    is_witness = _explain_witness(pair) is not None
    middle = (
        Estimate(None, None, None, len(values), reason)
        if is_witness
        else median(values, resamples=bootstrap, seed=seed, of="margin changes")
    )
    return Change(
        sample_ids=pair.sample_ids[is_measured],
        values=values,
        median=middle,
        wilcoxon_p=None if reason is not None else float(stats.wilcoxon(used).pvalue),
        n_used=len(used),
        grew=int((values > 0).sum()),
        shrank=int((values < 0).sum()),
        excluded=excluded,
        reason=reason,
    )


def bin_by_set(
    pair: Pair, *, side: Side = "dense", measure: Measure = "margin", eps: float | None = None, count: int = 40
) -> Histogram:
    """Histogram of one side's margins by set, in `count` equal bins common to all sets and to both sides.

    Args:
        side: whose margins. Sets are always those of the pair, clean or at eps.
        measure: "margin", or "margin_pred" so that samples the dense model gets wrong have a distance too.

    Raises:
        InvalidRequest: an unknown side or measure, or no bins.
    """
    if count < 1:
        raise InvalidRequest(f"A histogram needs at least one bin; got {count}.", count=count)
    sets, values = name_sets(pair, eps), _read(pair, side, measure)
    both = np.concatenate([_read(pair, "dense", measure), _read(pair, "pruned", measure)])
    largest = float(both[np.isfinite(both)].max(initial=0.0))
    edges = np.linspace(0.0, largest if largest > 0 else 1.0, count + 1)
    is_number = np.isfinite(values) & (values > 0)
    return Histogram(
        side=side,
        measure=measure,
        edges=edges,
        counts={name: np.histogram(values[is_number & (sets == name)], edges)[0] for name in SETS},
        zero={name: int(((values == 0) & (sets == name)).sum()) for name in SETS},
        not_found={name: int((np.isinf(values) & (sets == name)).sum()) for name in SETS},
    )


def trace_ecdfs(
    pair: Pair, *, side: Side = "dense", measure: Measure = "margin", eps: float | None = None
) -> dict[str, Ecdf]:
    """Empirical distribution of one side's margins for every set that has samples."""
    sets, values = name_sets(pair, eps), _read(pair, side, measure)
    curves = {}
    for name in SETS:
        members = np.sort(values[sets == name])
        if len(members):
            x = np.unique(members[np.isfinite(members)])
            share = np.searchsorted(members, x, side="right") / len(members)
            curves[name] = Ecdf(x, share, len(members), int(np.isinf(members).sum()))
    return curves


def find_medians(
    pair: Pair, *, side: Side = "dense", measure: Measure = "margin", eps: float | None = None, seed: int = 0
) -> dict[str, Estimate]:
    """Median of one side's margins in every set, over margins above 0; not found ranks as larger than every number."""
    sets, values = name_sets(pair, eps), _read(pair, side, measure)
    reason = _explain_witness(pair)
    if reason is not None:
        return {name: Estimate(None, None, None, 0, reason) for name in SETS}
    return {name: median(values[(sets == name) & (values > 0)], seed=seed, of="margins above 0") for name in SETS}


def _read(pair: Pair, side: str, measure: str) -> FloatArray:
    if side not in ("dense", "pruned") or measure not in ("margin", "margin_pred"):
        raise InvalidRequest(
            f"side must be dense or pruned, and measure margin or margin_pred; got {side!r}, {measure!r}.",
            side=side,
            measure=measure,
        )
    outcomes = pair.dense if side == "dense" else pair.pruned
    return outcomes.margin if measure == "margin" else outcomes.margin_pred


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
