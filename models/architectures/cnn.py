"""A small convolutional network for 28 x 28 grey images: the architecture of the shipped zoo.

About 100,000 parameters and 2.2 million multiplications per image. Every convolution halves the image, so that
adversarial training, which costs a handful of passes per image, stays affordable on one CPU core.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTHS = (32, 64, 112)
FINAL_SIZE = 4


class SmallCNN(nn.Module):
    """Three stride-2 convolutions with batch normalisation and one linear layer.

    Keys: `conv1, bn1, conv2, bn2, conv3, bn3, linear`. Convolutions have no bias: batch normalisation would
    subtract it again.
    """

    def __init__(self, classes: int = 10, channels: int = 1) -> None:
        super().__init__()
        first, second, third = WIDTHS
        self.conv1 = nn.Conv2d(channels, first, kernel_size=5, stride=2, padding=2, bias=False)
        self.bn1 = nn.BatchNorm2d(first)
        self.conv2 = nn.Conv2d(first, second, kernel_size=3, stride=2, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(second)
        self.conv3 = nn.Conv2d(second, third, kernel_size=3, stride=2, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(third)
        self.linear = nn.Linear(third * FINAL_SIZE * FINAL_SIZE, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map float32 images (B, C, 28, 28) in [0, 1] to logits (B, K)."""
        features = functional.relu(self.bn1(self.conv1(images)))
        features = functional.relu(self.bn2(self.conv2(features)))
        features = functional.relu(self.bn3(self.conv3(features)))
        logits: Tensor = self.linear(torch.flatten(features, start_dim=1))
        return logits


def build_small_cnn(classes: int, channels: int) -> nn.Module:
    """Build the untrained network for images (channels, 28, 28)."""
    return SmallCNN(classes, channels)
