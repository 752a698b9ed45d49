"""Masks over prunable weights: which weights count, how a mask is applied and held, how sparsity is measured.

Prunable are the weights of convolutions and linear layers. Batch normalisation and biases are never pruned.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

PRUNABLE_LAYERS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)

Masks = dict[str, Tensor]
"""Parameter name -> bool tensor of the parameter's shape, True where the weight is kept."""


@dataclass(frozen=True)
class LayerSparsity:
    """How many of one layer's `size` weights are zero."""

    name: str
    zeros: int
    size: int

    @property
    def share(self) -> float:
        """Share of zero weights, 0..1."""
        return self.zeros / self.size


@dataclass(frozen=True)
class Sparsity:
    """The zero weights of a network, layer by layer in the order of its modules."""

    layers: tuple[LayerSparsity, ...]

    @property
    def zeros(self) -> int:
        """Zero prunable weights in the whole network."""
        return sum(layer.zeros for layer in self.layers)

    @property
    def size(self) -> int:
        """Prunable weights in the whole network."""
        return sum(layer.size for layer in self.layers)

    @property
    def share(self) -> float:
        """Share of zero prunable weights, 0..1; 0 for a network without prunable weights."""
        return self.zeros / self.size if self.size else 0.0


def find_prunable_weights(network: nn.Module) -> dict[str, nn.Parameter]:
    """Give the prunable weights under the names that `state_dict` uses, in the order of the modules.

    A weight shared by several layers appears once, under its first name.
    """
    weights: dict[str, nn.Parameter] = {}
    seen: set[int] = set()
    for name, module in network.named_modules():
        if isinstance(module, PRUNABLE_LAYERS) and id(module.weight) not in seen:
            seen.add(id(module.weight))
            weights[f"{name}.weight" if name else "weight"] = cast(nn.Parameter, module.weight)
    return weights


@torch.no_grad()
def apply_masks(network: nn.Module, masks: Mapping[str, Tensor]) -> None:
    """Set the masked weights of `network` to zero, in place.

    Filled rather than multiplied: a product would leave -0.0 behind, and NaN where a weight was infinite.

    Raises:
        ValueError: a mask without a prunable weight of its name and shape, or a mask that is not bool.
    """
    weights = find_prunable_weights(network)
    for name, mask in masks.items():
        if name not in weights:
            raise ValueError(f"mask {name!r} matches no prunable weight; the network has: {', '.join(weights)}")
        weight = weights[name]
        if mask.dtype != torch.bool or mask.shape != weight.shape:
            raise ValueError(
                f"mask {name!r} must be bool of shape {tuple(weight.shape)}, "
                f"it is {mask.dtype} of shape {tuple(mask.shape)}"
            )
        weight.masked_fill_(~mask.to(weight.device), 0.0)


def measure_sparsity(network: nn.Module) -> Sparsity:
    """Count the zero weights that `network` really has, whatever any mask or card says."""
    return Sparsity(
        tuple(
            LayerSparsity(name, int((weight == 0).sum().item()), weight.numel())
            for name, weight in find_prunable_weights(network).items()
        )
    )
