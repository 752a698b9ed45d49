"""Plain `nn.Sequential` networks from a list of layers: keys are `0.weight`, `2.weight`, ... as torch numbers them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

LAYERS: dict[str, Callable[..., nn.Module]] = {
    "Linear": nn.Linear,
    "Conv2d": nn.Conv2d,
    "BatchNorm1d": nn.BatchNorm1d,
    "BatchNorm2d": nn.BatchNorm2d,
    "MaxPool2d": nn.MaxPool2d,
    "AvgPool2d": nn.AvgPool2d,
    "AdaptiveAvgPool2d": nn.AdaptiveAvgPool2d,
    "Flatten": nn.Flatten,
    "Identity": nn.Identity,
    "ReLU": nn.ReLU,
    "LeakyReLU": nn.LeakyReLU,
    "ELU": nn.ELU,
    "Sigmoid": nn.Sigmoid,
    "Tanh": nn.Tanh,
    "GELU": nn.GELU,
    "SiLU": nn.SiLU,
    "Softplus": nn.Softplus,
    "Dropout": nn.Dropout,
}


@dataclass(frozen=True)
class Sizes:
    """What a network gives for one image (a shape), and needs: parameters and multiplications."""

    output: tuple[int, ...]
    parameters: int
    multiplications: int


def build_sequential(layers: Sequence[tuple[str, Mapping[str, Any]]]) -> nn.Sequential:
    """Build the untrained network from (type, arguments) of each layer; lists become the tuples that torch wants.

    Raises:
        ValueError: a type that is not in the table, or arguments that contradict each other; names the layer.
    """
    made: list[nn.Module] = []
    for number, (kind, arguments) in enumerate(layers):
        if kind not in LAYERS:
            raise ValueError(f"layer {number}: there is no layer {kind!r}; known: {', '.join(LAYERS)}")
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in arguments.items()}
        try:
            made.append(LAYERS[kind](**values))
        except (TypeError, ValueError) as error:
            raise ValueError(f"layer {number} ({kind}): {error}") from error
    return nn.Sequential(*made)


def measure_sequential(
    layers: Sequence[tuple[str, Mapping[str, Any]]], shape: tuple[int, int, int], *, limit: int
) -> Sizes:
    """Pass one image of `shape` (C, H, W) through the network on the meta device: shapes without memory.

    Args:
        limit: most elements that a layer's output may have; the pass ends at the first that has more.

    Raises:
        ValueError: a layer does not take what the one before it gives, or gives more than `limit`; names the layer.
    """
    multiplications = 0
    with torch.device("meta"):
        network = build_sequential(layers).eval()
        features = torch.empty(1, *shape)
        for number, layer in enumerate(network):
            name = f"layer {number} ({type(layer).__name__})"
            try:
                features = layer(features)
            except (RuntimeError, ValueError) as error:
                raise ValueError(
                    f"{name} cannot process the features {tuple(features.shape)} before it: {str(error)[:160]}"
                ) from error
            if features.numel() > limit:
                raise ValueError(f"{name} gives {features.numel():,} numbers for one image; the limit is {limit:,}")
            multiplications += _count_multiplications(layer, features)
    parameters = sum(value.numel() for value in network.state_dict().values())
    return Sizes(tuple(features.shape), parameters, multiplications)


def _count_multiplications(layer: nn.Module, output: Tensor) -> int:
    """Multiplications of a convolution or linear layer for the output that it gave; 0 for the rest."""
    if isinstance(layer, nn.Conv2d | nn.Linear):
        return layer.weight.numel() // layer.weight.shape[0] * output.numel()
    return 0
