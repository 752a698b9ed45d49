"""The architectures that checkpoints are loaded into: one table, one look-up."""

from collections.abc import Callable
from dataclasses import dataclass

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
from models.architectures.vgg import build_vgg16, build_vgg16_bias_free, build_vgg16_hydra
from models.architectures.wide_resnet import build_wrn_28_4, build_wrn_28_10


@dataclass(frozen=True)
class Architecture:
    """One row of the table.

    `build(classes, channels)` gives an untrained network that maps float32 images (B, channels, H, W) in [0, 1] to
    logits (B, classes), without normalisation. `input_size` is (H, W), or None where any size works.
    """

    name: str
    title: str
    family: str
    build: Callable[[int, int], nn.Module]
    input_size: tuple[int, int] | None


ROWS = (
    Architecture("small-cnn", "Small CNN, 102,090 parameters", "cnn", build_small_cnn, (28, 28)),
    Architecture("resnet18", "ResNet18 (CIFAR)", "resnet", build_resnet18, None),
    Architecture(
        "resnet18-torchvision", "ResNet18 (CIFAR, torchvision names)", "resnet", build_resnet18_torchvision, None
    ),
    Architecture("resnet20", "ResNet20 (CIFAR)", "resnet", build_resnet20, None),
    Architecture("resnet8", "ResNet8 (CIFAR)", "resnet", build_resnet8, None),
    Architecture("preact-resnet18", "PreAct ResNet18", "resnet", build_preact_resnet18, None),
    Architecture("preact-resnet18-bn", "PreAct ResNet18, last BN", "resnet", build_preact_resnet18_bn, None),
    Architecture("vgg16-bn-hydra", "VGG16-BN (HYDRA, HARP)", "vgg", build_vgg16_hydra, None),
    Architecture("vgg16-bn", "VGG16-BN, one linear layer", "vgg", build_vgg16, (32, 32)),
    Architecture("vgg16-bn-bias-free", "VGG16-BN, no conv biases", "vgg", build_vgg16_bias_free, (32, 32)),
    Architecture("wrn-28-4", "Wide ResNet 28-4", "wide-resnet", build_wrn_28_4, None),
    Architecture("wrn-28-10", "Wide ResNet 28-10", "wide-resnet", build_wrn_28_10, None),
)

ARCHITECTURES: dict[str, Architecture] = {row.name: row for row in ROWS}


def find_architecture(name: str) -> Architecture:
    """Give the row called `name`.

    Raises:
        ValueError: no such row; the message lists what exists.
    """
    if name not in ARCHITECTURES:
        raise ValueError(f"no architecture is called {name!r}; there are: {', '.join(sorted(ARCHITECTURES))}")
    return ARCHITECTURES[name]
