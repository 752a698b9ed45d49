"""Wide residual networks for 32 x 32 images: WRN-28-4 and WRN-28-10.

Reference: Zagoruyko and Komodakis, 2016, arXiv 1605.07146. HYDRA's release carries a `sub_block1` that its forward
pass never uses; it is not built here, and who imports such a file leaves those keys out.
"""

from torch import Tensor, nn
from torch.nn import functional

FIRST_WIDTH = 16
GROUP_STRIDES = (1, 2, 2)
CONVOLUTIONS_OUTSIDE_BLOCKS = 4


class WideBlock(nn.Module):
    """Normalisation and ReLU before each of two 3 x 3 convolutions.

    Where the shape changes, the normalised input feeds the 1 x 1 shortcut too; elsewhere the shortcut is the plain
    input and there is no `convShortcut`.
    """

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels_in)
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False)
        # The attribute's name is the key in every released checkpoint.
        self.convShortcut: nn.Conv2d | None = None
        if channels_in != channels_out:
            self.convShortcut = nn.Conv2d(channels_in, channels_out, 1, stride=stride, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C_in, H, W) to (B, C_out, H / stride, W / stride)."""
        activated = functional.relu(self.bn1(features))
        shortcut = features if self.convShortcut is None else self.convShortcut(activated)
        inner = functional.relu(self.bn2(self.conv1(activated)))
        result: Tensor = self.conv2(inner) + shortcut
        return result


class BlockGroup(nn.Module):
    """A row of blocks under the key `layer`; the first one changes width and size."""

    def __init__(self, blocks: int, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        rest = [WideBlock(channels_out, channels_out, 1) for _ in range(blocks - 1)]
        self.layer = nn.Sequential(WideBlock(channels_in, channels_out, stride), *rest)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C_in, H, W) to (B, C_out, H / stride, W / stride)."""
        result: Tensor = self.layer(features)
        return result


class WideResNet(nn.Module):
    """Keys: `conv1, block1..3.layer.N.{bn1,conv1,bn2,conv2,convShortcut}, bn1, fc`."""

    def __init__(self, depth: int, widening: int, classes: int = 10, channels: int = 3) -> None:
        super().__init__()
        if (depth - CONVOLUTIONS_OUTSIDE_BLOCKS) % 6:
            raise ValueError(f"a wide ResNet must have 6 n + {CONVOLUTIONS_OUTSIDE_BLOCKS} layers; got {depth}")
        blocks = (depth - CONVOLUTIONS_OUTSIDE_BLOCKS) // 6
        widths = [FIRST_WIDTH] + [FIRST_WIDTH * widening * factor for factor in (1, 2, 4)]
        self.conv1 = nn.Conv2d(channels, widths[0], 3, padding=1, bias=False)
        self.block1 = BlockGroup(blocks, widths[0], widths[1], GROUP_STRIDES[0])
        self.block2 = BlockGroup(blocks, widths[1], widths[2], GROUP_STRIDES[1])
        self.block3 = BlockGroup(blocks, widths[2], widths[3], GROUP_STRIDES[2])
        self.bn1 = nn.BatchNorm2d(widths[3])
        self.fc = nn.Linear(widths[3], classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map float32 images (B, C, H, W) in [0, 1] to logits (B, K)."""
        features = self.block3(self.block2(self.block1(self.conv1(images))))
        features = functional.relu(self.bn1(features))
        # The mean over all positions equals the usual 8 x 8 pooling at 32 x 32 and works at other sizes.
        logits: Tensor = self.fc(features.mean(dim=(2, 3)))
        return logits


def build_wrn_28_4(classes: int, channels: int) -> nn.Module:
    """Build depth 28, widening 4."""
    return WideResNet(28, 4, classes, channels)


def build_wrn_28_10(classes: int, channels: int) -> nn.Module:
    """Build depth 28, widening 10."""
    return WideResNet(28, 10, classes, channels)
