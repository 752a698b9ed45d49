"""Lowest weight magnitude (LWM): the baseline that removes the smallest weights.

Layerwise gives every layer the same sparsity; global ranks all weights together and may empty a layer. Both can be
asked once (one-shot) or along `cubic_sparsity` (iterative).
Reference: Han et al., "Learning both weights and connections", 2015, arXiv 1506.02626; the cubic schedule is
Zhu and Gupta, "To prune, or not to prune", 2017, arXiv 1710.01878.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from models.training.masks import Masks

ALREADY_PRUNED = -1.0


def count_zeros(size: int, sparsity: float) -> int:
    """Give how many of `size` weights are zero at `sparsity` (0..1), rounded to the nearest whole number.

    Raises:
        ValueError: a sparsity outside 0..1.
    """
    if not 0.0 <= sparsity <= 1.0:
        raise ValueError(f"sparsity must be a share from 0 to 1; got {sparsity} (95 % is 0.95)")
    return round(size * sparsity)


def cubic_sparsity(step: int, steps: int, final_sparsity: float) -> float:
    """Give the sparsity after `step` of `steps` pruning steps: final * (1 - (1 - step / steps) ** 3).

    0 at step 0 and exactly `final_sparsity` from step `steps` on; most weights go early, when many are redundant.

    Raises:
        ValueError: a negative step or fewer than one step.
    """
    if steps < 1 or step < 0:
        raise ValueError(f"expected step >= 0 of steps >= 1, got {step} of {steps}")
    if step >= steps:
        return final_sparsity
    return final_sparsity * (1.0 - (1.0 - step / steps) ** 3)


def find_layerwise_masks(
    weights: Mapping[str, Tensor], sparsity: float, pruned_before: Mapping[str, Tensor] | None = None
) -> Masks:
    """Mask the smallest |w| of each layer, `count_zeros` of them in each.

    Args:
        weights: name -> float tensor of any shape.
        sparsity: share to remove in every layer, 0..1.
        pruned_before: masks of an earlier step. What they removed is removed first, so that iterative masks are
            nested and a weight never comes back.

    Returns:
        name -> bool tensor, True where kept. Between equal magnitudes the one first in memory order goes, so the
        count is exact whatever the ties.

    Raises:
        ValueError: a weight that is not finite, or a sparsity outside 0..1.
    """
    masks: Masks = {}
    for name, weight in weights.items():
        scores = score_magnitudes(name, weight, pruned_before)
        masks[name] = keep_largest(scores, count_zeros(scores.numel(), sparsity)).reshape(weight.shape)
    return masks


def find_global_masks(
    weights: Mapping[str, Tensor], sparsity: float, pruned_before: Mapping[str, Tensor] | None = None
) -> Masks:
    """Mask the smallest |w| over all layers together, `count_zeros` of the whole.

    Arguments, ties and errors as in `find_layerwise_masks`; ties between layers go in the order of `weights`.
    """
    scores = {name: score_magnitudes(name, weight, pruned_before) for name, weight in weights.items()}
    if not scores:
        return {}
    total = sum(score.numel() for score in scores.values())
    kept = keep_largest(torch.cat(list(scores.values())), count_zeros(total, sparsity))
    parts = torch.split(kept, [score.numel() for score in scores.values()])
    return {name: part.reshape(weights[name].shape) for name, part in zip(scores, parts, strict=True)}


def score_magnitudes(name: str, weight: Tensor, pruned_before: Mapping[str, Tensor] | None) -> Tensor:
    """Flatten |w| to (n,); below every magnitude where an earlier mask already removed the weight."""
    scores = weight.detach().abs().flatten()
    if not bool(torch.isfinite(scores).all()):
        raise ValueError(f"{name} holds NaN or infinite weights, which cannot be ranked")
    if pruned_before is not None and name in pruned_before:
        scores = scores.masked_fill(~pruned_before[name].flatten(), ALREADY_PRUNED)
    return scores


def keep_largest(scores: Tensor, zeros: int) -> Tensor:
    """Give a bool mask (n,) that is False for the `zeros` smallest scores, the earlier one of equals first.

    A threshold from a percentile would remove more or fewer wherever magnitudes repeat; a stable sort does not.
    """
    kept = torch.ones(scores.numel(), dtype=torch.bool, device=scores.device)
    kept[torch.argsort(scores, stable=True)[:zeros]] = False
    return kept
