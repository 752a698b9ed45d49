"""VGG16 with batch normalisation for 32 x 32 images, in the three shapes that pruned checkpoints come in.

Reference: Simonyan and Zisserman, 2015, arXiv 1409.1556. HYDRA and HARP drop the last pooling and end in three linear
layers (`classifier.{0,2,4}`, 2048-256-256-classes); the others pool five times and end in one `classifier`
512-classes, with or without biases in the convolutions. In all of them `features.N` counts convolution,
normalisation, ReLU and pooling layers alike, so the numbers of the first thirteen convolutions agree.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
HYDRA_POOLED_SIZE = (2, 2)
HYDRA_HIDDEN = 256


def build_features(channels: int, *, has_bias: bool, pools_last: bool) -> nn.Sequential:
    """Build the thirteen 3 x 3 convolutions with normalisation and ReLU, and a pooling layer after each block.

    Without the last pooling 32 x 32 images end as (B, 512, 2, 2), with it as (B, 512, 1, 1).
    """
    layers: list[nn.Module] = []
    channels_in = channels
    for number, widths in enumerate(BLOCKS, start=1):
        for width in widths:
            convolution = nn.Conv2d(channels_in, width, kernel_size=3, padding=1, bias=has_bias)
            layers += [convolution, nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            channels_in = width
        if number < len(BLOCKS) or pools_last:
            layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
    return nn.Sequential(*layers)


class HydraVGG(nn.Module):
    """The VGG16 of HYDRA and HARP. Keys: `features.N` without biases, `classifier.{0,2,4}` with biases."""

    def __init__(self, classes: int = 10, channels: int = 3) -> None:
        super().__init__()
        self.features = build_features(channels, has_bias=False, pools_last=False)
        pooled = BLOCKS[-1][-1] * HYDRA_POOLED_SIZE[0] * HYDRA_POOLED_SIZE[1]
        self.classifier = nn.Sequential(
            nn.Linear(pooled, HYDRA_HIDDEN),
            nn.ReLU(inplace=True),
            nn.Linear(HYDRA_HIDDEN, HYDRA_HIDDEN),
            nn.ReLU(inplace=True),
            nn.Linear(HYDRA_HIDDEN, classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map float32 images (B, C, H, W) in [0, 1] to logits (B, K)."""
        features: Tensor = self.features(images)
        # At 32 x 32 the features have this size already; pooling them to it changes nothing, but its backward pass
        # on a GPU is not deterministic.
        if tuple(features.shape[-2:]) != HYDRA_POOLED_SIZE:
            features = functional.adaptive_avg_pool2d(features, HYDRA_POOLED_SIZE)
        logits: Tensor = self.classifier(torch.flatten(features, start_dim=1))
        return logits


class FlatVGG(nn.Module):
    """The VGG16 with one linear layer. Keys: `features.N`, `classifier`."""

    def __init__(self, classes: int = 10, channels: int = 3, has_bias: bool = True) -> None:
        super().__init__()
        self.features = build_features(channels, has_bias=has_bias, pools_last=True)
        self.classifier = nn.Linear(BLOCKS[-1][-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map float32 images (B, C, 32, 32) in [0, 1] to logits (B, K)."""
        logits: Tensor = self.classifier(torch.flatten(self.features(images), start_dim=1))
        return logits


def build_vgg16_hydra(classes: int, channels: int) -> nn.Module:
    """Build the variant of HYDRA and HARP."""
    return HydraVGG(classes, channels)


def build_vgg16(classes: int, channels: int) -> nn.Module:
    """Build the variant with one linear layer and biases in the convolutions."""
    return FlatVGG(classes, channels, has_bias=True)


def build_vgg16_bias_free(classes: int, channels: int) -> nn.Module:
    """Build the variant with one linear layer and no biases in the convolutions."""
    return FlatVGG(classes, channels, has_bias=False)
