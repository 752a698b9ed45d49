"""P(lost | dense margin) in bins, and what a threshold on the dense margin catches."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from backend.analysis.outcomes import BoolArray, FloatArray
from backend.analysis.pairing import Pair
from backend.analysis.statistics import Share, wilson
from backend.analysis.thin_ice import WITNESS_REASON, Population, select_population
from backend.errors import InvalidRequest

MAX_BINS = 10
_SAMPLES_PER_BIN = 20

BinKind = Literal["measured", "not held", "not found"]


@dataclass(frozen=True)
class Bin:
    """Samples with low < dense margin <= high (the first measured bin includes its low), and the share lost.

    kind "measured": finite margins of the population. "not held": samples the dense model does not hold (margin 0
    for clean), which cannot be lost: share None. "not found": held, margin beyond every radius tried; low, high None.
    """

    kind: BinKind
    label: str
    low: float | None
    high: float | None
    n: int
    lost: Share


@dataclass(frozen=True)
class BinTable:
    """Bins in order of margin; together they hold every sample once. `reason` says why there are none."""

    bins: tuple[Bin, ...]
    reason: str | None = None


@dataclass(frozen=True)
class Threshold:
    """What "dense margin <= delta" flags among the samples the dense model holds.

    precision = lost among flagged, recall = flagged among lost, size = flagged of all held. `reason` says why a
    witness cannot decide; the shares then have n 0.
    """

    delta: float
    precision: Share
    recall: Share
    size: Share
    reason: str | None = None


def bin_losses(
    pair: Pair,
    *,
    population: Population = "clean",
    eps: float | None = None,
    count: int | None = None,
    edges: ArrayLike | None = None,
) -> BinTable:
    """Share lost per bin of the dense margin, with Wilson intervals.

    Args:
        count: quantile bins wanted, 1 to 10; by default 10, fewer under 200 samples (20 a bin). Ties may merge bins.
        edges: increasing edges instead; a first or last bin is added where margins fall outside them.

    Raises:
        InvalidRequest: count or edges out of range; as `thin_ice.predictive` for population and eps.
    """
    is_held, is_lost = select_population(pair, population, eps)
    if pair.dense.kind != "minimum":
        return BinTable((), WITNESS_REASON)
    margin = pair.dense.margin
    is_finite = is_held & np.isfinite(margin)
    table = []
    outside = int((~is_held).sum())
    if outside:
        label = "already wrong" if population == "clean" else "not held by the dense model"
        table.append(Bin("not held", label, None, None, outside, wilson(0, 0)))
    if is_finite.any():
        table.extend(_measured(margin[is_finite], is_lost[is_finite], _edges(margin[is_finite], count, edges)))
    is_censored = is_held & np.isinf(margin)
    if is_censored.any():
        n = int(is_censored.sum())
        table.append(Bin("not found", "not found", None, None, n, wilson(int(is_lost[is_censored].sum()), n)))
    return BinTable(tuple(table))


def threshold(pair: Pair, delta: float, *, population: Population = "clean", eps: float | None = None) -> Threshold:
    """Precision, recall and size of the flag "dense margin <= delta"; delta in the norm's unit, finite, >= 0."""
    return threshold_curve(pair, [delta], population=population, eps=eps)[0]


def threshold_curve(
    pair: Pair,
    deltas: ArrayLike | None = None,
    *,
    population: Population = "clean",
    eps: float | None = None,
    points: int = 100,
) -> list[Threshold]:
    """`threshold` over a grid; by default at most `points` deltas at equal steps in the number flagged.

    Raises:
        InvalidRequest: a delta that is negative or not finite; as `thin_ice.predictive` for population and eps.
    """
    is_held, is_lost = select_population(pair, population, eps)
    margin, is_lost = pair.dense.margin[is_held], is_lost[is_held]
    grid = _default_deltas(margin, points) if deltas is None else np.asarray(deltas, dtype=np.float64)
    if grid.ndim != 1 or not np.isfinite(grid).all() or (grid < 0).any():
        raise InvalidRequest("The threshold on the margin must be a finite number >= 0.")
    if pair.dense.kind != "minimum":
        nothing = wilson(0, 0)
        return [Threshold(float(delta), nothing, nothing, nothing, WITNESS_REASON) for delta in grid]
    flagged = np.searchsorted(np.sort(margin), grid, side="right")
    caught = np.searchsorted(np.sort(margin[is_lost]), grid, side="right")
    lost = int(is_lost.sum())
    return [
        Threshold(float(delta), wilson(int(hit), int(size)), wilson(int(hit), lost), wilson(int(size), len(margin)))
        for delta, size, hit in zip(grid, flagged, caught, strict=True)
    ]


def _default_deltas(margin: FloatArray, points: int) -> FloatArray:
    finite = np.unique(margin[np.isfinite(margin)])
    if len(finite) <= points:
        return finite
    picks = np.unique(np.linspace(0, len(finite) - 1, points).round().astype(np.int64))
    chosen: FloatArray = finite[picks]
    return chosen


def _edges(margin: FloatArray, count: int | None, edges: ArrayLike | None) -> FloatArray:
    if edges is not None:
        given = np.asarray(edges, dtype=np.float64)
        if given.ndim != 1 or len(given) < 2 or not np.isfinite(given).all() or (np.diff(given) <= 0).any():
            raise InvalidRequest("There must be at least two bin edges: finite, increasing numbers.")
        return np.unique(np.append(given, [min(margin.min(), given[0]), max(margin.max(), given[-1])]))
    if count is None:
        count = max(1, min(MAX_BINS, len(margin) // _SAMPLES_PER_BIN))
    if not 1 <= count <= MAX_BINS:
        raise InvalidRequest(f"The number of bins must be from 1 to {MAX_BINS}; got {count}.", count=count)
    # Edges are margins that occur, so every bin is non-empty and a tie never falls on two sides.
    return np.unique(np.quantile(margin, np.linspace(0, 1, count + 1), method="inverted_cdf"))


def _measured(margin: FloatArray, is_lost: BoolArray, edges: FloatArray) -> list[Bin]:
    # A single edge is what remains where all margins are equal.
    edges = edges if len(edges) > 1 else np.repeat(edges, 2)
    places = np.searchsorted(edges[1:-1], margin, side="left")
    table = []
    for place, (low, high) in enumerate(pairwise(edges.tolist())):
        is_inside = places == place
        n = int(is_inside.sum())
        lost = wilson(int(is_lost[is_inside].sum()), n)
        table.append(Bin("measured", f"{low:.4g} to {high:.4g}", low, high, n, lost))
    return table
