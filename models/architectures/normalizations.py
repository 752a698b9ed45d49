"""What released checkpoints were trained with: the mean and deviation of each channel. Never imports torch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


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
        raise ValueError(f"there is no normalisation {name!r}; known: {', '.join(NORMALIZATIONS)}") from None
    if len(mean) != len(std) or not all(map(math.isfinite, (*mean, *std))) or min(std) <= 0:
        raise ValueError(f"{name!r} is not a normalisation, which needs finite means and as many positive deviations")
    return Normalization(name, "The file's own", mean, std)


def spell_normalization(mean: Sequence[float], std: Sequence[float]) -> str:
    """Write a normalisation as text that `find_normalization` reads back to the same float32 numbers."""
    parts = (",".join(str(np.float32(value)) for value in values) for values in (mean, std))
    return "/".join(parts)
