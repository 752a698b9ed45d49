"""Minimum-norm attack: the smallest perturbation that changes the decision, in Linf or L2.

The schedule of the Fast Minimum-Norm attack (Pintor et al. 2021, arXiv 2102.12827, algorithm 1): walk along the
gradient of the logit gap inside a ball whose radius shrinks while the sample is broken and grows while it is not.
Differs from the paper: the step is a share of each sample's own current radius instead of one length for all, so that
near and far samples converge alike; the first step follows a known gradient; a point that lies on the box's face is
not pushed against it; besides the untargeted run there are runs towards chosen classes.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.attacks.classifier import Classifier
from backend.attacks.losses import is_lost, measure_gap
from backend.attacks.norms import TINY, Norm, clamp_to_box, expand

STEP_FIRST, STEP_LAST = 1.0, 0.01
CHANGE_FIRST, CHANGE_LAST = 0.05, 0.001
OVERSHOOT = 1.02


@dataclass(frozen=True)
class Best:
    """The nearest broken image per sample: `images` (B, C, H, W), `distance` (B,), inf where nothing is broken."""

    images: Tensor
    distance: Tensor

    def improve(self, images: Tensor, distance: Tensor, broken: Tensor) -> "Best":
        """Take over what is broken and nearer."""
        is_better = broken & (distance < self.distance)
        return Best(
            torch.where(expand(is_better, images), images, self.images),
            torch.where(is_better, distance, self.distance),
        )


def start_best(images: Tensor) -> Best:
    """Nothing broken yet."""
    return Best(images, images.new_full((len(images),), torch.inf))


def follow_cosine(step: int, steps: int, first: float, last: float) -> float:
    """Value of a half cosine from `first` at step 0 to `last` at the last step."""
    share = step / max(steps - 1, 1)
    return last + 0.5 * (first - last) * (1.0 + math.cos(math.pi * share))


def differentiate_gap(
    classifier: Classifier, images: Tensor, labels: Tensor, targets: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Logits (B, K), gap (B,) and its gradient in the images (B, C, H, W); one forward and one backward pass."""
    points = images.detach().requires_grad_()
    logits = classifier(points)
    gap = measure_gap(logits, labels, targets)
    (gradient,) = torch.autograd.grad(gap.sum(), points)
    return logits.detach(), gap.detach(), gradient.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)


def free_of_box(gradient: Tensor, images: Tensor) -> Tensor:
    """The gradient without the pixels at 0 or 1 that a descent step would push out of the box."""
    is_stuck = ((images <= 0.0) & (gradient > 0.0)) | ((images >= 1.0) & (gradient < 0.0))
    return gradient.masked_fill(is_stuck, 0.0)


def estimate_radius(norm: Norm, gap: Tensor, gradient: Tensor) -> Tensor:
    """First-order distance to the boundary (B,), at most the whole box."""
    whole_box = norm.measure(torch.ones_like(gradient))
    return torch.minimum(gap.clamp_min(0.0) / norm.measure_dual(gradient).clamp_min(TINY), whole_box)


def minimise(
    classifier: Classifier,
    norm: Norm,
    images: Tensor,
    labels: Tensor,
    *,
    gap: Tensor,
    gradient: Tensor,
    steps: int,
    targets: Tensor | None = None,
    noise: Tensor | None = None,
    start: Tensor | None = None,
    first_step: float = STEP_FIRST,
) -> Best:
    """Run `steps` gradient steps of the minimum-norm attack; broken means that the label no longer wins.

    Cost: `steps` - 1 forward and backward passes and one forward pass per image (the first gradient is given).

    Args:
        images: float32 (B, C, H, W) in [0, 1], classified as `labels` int64 (B,).
        gap, gradient: (B,) and (B, C, H, W), of the gap to the targets (or untargeted) at the clean images.
        targets: int64 (B,), the class to walk to; without it the best other class at every point.
        noise: float32 (B, C, H, W), a unit perturbation mixed into the first step.
        start: float32 (B, C, H, W), images to start from instead of the first-order step, broken or nearly so.
        first_step: length of the first step in radii; short steps stay near a start that is good already.
    Returns:
        The nearest broken image met, each classified by the network exactly as it is given back.
    """
    best = start_best(images)
    limit = norm.measure(torch.ones_like(images))
    free = free_of_box(gradient, images)
    radius = torch.minimum(estimate_radius(norm, gap, free) * OVERSHOOT, limit)
    perturbation = -expand(radius, images) * norm.direct(free)
    if noise is not None:
        perturbation = norm.project(perturbation + expand(radius, images) * noise, radius)
    if start is not None:
        perturbation = start - images
        radius = norm.measure(perturbation)
    for step in range(1, steps + 1):
        points = clamp_to_box(images + perturbation)
        perturbation = points - images
        length = norm.measure(perturbation)
        if step == steps:
            return best.improve(points, length, is_lost(classifier.classify(points), labels))
        logits, gap, gradient = differentiate_gap(classifier, points, labels, targets)
        is_broken = is_lost(logits, labels)
        best = best.improve(points, length, is_broken)
        change = follow_cosine(step, steps, CHANGE_FIRST, CHANGE_LAST)
        free = free_of_box(gradient, points)
        ahead = torch.minimum(length + estimate_radius(norm, gap, free), limit)
        grown = torch.where(best.distance.isfinite(), radius * (1.0 + change), ahead)
        radius = torch.where(is_broken, torch.minimum(radius, best.distance) * (1.0 - change), grown)
        radius = torch.minimum(radius, torch.minimum(best.distance, limit))
        stride = follow_cosine(step, steps, first_step, STEP_LAST)
        perturbation = norm.project(perturbation - expand(stride * radius, images) * norm.direct(free), radius)
    return best


def bisect(classifier: Classifier, norm: Norm, images: Tensor, labels: Tensor, best: Best, passes: int) -> Best:
    """Pull broken images towards the clean ones along the segment between them; `passes` forward passes.

    Samples without a broken image stay as they are. What comes back was classified as broken itself.
    """
    is_broken = best.distance.isfinite()
    inner = torch.zeros_like(best.distance)
    outer = torch.ones_like(best.distance)
    direction = best.images - images
    for _ in range(passes):
        middle = (inner + outer) / 2
        points = clamp_to_box(images + expand(middle, images) * direction)
        holds = is_lost(classifier.classify(points), labels)
        best = best.improve(points, norm.distance(images, points), holds & is_broken)
        outer = torch.where(holds, middle, outer)
        inner = torch.where(holds, inner, middle)
    return best
