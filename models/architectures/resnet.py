"""ResNets for 32 x 32 images: a 3 x 3 first convolution and no first pooling.

Reference: He et al., 2016, arXiv 1512.03385; the pre-activation variant is arXiv 1603.05027. Two names for the same
tensors are in use, so the names are an argument: `shortcut`/`linear` in the CIFAR repositories that R-ADMM, HYDRA and
HARP build on, `downsample`/`fc` in torchvision.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

GROUP_WIDTHS = (64, 128, 256, 512)
BLOCKS_PER_GROUP = 2
SMALL_WIDTHS = (16, 32, 64)
"""Those of the paper's own CIFAR networks, which are of depth 6 n + 2 with n blocks a group."""


@dataclass(frozen=True)
class Names:
    """What the state dict calls the projection of a block and the last layer."""

    shortcut: str
    linear: str


CIFAR_NAMES = Names("shortcut", "linear")
TORCHVISION_NAMES = Names("downsample", "fc")


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions and a shortcut: identity, or a normalised 1 x 1 convolution where the shape changes."""

    def __init__(self, channels_in: int, channels_out: int, stride: int, names: Names) -> None:
        super().__init__()
        self.shortcut_name = names.shortcut
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels_out)
        shortcut = nn.Sequential()
        if stride != 1 or channels_in != channels_out:
            projection = nn.Conv2d(channels_in, channels_out, 1, stride=stride, bias=False)
            shortcut = nn.Sequential(projection, nn.BatchNorm2d(channels_out))
        self.add_module(names.shortcut, shortcut)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C_in, H, W) to (B, C_out, H / stride, W / stride)."""
        shortcut = self.get_submodule(self.shortcut_name)(features)
        inner = functional.relu(self.bn1(self.conv1(features)))
        inner = self.bn2(self.conv2(inner))
        return functional.relu(inner + shortcut)


class PreActivationBlock(nn.Module):
    """Normalisation and ReLU before each convolution; the shortcut's 1 x 1 convolution has none of its own."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels_in)
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False)
        self.shortcut: nn.Sequential | None = None
        if stride != 1 or channels_in != channels_out:
            self.shortcut = nn.Sequential(nn.Conv2d(channels_in, channels_out, 1, stride=stride, bias=False))

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C_in, H, W) to (B, C_out, H / stride, W / stride)."""
        activated = functional.relu(self.bn1(features))
        shortcut = features if self.shortcut is None else self.shortcut(activated)
        inner = self.conv1(activated)
        inner = self.conv2(functional.relu(self.bn2(inner)))
        result: Tensor = inner + shortcut
        return result


class ResNet(nn.Module):
    """Keys: `conv1, bn1, layer1..S.{0..}.{conv1,bn1,conv2,bn2,shortcut.0,shortcut.1}, linear`; ResNet18 by default.

    The groups of blocks have `widths` channels and `blocks` blocks each.
    """

    def __init__(
        self,
        classes: int = 10,
        channels: int = 3,
        names: Names = CIFAR_NAMES,
        widths: tuple[int, ...] = GROUP_WIDTHS,
        blocks: int = BLOCKS_PER_GROUP,
    ) -> None:
        super().__init__()
        self.linear_name, self.groups = names.linear, len(widths)
        self.conv1 = nn.Conv2d(channels, widths[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        width_before = widths[0]
        for group, width in enumerate(widths, start=1):
            first = BasicBlock(width_before, width, 1 if group == 1 else 2, names)
            rest = [BasicBlock(width, width, 1, names) for _ in range(blocks - 1)]
            self.add_module(f"layer{group}", nn.Sequential(first, *rest))
            width_before = width
        self.add_module(names.linear, nn.Linear(width_before, classes))

    def forward(self, images: Tensor) -> Tensor:
        """Map float32 images (B, C, H, W) in [0, 1] to logits (B, K)."""
        features = functional.relu(self.bn1(self.conv1(images)))
        for group in range(1, self.groups + 1):
            features = self.get_submodule(f"layer{group}")(features)
        # The mean over all positions equals the usual 4 x 4 pooling at 32 x 32 and works at other sizes.
        logits: Tensor = self.get_submodule(self.linear_name)(features.mean(dim=(2, 3)))
        return logits


class PreActivationResNet18(nn.Module):
    """Keys: `conv1, layer1..4.{0,1}.{bn1,conv1,bn2,conv2,shortcut.0}, linear`, with `bn` before pooling if asked."""

    def __init__(self, classes: int = 10, channels: int = 3, normalizes_last: bool = False) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, GROUP_WIDTHS[0], 3, padding=1, bias=False)
        width_before = GROUP_WIDTHS[0]
        for group, width in enumerate(GROUP_WIDTHS, start=1):
            first = PreActivationBlock(width_before, width, 1 if group == 1 else 2)
            rest = [PreActivationBlock(width, width, 1) for _ in range(BLOCKS_PER_GROUP - 1)]
            self.add_module(f"layer{group}", nn.Sequential(first, *rest))
            width_before = width
        self.bn = nn.BatchNorm2d(width_before) if normalizes_last else None
        self.linear = nn.Linear(width_before, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map float32 images (B, C, H, W) in [0, 1] to logits (B, K)."""
        features: Tensor = self.conv1(images)
        for group in range(1, len(GROUP_WIDTHS) + 1):
            features = self.get_submodule(f"layer{group}")(features)
        if self.bn is not None:
            features = torch.relu(self.bn(features))
        logits: Tensor = self.linear(features.mean(dim=(2, 3)))
        return logits


def build_resnet18(classes: int, channels: int) -> nn.Module:
    """Build ResNet18 with the names of the CIFAR repositories."""
    return ResNet(classes, channels)


def build_resnet18_torchvision(classes: int, channels: int) -> nn.Module:
    """Build the same network with torchvision's names; torchvision's own 7 x 7 first convolution does not fit it."""
    return ResNet(classes, channels, TORCHVISION_NAMES)


def build_resnet8(classes: int, channels: int) -> nn.Module:
    """Build the least of the paper's CIFAR networks (n = 1), with projections as shortcuts (its option B)."""
    return ResNet(classes, channels, widths=SMALL_WIDTHS, blocks=1)


def build_resnet20(classes: int, channels: int) -> nn.Module:
    """Build the paper's 20 layers for CIFAR (n = 3), with projections as shortcuts (its option B)."""
    return ResNet(classes, channels, widths=SMALL_WIDTHS, blocks=3)


def build_preact_resnet18(classes: int, channels: int) -> nn.Module:
    """Build the pre-activation ResNet18 of the CIFAR repositories, which pools without a last normalisation."""
    return PreActivationResNet18(classes, channels)


def build_preact_resnet18_bn(classes: int, channels: int) -> nn.Module:
    """Build the pre-activation ResNet18 with the last normalisation and ReLU of the paper (key `bn`)."""
    return PreActivationResNet18(classes, channels, normalizes_last=True)
