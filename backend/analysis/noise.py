"""The attack-noise floor: how far margins of one network move when nothing but the seed of the attacks changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from backend.analysis.flips import Counts, count_held
from backend.analysis.outcomes import BoolArray, FloatArray, Outcomes, TextArray, is_held
from backend.analysis.statistics import Share, wilson
from backend.errors import InvalidRequest, NotComparable

FLOOR_QUANTILE = 0.95


@dataclass(frozen=True, eq=False)
class Noise:
    """Margins of the same samples over `runs` evaluations that differ in the seed alone, N shared samples.

    low, high: float64 (N,), the smallest and largest margin; inf where a run found nothing, 0 where wrong in all.
    spread: float64 (N,) in 0..1, 1 - low / high: 0 where all agree, 1 where one run found nothing and another did.
    floor: the 95 % quantile of the spread over the samples right in all runs and found in one; None without any, and
        for witnesses, whose distances say nothing about how near the boundary is.
    changed: bool (N,), held at eps in some runs and not in others; all False without an eps.
    """

    runs: int
    sample_ids: TextArray
    low: FloatArray
    high: FloatArray
    spread: FloatArray
    floor: float | None
    changed: BoolArray

    @property
    def ratio(self) -> FloatArray:
        """high / low, float64 (N,): 1 where all agree, inf where one run found nothing."""
        same = self.low == self.high
        divisor = np.where(same | (self.low == 0), 1.0, self.low)
        return np.where(same, 1.0, np.where(self.low == 0, np.inf, self.high / divisor))


def measure_noise(runs: Sequence[Outcomes], eps: float | None = None) -> Noise:
    """Compare evaluations of one network that differ in the seed alone, on the samples that all share.

    Raises:
        InvalidRequest: fewer than two runs; or eps is negative, or none that the witnesses among them can decide.
        NotComparable: no sample is in all of them.
    """
    if len(runs) < 2:
        raise InvalidRequest(f"The spread over seeds needs at least two evaluations; got {len(runs)}.")
    shared = align(runs)
    margins = np.stack([run.margin for run in shared])
    low, high = margins.min(axis=0), margins.max(axis=0)
    is_same = low == high  # infinite in all, or 0 in all
    spread = np.where(is_same, 0.0, 1.0 - low / np.where(is_same | (high == 0), 1.0, high))
    counted = np.logical_and.reduce([run.correct for run in shared]) & np.isfinite(low)
    any_witness = any(run.kind == "witness" for run in shared)
    changed: BoolArray = np.zeros(len(low), dtype=np.bool_)
    if eps is not None:
        held = np.stack([is_held(run, eps) for run in shared])
        changed = np.asarray(held.any(axis=0) & ~held.all(axis=0), dtype=np.bool_)
    return Noise(
        runs=len(runs),
        sample_ids=shared[0].sample_ids,
        low=low,
        high=high,
        spread=spread,
        floor=float(np.quantile(spread[counted], FLOOR_QUANTILE)) if counted.any() and not any_witness else None,
        changed=changed,
    )


def align(runs: Sequence[Outcomes]) -> list[Outcomes]:
    """The runs cut to the samples that all have, sorted by sample id; NotComparable where there are none."""
    ids: TextArray = reduce(np.intersect1d, [run.sample_ids for run in runs])
    if not len(ids):
        raise NotComparable("The repeated evaluations share no samples.")
    aligned = []
    for run in runs:
        order = np.argsort(run.sample_ids)
        aligned.append(run.take(order[np.searchsorted(run.sample_ids[order], ids)]))
    return aligned


def count_flips(first: Outcomes, second: Outcomes, eps: float) -> Counts:
    """Robust flips between two seeds of one network: what attack luck alone does. Raises as `measure_noise`."""
    one, other = align([first, second])
    return count_held(is_held(one, eps), is_held(other, eps))


def count_within(outcomes: Outcomes, eps: float, floor: float) -> Share:
    """Of the samples that hold at eps, those whose margin lies above it by less than the noise floor.

    Their verdict hangs on the luck of the attack: a margin smaller by `floor` of itself would break them. A sample that
    is broken hangs on nothing, since its adversarial was verified.
    """
    held = is_held(outcomes, eps)
    margin = outcomes.margin[held]
    slack = np.where(np.isinf(margin), 1.0, 1.0 - eps / np.where(np.isinf(margin) | (margin == 0), 1.0, margin))
    return wilson(int((slack < floor).sum()), int(held.sum()))
