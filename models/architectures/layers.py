"""Normalisation as the first layer of a network, and the presets that released checkpoints were trained with.

Attacks work on pixels in [0, 1]; a network that expects normalised input carries the normalisation inside, where
gradients pass through it and no attack can forget it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Normalization:
    """One preset: what is subtracted from and divides each channel of an image in [0, 1]; empty means nothing."""

    name: str
    title: str
    mean: tuple[float, ...]
    std: tuple[float, ...]


CIFAR10_MEAN = (0.4914, 0.4822, 0.4465)

# CIFAR-10's deviation over all pixels is .2471 .2435 .2616. The widely copied .2023 .1994 .2010 averages the
# deviations of single images; networks trained with it need exactly it.
ROWS = (
    Normalization("none", "None: pixels in [0, 1]", (), ()),
    Normalization("fashion-mnist", "Fashion-MNIST training images", (0.2860,), (0.3530,)),
    Normalization("cifar10", "CIFAR-10 training images", CIFAR10_MEAN, (0.2471, 0.2435, 0.2616)),
    Normalization("cifar10-mad", "CIFAR-10, per-image deviations (MAD)", CIFAR10_MEAN, (0.2023, 0.1994, 0.2010)),
    Normalization("cifar10-flyingbird", "CIFAR-10 (FlyingBird)", CIFAR10_MEAN, (0.2470, 0.2435, 0.2616)),
)

NORMALIZATIONS: dict[str, Normalization] = {row.name: row for row in ROWS}


class Normalized(nn.Module):
    """A network behind its normalisation: `network((images - mean) / std)`.

    Keys: `network.*` and the buffers `mean` and `std`, float32 (C,), which travel with the state dict.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        """Wrap `network`, which expects C = len(mean) = len(std) channels.

        Raises:
            ValueError: the two differ in length, or a deviation is not positive.
        """
        super().__init__()
        if len(mean) != len(std) or not mean:
            raise ValueError(f"mean and std need one value per channel, got {mean} and {std}")
        if any(value <= 0 for value in std):
            raise ValueError(f"every std must be positive, got {std}")
        self.network = network
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32))

    def forward(self, images: Tensor) -> Tensor:
        """Map float images (B, C, H, W) in [0, 1] to the logits (B, K) of the network inside.

        Raises:
            ValueError: another number of channels; broadcasting would hide it.
        """
        if images.shape[1] != len(self.mean):
            raise ValueError(f"this normalisation is for {len(self.mean)} channels, the images have {images.shape[1]}")
        logits: Tensor = self.network((images - self.mean.view(1, -1, 1, 1)) / self.std.view(1, -1, 1, 1))
        return logits


def find_normalization(name: str) -> Normalization:
    """Give the preset called `name`, or the normalisation that a text such as "0.5,0.5,0.5/0.25,0.25,0.25" spells out.

    Raises:
        ValueError: neither; the message lists the presets.
    """
    if name in NORMALIZATIONS:
        return NORMALIZATIONS[name]
    try:
        mean, std = (tuple(float(value) for value in part.split(",")) for part in name.split("/"))
    except ValueError:
        raise ValueError(f"no normalisation is called {name!r}; there are: {', '.join(NORMALIZATIONS)}") from None
    if len(mean) != len(std) or not all(map(math.isfinite, (*mean, *std))) or min(std) <= 0:
        raise ValueError(f"{name!r} is no normalisation: it needs as many finite means as positive deviations")
    return Normalization(name, "The file's own", mean, std)


def spell_normalization(mean: Sequence[float], std: Sequence[float]) -> str:
    """Write a normalisation as text that `find_normalization` reads back to the same float32 numbers."""
    parts = (",".join(str(np.float32(value)) for value in values) for values in (mean, std))
    return "/".join(parts)


def normalize(network: nn.Module, name: str) -> nn.Module:
    """Put the preset `name` in front of `network`; "none" gives the network itself.

    Raises:
        ValueError: no such preset.
    """
    preset = find_normalization(name)
    return Normalized(network, preset.mean, preset.std) if preset.mean else network
