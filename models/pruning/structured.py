"""Structured lowest weight magnitude: whole filters (outputs) or whole input channels of a layer go together.

A group scores by the mean |w| of its weights, the L1 norm up to a factor that is equal within a layer.
Reference: Li et al., "Pruning filters for efficient convnets", 2017, arXiv 1608.08710.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from models.pruning.magnitude import count_zeros, keep_largest, score_magnitudes
from models.training.masks import Masks

FILTERS, CHANNELS = 0, 1
"""The dimension of a weight along which its groups lie: (outputs, inputs, ...)."""


def find_filter_masks(
    weights: Mapping[str, Tensor], rate: float, pruned_before: Mapping[str, Tensor] | None = None
) -> Masks:
    """Mask the weakest filters, `count_zeros` of them in each layer, but never all.

    The last layer stays whole: its rows are the classes. Batch normalisation is not pruned, so a removed filter
    leaves its channel at a constant.

    Args:
        weights: name -> float tensor (outputs, inputs, ...), in the order of the layers.
        rate: share of filters to remove in each layer, 0..1; the share of zero weights is another number.
        pruned_before: masks of an earlier step, removed first.

    Returns:
        name -> bool tensor of the weight's shape, True where kept.

    Raises:
        ValueError: a weight that is not finite, or a rate outside 0..1.
    """
    return _find_group_masks(weights, rate, FILTERS, list(weights)[-1:], pruned_before)


def find_channel_masks(
    weights: Mapping[str, Tensor], rate: float, pruned_before: Mapping[str, Tensor] | None = None
) -> Masks:
    """Mask the weakest input channels of each layer; the first layer stays whole: its inputs are the image.

    Arguments, results and errors as in `find_filter_masks`.
    """
    return _find_group_masks(weights, rate, CHANNELS, list(weights)[:1], pruned_before)


def average_groups(values: Tensor, dimension: int) -> Tensor:
    """Give the mean of `values` (outputs, inputs, ...) in each group along `dimension`: float (groups,)."""
    return values.transpose(0, dimension).flatten(1).mean(dim=1)


def spread_over_groups(groups: Tensor, shape: torch.Size, dimension: int) -> Tensor:
    """Spread one value per group (groups,) over a weight of `shape`."""
    view = [1] * len(shape)
    view[dimension] = -1
    return groups.reshape(view).expand(shape).clone()


def _find_group_masks(
    weights: Mapping[str, Tensor],
    rate: float,
    dimension: int,
    whole: list[str],
    pruned_before: Mapping[str, Tensor] | None,
) -> Masks:
    masks: Masks = {}
    for name, weight in weights.items():
        magnitudes = score_magnitudes(name, weight, pruned_before).reshape(weight.shape)
        scores = average_groups(magnitudes, dimension)
        zeros = 0 if name in whole else min(count_zeros(len(scores), rate), len(scores) - 1)
        masks[name] = spread_over_groups(keep_largest(scores, zeros), weight.shape, dimension)
    return masks
