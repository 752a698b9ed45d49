"""The losses of several pruned networks against one dense network: are they the same samples?"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from backend.analysis.flips import find_held, find_lost
from backend.analysis.outcomes import BoolArray, Outcomes
from backend.analysis.pairing import Pair, pair
from backend.analysis.statistics import Share, mcnemar, wilson
from backend.errors import InvalidRequest, NotComparable


@dataclass(frozen=True)
class Overlap:
    """The losses of two pruned networks.

    `jaccard` is the share of the samples that either loses which both lose, with Wilson's interval. `by_chance` is the
    same share if each lost as many samples drawn at random from those that the dense network holds; None without any
    loss. `mcnemar_p` tests `only_first` against `only_second`: does one of them lose more?
    """

    both: int
    only_first: int
    only_second: int
    jaccard: Share
    by_chance: float | None
    mcnemar_p: float


@dataclass(frozen=True)
class SeveralLosses:
    """Losses of M networks among n samples, of which the dense network holds `held`; `eps` None: clean correctness.

    `lost` and `only` have an entry for each network: the samples that it loses, and those that no other one loses.
    `lost_by[k]` counts the samples that exactly k networks lose, for k = 0..M, of those that the dense network holds.
    `at_least[k - 1]` is the share of all n samples that at least k networks lose, k = 1..M. `overlaps` has one entry
    for each two networks, in the order (0, 1), (0, 2), ..., (1, 2), ...
    """

    eps: float | None
    n: int
    held: int
    lost: list[int]
    only: list[int]
    lost_by: list[int]
    at_least: list[Share]
    overlaps: list[Overlap]


def join_several(dense: Outcomes, pruned: Sequence[Outcomes]) -> list[Pair]:
    """A pair for each pruned network, all on the samples that every network has, in one order.

    Raises:
        InvalidRequest: no pruned network is given.
        NotComparable: there is no sample that all of them share.
    """
    if not pruned:
        raise InvalidRequest("A comparison of several networks needs at least one pruned network.")
    pairs = [pair(dense, one) for one in pruned]
    shared = reduce(np.intersect1d, [one.sample_ids for one in pairs])
    if len(shared) == 0:
        sizes = ", ".join(f"{one.n:,}" for one in pairs)
        raise NotComparable(f"There is no sample that all networks share; with the dense one they share {sizes}.")
    return [_restrict(one, np.searchsorted(one.sample_ids, shared)) for one in pairs]


def count_losses(pairs: Sequence[Pair], eps: float | None = None) -> SeveralLosses:
    """Losses of pairs that share their samples, as `join_several` gives them: by network, by number and by two.

    Raises:
        InvalidRequest: an eps at which one side does not decide (see `outcomes.is_held`).
    """
    lost = np.array([find_lost(one, eps) for one in pairs])
    held, _ = find_held(pairs[0], eps)
    times = lost.sum(axis=0)
    networks, n = lost.shape
    count = int(held.sum())
    return SeveralLosses(
        eps=eps,
        n=n,
        held=count,
        lost=[int(row.sum()) for row in lost],
        only=[int((row & (times == 1)).sum()) for row in lost],
        lost_by=[int((held & (times == k)).sum()) for k in range(networks + 1)],
        at_least=[wilson(int((times >= k).sum()), n) for k in range(1, networks + 1)],
        overlaps=[
            overlap(lost[first], lost[second], count)
            for first in range(networks)
            for second in range(first + 1, networks)
        ],
    )


def overlap(first: BoolArray, second: BoolArray, held: int) -> Overlap:
    """How far two sets of losses, bool (N,) each, are the same; both lie in `held` samples."""
    both, only_first, only_second = (int(found.sum()) for found in (first & second, first & ~second, second & ~first))
    return Overlap(
        both=both,
        only_first=only_first,
        only_second=only_second,
        jaccard=wilson(both, both + only_first + only_second),
        by_chance=_expect_jaccard(both + only_first, both + only_second, held),
        mcnemar_p=mcnemar(only_first, only_second),
    )


def _expect_jaccard(first: int, second: int, held: int) -> float | None:
    """The expected part that two independent sets share, over the expected part that either holds."""
    if held == 0 or first + second == 0:
        return None
    both = first * second / held
    return both / (first + second - both)


def _restrict(whole: Pair, rows: np.ndarray) -> Pair:
    return Pair(whole.dense.take(rows), whole.pruned.take(rows), whole.n_dense, whole.n_pruned, whole.relabelled)
