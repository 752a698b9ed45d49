"""Auto-PGD and the targeted DLR loss, written from Croce and Hein 2020 (arXiv 2003.01690), sections 3 and 4.

MALT runs on it. Every sample keeps its own step; halving is decided at the paper's checkpoints.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

FIRST_CHECKPOINT, SHRINK, SHORTEST = 0.22, 0.03, 0.06
MOMENTUM, IMPROVING_SHARE, STEP_OF_EPS = 0.75, 0.75, 2.0
TINY = 1e-12

Loss = Callable[[Tensor], Tensor]


def expand(values: Tensor, like: Tensor) -> Tensor:
    return values.reshape(-1, *[1] * (like.dim() - 1))


def list_checkpoints(steps: int) -> list[int]:
    """Steps at which a sample's step size is reconsidered (the paper's equation 4)."""
    shares = [0.0, FIRST_CHECKPOINT]
    while shares[-1] < 1.0:
        shares.append(shares[-1] + max(shares[-1] - shares[-2] - SHRINK, SHORTEST))
    # Rounded first: 0.22 + 0.19 is a little above 0.41.
    return [math.ceil(round(share * steps, 6)) for share in shares if share <= 1.0]


def measure_targeted_dlr(logits: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
    """Difference of logits ratio towards a target (equation 6), to be raised; (B,). Needs four classes."""
    ordered = logits.sort(dim=1, descending=True).values
    true = logits.gather(1, labels[:, None])[:, 0]
    wanted = logits.gather(1, targets[:, None])[:, 0]
    return (wanted - true) / (ordered[:, 0] - (ordered[:, 2] + ordered[:, 3]) / 2.0 + TINY)


def direct(gradient: Tensor, norm: str) -> Tensor:
    """Steepest unit step."""
    if norm == "Linf":
        return gradient.sign()
    return gradient / expand(gradient.flatten(1).norm(dim=1).clamp_min(TINY), gradient)


def project(points: Tensor, images: Tensor, eps: float, norm: str) -> Tensor:
    """Into the ball around `images` and the box. The box comes last: in L2 it can only shorten the way."""
    way = points - images
    if norm == "Linf":
        way = way.clamp(-eps, eps)
    else:
        length = way.flatten(1).norm(dim=1).clamp_min(TINY)
        way = way * expand((eps / length).clamp_max(1.0), way)
    return (images + way).clamp(0.0, 1.0)


def draw_start(images: Tensor, eps: float, norm: str, generator: torch.Generator) -> Tensor:
    """A point on the ball's face."""
    if norm == "Linf":
        noise = 2.0 * torch.rand(images.shape, generator=generator) - 1.0
        noise = noise / expand(noise.flatten(1).abs().amax(1).clamp_min(TINY), noise)
    else:
        noise = direct(torch.randn(images.shape, generator=generator), "L2")
    return project(images + eps * noise, images, eps, norm)


def ascend(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    measure: Loss,
    *,
    norm: str,
    eps: float,
    steps: int,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Run APGD; `steps` + 1 gradients per image. Returns the points (B, C, H, W) and whether they are wrong (B,)."""

    def differentiate(points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        leaf = points.detach().requires_grad_()
        logits = network(leaf)
        loss = measure(logits)
        (gradient,) = torch.autograd.grad(loss.sum(), leaf)
        return loss.detach(), gradient, logits.detach().argmax(1) != labels

    points = draw_start(images, eps, norm, generator)
    loss, gradient, wrong = differentiate(points)
    found, adversarial = wrong, points
    best_points, best_loss, best_gradient = points, loss, gradient
    length = images.new_full((len(images),), STEP_OF_EPS * eps)
    before, checkpoints = points, list_checkpoints(steps)
    last_loss, loss_at_checkpoint = loss, loss
    rose, was_halved = torch.zeros_like(loss), torch.zeros_like(loss, dtype=torch.bool)
    for step in range(steps):
        stepped = project(points + expand(length, images) * direct(gradient, norm), images, eps, norm)
        share = MOMENTUM if step else 1.0
        moved = points + share * (stepped - points) + (1.0 - share) * (points - before)
        before, points = points, project(moved, images, eps, norm)
        loss, gradient, wrong = differentiate(points)
        adversarial = torch.where(expand(wrong & ~found, images), points, adversarial)
        found = found | wrong
        rose = rose + (loss > last_loss)
        last_loss = loss
        is_better = loss > best_loss
        best_points = torch.where(expand(is_better, images), points, best_points)
        best_gradient = torch.where(expand(is_better, images), gradient, best_gradient)
        best_loss = torch.maximum(loss, best_loss)
        if step + 1 in checkpoints:
            since = step + 1 - checkpoints[checkpoints.index(step + 1) - 1]
            is_stuck = ~was_halved & (best_loss <= loss_at_checkpoint)
            halved = (rose < IMPROVING_SHARE * since) | is_stuck
            length = torch.where(halved, length / 2.0, length)
            points = torch.where(expand(halved, images), best_points, points)
            gradient = torch.where(expand(halved, images), best_gradient, gradient)
            rose, was_halved, loss_at_checkpoint = torch.zeros_like(rose), halved, best_loss
    return torch.where(expand(found, images), adversarial, best_points), found
