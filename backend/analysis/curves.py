"""Robust accuracy against eps, and the median margin, from stored margins: no new attack."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from backend.analysis.outcomes import FloatArray, Outcomes, check_eps, decides_at, is_held
from backend.analysis.statistics import Estimate, Share, median, wilson
from backend.errors import InvalidRequest

DEFAULT_POINTS = 101


@dataclass(frozen=True, eq=False)
class Curve:
    """Robust accuracy at each eps with a pointwise 95 % Wilson band, float64 (P,) each, in [0, 1].

    `reason` is set where witnesses decide at fewer eps than asked for.
    """

    eps: FloatArray
    accuracy: FloatArray
    low: FloatArray
    high: FloatArray
    n: int
    reason: str | None = None


@dataclass(frozen=True)
class MedianMargin:
    """Median distance to losing the true label, over the samples that are right without attack.

    `n` right samples, of which `censored` have no adversarial at any radius tried: they count as farther than every
    number (a median is a rank), never as a number. `already_wrong` samples (margin 0) are apart, not in `n`.
    """

    median: Estimate
    n: int
    already_wrong: int
    censored: int


def accuracy(outcomes: Outcomes, eps: float | None = None) -> Share:
    """Clean accuracy (eps None) or robust accuracy at eps, with its Wilson interval."""
    return wilson(int(is_held(outcomes, eps).sum()), outcomes.n)


def robustness_curve(outcomes: Outcomes, grid: ArrayLike | None = None) -> Curve:
    """Share of samples right and with margin > eps, at every eps of the grid.

    Args:
        grid: sizes in the norm's unit, finite, >= 0; by default 101 steps from 0 to just past the last finite margin.

    Returns:
        A Curve; for witnesses only at 0 and at their own eps, with a reason.

    Raises:
        InvalidRequest: no samples, or a grid that is not one-dimensional, finite and >= 0.
    """
    if outcomes.n == 0:
        raise InvalidRequest("A robustness curve needs at least one sample.")
    sizes = default_grid([outcomes]) if grid is None else np.asarray(grid, dtype=np.float64)
    if sizes.ndim != 1 or len(sizes) == 0:
        raise InvalidRequest("The grid of a robustness curve must list at least one eps.")
    for eps in (sizes.min(), sizes.max(), sizes.sum()):
        check_eps(float(eps))
    reason = None
    if outcomes.kind != "minimum":
        own = [0.0] if outcomes.eps is None else [0.0, outcomes.eps]
        sizes = np.array([eps for eps in own if decides_at(outcomes, eps)])
        reason = "Witnesses come from one fixed eps and say nothing about others; measure margins for a full curve."
    shares = [accuracy(outcomes, float(eps)) for eps in sizes]
    columns = np.array([[share.value, share.low, share.high] for share in shares], dtype=np.float64)
    return Curve(sizes, columns[:, 0], columns[:, 1], columns[:, 2], outcomes.n, reason)


def default_grid(group: list[Outcomes], points: int = DEFAULT_POINTS) -> FloatArray:
    """One grid for several curves: 0 to 5 % past the largest finite margin of them all (0 to 1 where there is none)."""
    finite = [margin[np.isfinite(margin)] for margin in (outcomes.margin for outcomes in group)]
    largest = max((float(values.max()) for values in finite if len(values)), default=0.0)
    return np.linspace(0.0, 1.05 * largest if largest > 0 else 1.0, points)


def median_margin(outcomes: Outcomes, *, bootstrap: int = 1000, seed: int = 0) -> MedianMargin:
    """Median margin of the samples that are right, with a bootstrap interval and the censored counted apart."""
    margin = outcomes.margin[outcomes.correct]
    censored = int(np.isinf(margin).sum())
    if outcomes.kind != "minimum":
        reason = "Witnesses at a fixed eps only bound the margin; measure margins to get a median."
        estimate = Estimate(None, None, None, len(margin), reason)
    else:
        estimate = median(margin, resamples=bootstrap, seed=seed, of="margins")
    return MedianMargin(estimate, len(margin), outcomes.n - len(margin), censored)
