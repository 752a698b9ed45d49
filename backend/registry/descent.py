"""Whether a network was made from another: what its surviving weights, its mask and its normalisation have kept.

A network that was pruned and finetuned keeps the signs and sizes of its parent's weights, and its mask follows them;
another training run, even of the same architecture on the same data, shares nothing with it but chance. Two runs from
one random start lie between. Decision 0001 of the registry has the measurements.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.schemas import Answer
from backend.schemas.inspections import Descent, LayerDescent, NormDrift

# Correlation of the surviving weights with the parent's, and the chance that a survivor was larger there than a pruned
# weight (0.5 where the mask knows nothing of it). Either the weights say it alone, or both together.
CERTAIN_CORRELATION = 0.8
YES_CORRELATION, YES_AGREEMENT = 0.4, 0.8
NO_CORRELATION, NO_AGREEMENT = 0.2, 0.6
MIN_SURVIVORS = 200
MIN_LAYER = 8
RANKED = 200_000
EPS = 1e-5  # of batch normalisation

State = Mapping[str, NDArray[Any]]


def compare_states(child: State, parent: State, prunable: Sequence[str]) -> Descent | None:
    """Compare a network with its alleged parent; None where they share no prunable tensor of equal shape.

    Args:
        child, parent: names to float32 arrays.
        prunable: names of the tensors that pruning may touch.
    """
    names = [name for name in prunable if name in child and name in parent and child[name].shape == parent[name].shape]
    layers = [compare_layer(name, child[name], parent[name]) for name in names]
    survivors = sum(layer.survivors for layer in layers)
    if not survivors:
        return None
    correlation = _average([(layer.correlation, layer.survivors) for layer in layers])
    agreement = _average([(layer.mask_agreement, layer.survivors) for layer in layers])
    distance = math.sqrt(sum(_sum_squares(child[name] - np.where(child[name] != 0, parent[name], 0)) for name in names))
    length = math.sqrt(sum(_sum_squares(np.where(child[name] != 0, parent[name], 0)) for name in names))
    return Descent(
        answer=decide(correlation, agreement, survivors),
        correlation=correlation,
        mask_agreement=agreement,
        survivors=survivors,
        changed=sum(layer.changed for layer in layers) / survivors,
        relative_change=distance / length if length else None,
        revived=sum(layer.revived for layer in layers),
        norms=compare_norms(child, parent),
        layers=layers,
    )


def decide(correlation: float | None, agreement: float | None, survivors: int) -> Answer:
    """Whether a network was made from another, by its weights: "yes", "no" or "cannot tell".

    The answer is "cannot tell" also where the mask follows the parent's large weights while the weights are others
    (re-initialised after pruning), and where weights are alike without such a mask (two runs from one random start).
    """
    if correlation is None or survivors < MIN_SURVIVORS:
        return "cannot tell"
    follows = agreement is not None and agreement >= YES_AGREEMENT
    if correlation >= CERTAIN_CORRELATION or (correlation >= YES_CORRELATION and follows):
        return "yes"
    if correlation <= NO_CORRELATION and (agreement is None or agreement <= NO_AGREEMENT):
        return "no"
    return "cannot tell"


def compare_layer(name: str, child: NDArray[Any], parent: NDArray[Any]) -> LayerDescent:
    """Compare one tensor with that of the parent."""
    own, other = child.reshape(-1).astype(np.float64), parent.reshape(-1).astype(np.float64)
    survives = own != 0
    count = int(survives.sum())
    return LayerDescent(
        name=name,
        survivors=count,
        correlation=_correlate(own[survives], other[survives]),
        mask_agreement=_find_agreement(np.abs(other), survives),
        changed=int((own[survives] != other[survives]).sum()),
        revived=int((survives & (other == 0)).sum()),
    )


def _correlate(own: NDArray[np.float64], other: NDArray[np.float64]) -> float | None:
    """Pearson's correlation; None for fewer than eight values or without spread."""
    if len(own) < MIN_LAYER:
        return None
    own, other = own - own.mean(), other - other.mean()
    scale = math.sqrt(float(own @ own) * float(other @ other))
    return float(own @ other) / scale if scale > 0 else None


def _find_agreement(magnitudes: NDArray[np.float64], survives: NDArray[np.bool_]) -> float | None:
    """Chance that a survivor was larger in the parent than a pruned weight, ties counted half (Mann-Whitney).

    Large layers are thinned evenly: a rank needs a sort.
    """
    step = -(-len(magnitudes) // RANKED)
    magnitudes, survives = magnitudes[::step], survives[::step]
    kept, pruned = int(survives.sum()), int((~survives).sum())
    if kept < MIN_LAYER or pruned < MIN_LAYER:
        return None
    _, inverse, counts = np.unique(magnitudes, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[survives].sum() - kept * (kept + 1) / 2) / (kept * pruned))


def _average(pairs: list[tuple[float | None, int]]) -> float | None:
    """The mean weighted by the second number, over those that have a value."""
    known = [(value, weight) for value, weight in pairs if value is not None and weight]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if total else None


def _sum_squares(values: NDArray[Any]) -> float:
    return float(np.square(values, dtype=np.float64).sum())


def compare_norms(child: State, parent: State) -> list[NormDrift]:
    """How far each batch normalisation has moved from the parent's: statistics, scale and shift."""
    found: list[NormDrift] = []
    for key in parent:
        start = key.removesuffix("running_mean")
        variance = f"{start}running_var"
        if start == key or key not in child or variance not in child or child[key].shape != parent[key].shape:
            continue
        before, after = (np.maximum(state[variance].astype(np.float64), 0) + EPS for state in (parent, child))
        shift = (child[key].astype(np.float64) - parent[key]) / np.sqrt(before)
        factor = float(np.exp(np.mean(np.abs(np.log(after / before)))))
        affine = [name for name in (f"{start}weight", f"{start}bias") if name in child and name in parent]
        moved = sum(_sum_squares(child[name] - parent[name]) for name in affine)
        length = sum(_sum_squares(parent[name]) for name in affine)
        found.append(
            NormDrift(
                name=start.removesuffix("."),
                mean_shift=float(np.sqrt(np.mean(shift**2))),
                variance_factor=factor,
                affine_change=math.sqrt(moved / length) if length else None,
                is_unchanged=not shift.any() and bool((child[variance] == parent[variance]).all()) and moved == 0,
            )
        )
    return found
