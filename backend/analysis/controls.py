"""What pruning does beyond a control: losses and AUROC of both on the same samples."""

from dataclasses import dataclass

import numpy as np

from backend.analysis.flips import find_held
from backend.analysis.outcomes import BoolArray
from backend.analysis.pairing import Pair, restrict
from backend.analysis.statistics import Estimate, Share, mcnemar, paired_difference, wilson
from backend.analysis.thin_ice import AurocDifference, Population, compare_auroc


@dataclass(frozen=True)
class FlipExcess:
    """One kind of flip by pruning against the same kind by the control, on the same n samples.

    `both`, `only_pruned`, `only_control`: samples flipped by both, by one. `difference`: share flipped by pruning
    minus share flipped by the control, with Newcombe's paired interval; `p_value`: exact McNemar of the two "only".
    """

    n: int
    pruned: Share
    control: Share
    both: int
    only_pruned: int
    only_control: int
    difference: Estimate
    p_value: float


@dataclass(frozen=True)
class Beyond:
    """Flips beyond a control, clean (eps None) or at eps, on the `shared` samples.

    `lost` is over the samples that the dense model of both comparisons holds, `gained` over those neither holds;
    `undecided` counts shared samples left out because the two dense evaluations disagree about them (0 where the
    control has the same dense evaluation).
    """

    eps: float | None
    shared: int
    undecided: int
    lost: FlipExcess
    gained: FlipExcess
    auroc: AurocDifference


def compare_control(
    pair: Pair, control: Pair, *, eps: float | None = None, bootstrap: int = 1000, seed: int = 0
) -> Beyond:
    """Compare (dense, pruned) with (dense, control) on the samples that both have.

    The control may be the dense model finetuned without pruning, another training seed, weights plus noise, or the
    dense model itself evaluated with another seed (attack noise; robust flips only: its clean flips are none).

    Raises:
        NotComparable: no shared samples.
        InvalidRequest: eps negative, or witnesses asked about another eps than their own.
    """
    pair, control = restrict(pair, control)
    dense, pruned = find_held(pair, eps)
    dense_again, controlled = find_held(control, eps)
    is_held, is_missed = dense & dense_again, ~dense & ~dense_again
    population: Population = "clean" if eps is None else "robust"
    return Beyond(
        eps=eps,
        shared=pair.n,
        undecided=int((~is_held & ~is_missed).sum()),
        lost=compare_losses(pair, control, eps=eps),
        gained=_exceed(pruned[is_missed], controlled[is_missed]),
        auroc=compare_auroc(pair, control, population=population, eps=eps, bootstrap=bootstrap, seed=seed),
    )


def compare_losses(pair: Pair, control: Pair, *, eps: float | None = None) -> FlipExcess:
    """The losses of (dense, pruned) against those of (dense, control), or against a rival's that was pruned otherwise.

    Over the shared samples that the dense model of both pairs holds; raises as `compare_control`, which counts gains
    and draws the AUROC as well.
    """
    pair, control = restrict(pair, control)
    dense, pruned = find_held(pair, eps)
    dense_again, controlled = find_held(control, eps)
    is_held = dense & dense_again
    return _exceed(~pruned[is_held], ~controlled[is_held])


def _exceed(is_flipped: BoolArray, is_flipped_by_control: BoolArray) -> FlipExcess:
    n = len(is_flipped)
    both = int((is_flipped & is_flipped_by_control).sum())
    only_pruned = int((is_flipped & ~is_flipped_by_control).sum())
    only_control = int((~is_flipped & is_flipped_by_control).sum())
    return FlipExcess(
        n=n,
        pruned=wilson(int(np.count_nonzero(is_flipped)), n),
        control=wilson(int(np.count_nonzero(is_flipped_by_control)), n),
        both=both,
        only_pruned=only_pruned,
        only_control=only_control,
        difference=paired_difference(both, only_pruned, only_control, n - both - only_pruned - only_control),
        p_value=mcnemar(only_pruned, only_control),
    )
