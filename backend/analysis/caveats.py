"""Caveats of margins: a gain beyond belief, and a stronger attack that breaks what they call robust."""

from dataclasses import dataclass

from backend.analysis.flips import find_held
from backend.analysis.outcomes import FloatArray, Outcomes, is_held
from backend.analysis.pairing import Pair, pair
from backend.analysis.statistics import Estimate, find_middle, median
from backend.errors import InvalidRequest

GAIN_RATIO = 1.2  # pruned over dense median margin; smaller gains happen, for instance by finetuning longer


@dataclass(frozen=True)
class Gain:
    """Median margins over the n samples that both models get right; a median is None beyond every radius tried."""

    n: int
    dense: Estimate
    pruned: Estimate


@dataclass(frozen=True)
class Overestimate:
    """Of `robust` shared samples whose margins lie beyond eps, a stronger attack breaks `broken` within eps."""

    robust: int
    broken: int

    @property
    def share(self) -> float:
        """Broken share, 0..1; 0 where no margin lies beyond eps."""
        return self.broken / self.robust if self.robust else 0.0


def find_gain(joined: Pair, *, bootstrap: int = 1000, seed: int = 0) -> Gain | None:
    """The medians where pruned margins are far above dense ones; None where they are not, or hold witnesses.

    Far above: the bootstrap intervals are disjoint and the medians' ratio exceeds `GAIN_RATIO`. Only samples that
    both get right count, so that losing the samples of small margin is no gain.
    """
    if joined.dense.kind != "minimum" or joined.pruned.kind != "minimum":
        return None
    dense_right, pruned_right = find_held(joined)
    is_right = dense_right & pruned_right
    if not is_right.any() or not _is_far_above(joined.dense.margin[is_right], joined.pruned.margin[is_right]):
        return None  # intervals cost a bootstrap each
    dense, pruned = (
        median(side.margin[is_right], resamples=bootstrap, seed=seed, of="margins")
        for side in (joined.dense, joined.pruned)
    )
    if dense.value is None or dense.high is None:
        return None
    if pruned.low is not None and pruned.low <= dense.high:  # a low end of None is beyond every radius, too
        return None
    return Gain(int(is_right.sum()), dense, pruned)


def _is_far_above(dense: FloatArray, pruned: FloatArray) -> bool:
    """Whether the ratio of the medians exceeds `GAIN_RATIO`; a median beyond every radius tried exceeds any other."""
    dense_median, pruned_median = find_middle(dense), find_middle(pruned)
    return dense_median is not None and (pruned_median is None or pruned_median > GAIN_RATIO * dense_median)


def count_overestimated(margins: Outcomes, witnesses: Outcomes) -> Overestimate:
    """How often margins of a model say robust at the eps at which witnesses of the same model say broken.

    Raises:
        NotComparable: no shared samples.
        InvalidRequest: the first are no minima, or the second no witnesses at a known eps.
    """
    if margins.kind != "minimum" or witnesses.kind != "witness" or witnesses.eps is None:
        raise InvalidRequest("Margins can be checked only by witnesses at a known eps.")
    joined = pair(margins, witnesses)
    is_robust = is_held(joined.dense, witnesses.eps)
    is_broken = joined.pruned.correct & ~is_held(joined.pruned, witnesses.eps)
    return Overestimate(int(is_robust.sum()), int((is_robust & is_broken).sum()))
