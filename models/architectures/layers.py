"""Normalisation as the first layer of a network.

Attacks work on pixels in [0, 1]; a network that expects normalised input carries the normalisation inside, where
gradients pass through it and no attack can forget it.
"""

import torch
from torch import Tensor, nn

from models.architectures.normalizations import find_normalization


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
            raise ValueError(f"this normalisation is for {len(self.mean)} channels; the images have {images.shape[1]}")
        logits: Tensor = self.network((images - self.mean.view(1, -1, 1, 1)) / self.std.view(1, -1, 1, 1))
        return logits


def normalize(network: nn.Module, name: str) -> nn.Module:
    """Put the preset `name` in front of `network`; "none" gives the network itself.

    Raises:
        ValueError: no such preset.
    """
    preset = find_normalization(name)
    return Normalized(network, preset.mean, preset.std) if preset.mean else network
