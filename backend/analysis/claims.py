"""Claimed against re-evaluated robust accuracy, and whether pruned networks overestimate more than dense ones.

A claim is a share, of how many samples at best; which of them held, nobody says. What follows for the intervals:

- claim and re-evaluation are totals of the same samples: the two verdicts are taken to overlap as far as the totals
  allow, that is, whatever the weaker attack breaks, the stronger one breaks too (basis "same samples");
- they are of different samples, or nobody knows: the two shares count as independent (basis "unpaired");
- the claim names no number of samples: it is taken as exact, and the interval is too narrow (basis "number only").
"""

from dataclasses import dataclass, replace

import numpy as np

from backend.analysis.outcomes import BoolArray
from backend.analysis.statistics import Estimate, Share, paired_difference, wilson
from backend.errors import InvalidRequest
from backend.schemas import Answer
from backend.schemas.claims import Basis

NEGLIGIBLE = 0.01  # a difference that is surely smaller than this is none


@dataclass(frozen=True)
class Claim:
    """A robust accuracy somebody states: share in [0, 1], of `n` samples where that is known."""

    share: float
    n: int | None

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1 or (self.n is not None and self.n < 1):
            raise InvalidRequest(f"A claim must be a share 0..1 of at least one sample; got {self.share} of {self.n}.")

    @property
    def count(self) -> int:
        """How many of the samples are claimed to hold; printed shares are rounded, counts are not."""
        assert self.n is not None, "a claim without n has no count"
        return round(self.share * self.n)


@dataclass(frozen=True)
class Gap:
    """Claimed minus re-evaluated: positive where the claim is too high. `held` is the re-evaluation's own share.

    `difference.n` counts the re-evaluated samples.
    """

    held: Share
    difference: Estimate
    basis: Basis
    answer: Answer


@dataclass(frozen=True)
class ClaimExcess:
    """How much more one network's claim is too high than another's: a difference of two differences."""

    difference: Estimate
    basis: Basis
    answer: Answer


def measure_gap(claim: Claim, held: BoolArray, *, is_same_samples: bool) -> Gap:
    """Claimed minus re-evaluated robust accuracy with a 95 % interval.

    Args:
        claim: what is stated.
        held: bool (N,), whether each re-evaluated sample is right under every perturbation tried; N at least 1.
        is_same_samples: whether the claim is a total of exactly these samples.

    Raises:
        InvalidRequest: no samples, or a claim of these samples that counts another number of them.
    """
    count, n = int(held.sum()), len(held)
    if n == 0:
        raise InvalidRequest("A claim can only be compared with at least one sample; got none.")
    if is_same_samples and claim.n != n:
        raise InvalidRequest(f"A claim about the same samples must count {n} of them; got {claim.n}.")
    measured = wilson(count, n)
    if claim.n is None:
        return _make_gap(measured, _fixed_minus(claim.share, measured), "number only")
    if is_same_samples:
        both = min(claim.count, count)
        only_claimed, only_held = claim.count - both, count - both
        nested = paired_difference(both, only_claimed, only_held, n - both - only_claimed - only_held)
        return _make_gap(measured, nested, "same samples")
    return _make_gap(measured, independent_difference(wilson(claim.count, claim.n), measured), "unpaired")


def measure_excess(
    first: tuple[Claim, BoolArray], second: tuple[Claim, BoolArray], *, is_same_samples: bool
) -> ClaimExcess:
    """How much more the first network's claim is too high than the second's, on one set of samples.

    With claims of these same samples, the two gaps are joined. Otherwise the difference of the claims, as independent
    shares, and that of the re-evaluations, paired sample by sample. Either way the parts are joined by their intervals
    (Zou and Donner 2008, Construction of confidence limits about effect measures), as if they were independent, which
    is wide where they go together.

    Args:
        first, second: claim and bool (N,), row i of both being sample i.

    Raises:
        InvalidRequest: different numbers of samples, and what `measure_gap` raises.
    """
    if len(first[1]) != len(second[1]):
        raise InvalidRequest(f"Two claims need the same number of samples; got {len(first[1])} and {len(second[1])}.")
    gaps = [measure_gap(claim, held, is_same_samples=is_same_samples) for claim, held in (first, second)]
    if is_same_samples:
        return _make_excess(subtract(gaps[0].difference, gaps[1].difference), len(first[1]), "same samples")
    claims, basis = _subtract_claims(first[0], second[0])
    return _make_excess(subtract(claims, _paired(first[1], second[1])), len(first[1]), basis)


def independent_difference(first: Share, second: Share) -> Estimate:
    """First minus second share of different samples; hybrid score interval (Newcombe 1998, 17:873, method 10)."""
    return subtract(_as_estimate(first), _as_estimate(second))


def subtract(first: Estimate, second: Estimate) -> Estimate:
    """First minus second, with the interval that follows from theirs as if they were independent; n of the smaller."""
    assert first.value is not None and first.low is not None and first.high is not None
    assert second.value is not None and second.low is not None and second.high is not None
    value = first.value - second.value
    low = value - float(np.hypot(first.value - first.low, second.high - second.value))
    high = value + float(np.hypot(first.high - first.value, second.value - second.low))
    return Estimate(value, low, high, min(first.n, second.n))


def answer_of(difference: Estimate, negligible: float = NEGLIGIBLE) -> Answer:
    """Yes where the whole interval is above 0, no where it is below `negligible`, otherwise it cannot be told."""
    if difference.low is None or difference.high is None:
        return "cannot tell"
    if difference.low > 0:
        return "yes"
    return "no" if difference.high < negligible else "cannot tell"


def _subtract_claims(first: Claim, second: Claim) -> tuple[Estimate, Basis]:
    if first.n is None or second.n is None:
        value = first.share - second.share
        return Estimate(value, value, value, 0), "number only"
    return independent_difference(wilson(first.count, first.n), wilson(second.count, second.n)), "unpaired"


def _paired(first: BoolArray, second: BoolArray) -> Estimate:
    both, neither = int((first & second).sum()), int((~first & ~second).sum())
    return paired_difference(both, int((first & ~second).sum()), int((~first & second).sum()), neither)


def _fixed_minus(value: float, share: Share) -> Estimate:
    assert share.value is not None and share.low is not None and share.high is not None
    return Estimate(value - share.value, value - share.high, value - share.low, share.n)


def _as_estimate(share: Share) -> Estimate:
    return Estimate(share.value, share.low, share.high, share.n)


def _make_gap(held: Share, difference: Estimate, basis: Basis) -> Gap:
    return Gap(held, replace(difference, n=held.n), basis, answer_of(difference))


def _make_excess(difference: Estimate, n: int, basis: Basis) -> ClaimExcess:
    """Claims of unknown numbers of samples leave their own noise out of the interval, so that it decides nothing."""
    return ClaimExcess(
        replace(difference, n=n), basis, "cannot tell" if basis == "number only" else answer_of(difference)
    )
