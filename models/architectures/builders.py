"""Builds the networks of `rows`: one function a row."""

from collections.abc import Callable

from torch import nn

from models.architectures.cnn import build_small_cnn
from models.architectures.resnet import (
    build_preact_resnet18,
    build_preact_resnet18_bn,
    build_resnet8,
    build_resnet18,
    build_resnet18_torchvision,
    build_resnet20,
)
from models.architectures.rows import find_architecture
from models.architectures.vgg import build_vgg16, build_vgg16_bias_free, build_vgg16_hydra
from models.architectures.wide_resnet import build_wrn_28_4, build_wrn_28_10

BUILDERS: dict[str, Callable[[int, int], nn.Module]] = {
    "small-cnn": build_small_cnn,
    "resnet18": build_resnet18,
    "resnet18-torchvision": build_resnet18_torchvision,
    "resnet20": build_resnet20,
    "resnet8": build_resnet8,
    "preact-resnet18": build_preact_resnet18,
    "preact-resnet18-bn": build_preact_resnet18_bn,
    "vgg16-bn-hydra": build_vgg16_hydra,
    "vgg16-bn": build_vgg16,
    "vgg16-bn-bias-free": build_vgg16_bias_free,
    "wrn-28-4": build_wrn_28_4,
    "wrn-28-10": build_wrn_28_10,
}
"""One for each row of `rows.ARCHITECTURES`."""


def build_architecture(architecture: str, classes: int, channels: int) -> nn.Module:
    """Build an untrained network: float32 images (B, channels, H, W) in [0, 1] to logits (B, classes).

    It has no normalisation; `layers.normalize` puts one in front.

    Raises:
        ValueError: no such architecture; the message lists what exists.
    """
    return BUILDERS[find_architecture(architecture).name](classes, channels)
