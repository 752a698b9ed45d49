"""A cheap estimate of margins, for choosing training samples; the attack engine measures the real ones."""

import torch
from torch import Tensor, nn

from models.training.passes import Passes
from models.training.pgd import attack_mode

TINY = 1e-12

PASSES = Passes(1, 1)
"""What one image costs."""


def estimate_margins(network: nn.Module, images: Tensor, labels: Tensor, *, batch_size: int = 500) -> Tensor:
    """Estimate Linf margins to first order: logit gap over the L1 norm of its gradient.

    Exact for a linear network with two classes; elsewhere a ranking rather than a distance, because the boundary
    bends and only the strongest other class is looked at.

    Args:
        network: float32 images (B, C, H, W) -> logits (B, K), K at least 2; in `eval()` mode meanwhile.
        images: float32 (N, C, H, W) in [0, 1].
        labels: int64 (N,).

    Returns:
        float32 (N,) on the device of `images`, a pixel distance: 0 where the image is wrong already, inf where the gap
        has no gradient.
    """
    device = next(network.parameters()).device
    parts = []
    with attack_mode(network):
        for part, part_labels in zip(images.split(batch_size), labels.split(batch_size), strict=True):
            moved = part.to(device, copy=True).requires_grad_(True)
            gaps = measure_gaps(network(moved), part_labels.to(device))
            (gradients,) = torch.autograd.grad(gaps.sum(), moved)
            slopes = gradients.abs().flatten(1).sum(1)
            margins = torch.where(slopes > TINY, gaps.detach() / slopes.clamp_min(TINY), torch.inf)
            parts.append(torch.where(gaps.detach() > 0.0, margins, 0.0).to(images.device))
    return torch.cat(parts)


def measure_gaps(logits: Tensor, labels: Tensor) -> Tensor:
    """Give the logit gap (B,): true logit minus best other logit, above 0 where the sample is right."""
    true = logits.gather(1, labels[:, None]).squeeze(1)
    return true - logits.scatter(1, labels[:, None], -torch.inf).amax(dim=1)
