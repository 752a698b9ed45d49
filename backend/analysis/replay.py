"""Adversarials of one network tried on the other of a pair: did the boundary move, or is there a new hole?"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from backend.analysis.flips import find_held
from backend.analysis.outcomes import BoolArray, TextArray
from backend.analysis.pairing import Pair
from backend.analysis.statistics import Share, wilson


@dataclass(frozen=True)
class Explained:
    """What replays say about the robust flips of a pair at eps; every count is of samples.

    lost: held by the dense network, broken (not wrong) in the pruned one, and the dense adversarial was tried there.
    moved: of these, the dense adversarial breaks the pruned network as well: the same hole, nearer. The others broke
        through a new one.
    lost_refuted: lost samples whose pruned adversarial, within eps, also breaks the dense network: it does not hold
        either, its own attacks had missed that. lost_checked: how many lost ones were tried so.
    gained_checked, gained_refuted: the same for samples that the pruned network seems to have gained.
    """

    lost: int
    moved: int
    lost_checked: int
    lost_refuted: int
    gained_checked: int
    gained_refuted: int


def count_broken(tried: Mapping[str, bool]) -> Share:
    """The share of replayed adversarials that break the other network, among samples that it gets right."""
    return wilson(sum(tried.values()), len(tried))


def explain_flips(
    pair: Pair, eps: float, dense_on_pruned: Mapping[str, bool], pruned_on_dense: Mapping[str, bool]
) -> Explained:
    """Robust flips at eps by what the replays found.

    Args:
        dense_on_pruned: by sample id, whether the dense adversarial breaks the pruned network; of samples tried.
        pruned_on_dense: by sample id, whether the pruned adversarial breaks the dense network.
    """
    dense_holds, pruned_holds = find_held(pair, eps)
    lost = dense_holds & ~pruned_holds & pair.pruned.correct
    gained = ~dense_holds & pruned_holds & pair.dense.correct
    dense_tried, dense_broke = _look_up(pair.sample_ids, dense_on_pruned)
    pruned_tried, pruned_broke = _look_up(pair.sample_ids, pruned_on_dense)
    return Explained(
        lost=int((lost & dense_tried).sum()),
        moved=int((lost & dense_broke).sum()),
        lost_checked=int((lost & pruned_tried).sum()),
        lost_refuted=int((lost & pruned_broke).sum()),
        gained_checked=int((gained & dense_tried).sum()),
        gained_refuted=int((gained & dense_broke).sum()),
    )


def _look_up(sample_ids: TextArray, tried: Mapping[str, bool]) -> tuple[BoolArray, BoolArray]:
    """(tried, broke), bool (N,) each."""
    found = [tried.get(str(sample_id)) for sample_id in sample_ids]
    return np.array([one is not None for one in found], dtype=np.bool_), np.array(
        [bool(one) for one in found], dtype=np.bool_
    )
