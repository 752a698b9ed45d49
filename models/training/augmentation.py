"""Random crops and flips for small colour images."""

import torch
from torch import Tensor
from torch.nn import functional

PADDING = 4


def crop_and_flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Shift each image by up to 4 pixels on a black border and mirror every second one by chance.

    Args:
        images: float (B, C, H, W).
        generator: on the CPU, whatever the device of `images`.

    Returns:
        Images of the same shape.
    """
    count, _, height, width = images.shape
    shifts = torch.randint(2 * PADDING + 1, (2, count, 1), generator=generator)
    is_mirrored = torch.rand(count, 1, generator=generator) < 0.5
    rows = (shifts[0] + torch.arange(height)).to(images.device)
    columns = torch.arange(width).expand(count, width)
    columns = (shifts[1] + torch.where(is_mirrored, columns.flip(1), columns)).to(images.device)
    padded = functional.pad(images, [PADDING] * 4).permute(0, 2, 3, 1)
    samples = torch.arange(count, device=images.device)[:, None, None]
    return padded[samples, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2).contiguous()
