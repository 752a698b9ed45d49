"""Diversified restarts: broken images found elsewhere than where the gradient at the clean image leads.

Output-diversified initialisation (Tashiro et al. 2020, Diversity Can Be Transferred: Output Diversification for White-
and Black-box Attacks, arXiv 2003.06878): first a few steps along the gradient of a random combination of the logits,
then ascent on the logit gap. Differs from the paper: the ball is that of the best example known so far, and what
comes out only starts a minimum-norm run. On the shipped network two such restarts bring the Linf margins from 10 % to
2 % above the best known; in L2 they gained less than half a percent, and the segment start takes their place.

Patterns: on a heavily pruned network most pixels have no gradient at all (89 % on the shipped one with 1 % of its
weights), so a run from the clean image never moves them, though what they feed may decide. A start where every pixel
stands at full strength, per pixel or in stripes (the start of the Square attack), wakes these parts; of a few such
starts the one with the lowest logit gap is followed, first on the cross-entropy, which all classes share in.
"""

from typing import Any

import torch
from torch import Tensor

from backend.attacks.classifier import Classifier
from backend.attacks.losses import is_lost, measure_cross_entropy, measure_gap
from backend.attacks.minimum_norm import Best, minimise, start_best
from backend.attacks.norms import Norm, clamp_to_box, expand
from backend.attacks.starts import draw_noise, draw_uniform

ASCENT_FIRST = 0.5
PATTERN_ASCENT_FIRST = 2.0
PATTERN_AXES = (None, 2, 3, 2)  # per pixel, columns, rows, columns: the axis of (B, C, H, W) that shares a sign
STEP_AFTER_RESTART = 0.3


def diversify(
    classifier: Classifier,
    norm: Norm,
    images: Tensor,
    labels: Tensor,
    *,
    radius: Tensor,
    noise: Tensor,
    weights: Tensor,
    diverse_steps: int,
    ascent_steps: int,
) -> Tensor:
    """Points (B, C, H, W) within `radius` (B,) and the box where another class wins or nearly does.

    Cost: one gradient per image and step.

    Args:
        noise: (B, C, H, W), a perturbation of length 1; the walk starts at `radius` times it.
        weights: (B, K), the combination of logits that the first `diverse_steps` raise, with steps of one radius.
        ascent_steps: steps that lower the logit gap afterwards, of half a radius and falling to zero.
    """
    points = clamp_to_box(images + expand(radius, images) * noise)
    for step in range(diverse_steps + ascent_steps):
        is_diverse = step < diverse_steps
        points = points.detach().requires_grad_()
        logits = classifier(points)
        gain = (logits * weights).sum(1) if is_diverse else -measure_gap(logits, labels)
        (gradient,) = torch.autograd.grad(gain.sum(), points)
        share = 1.0 if is_diverse else ASCENT_FIRST * (1.0 - (step - diverse_steps) / ascent_steps)
        direction = norm.direct(gradient.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0))
        moved = points.detach() - images + expand(share * radius, images) * direction
        points = clamp_to_box(images + norm.project(moved, radius))
    return points.detach()


def restart(
    classifier: Classifier,
    norm: Norm,
    images: Tensor,
    labels: Tensor,
    best: Best,
    *,
    name: str,
    seed: int,
    classes: int,
    gap: Tensor,
    gradient: Tensor,
    parameters: dict[str, int],
) -> Best:
    """Diversify within the radius of the best known example (the whole box without one), then minimise from there."""
    noise = draw_noise(images.cpu(), seed, name).to(images.device)
    weights = draw_uniform(images.cpu(), seed, f"{name} weights", torch.Size([classes])).to(images.device)
    start = diversify(
        classifier,
        norm,
        images,
        labels,
        radius=torch.minimum(best.distance, norm.measure(torch.ones_like(images))),
        noise=noise / expand(norm.measure(noise), noise),
        weights=weights,
        diverse_steps=parameters["diverse_steps"],
        ascent_steps=parameters["ascent_steps"],
    )
    return minimise(
        classifier,
        norm,
        images,
        labels,
        gap=gap,
        gradient=gradient,
        steps=parameters["steps"],
        start=start,
        first_step=STEP_AFTER_RESTART,
    )


def draw_pattern(images: Tensor, seed: int, purpose: str, number: int) -> Tensor:
    """Signs (B, C, H, W), -1 or 1, on the images' device: per pixel, or the same along columns or rows."""
    noise = draw_uniform(images.cpu(), seed, f"{purpose} {number}", images.shape[1:]).to(images.device)
    axis = PATTERN_AXES[number % len(PATTERN_AXES)]
    if axis is not None:
        noise = noise.narrow(axis, 0, 1).expand_as(images)
    return torch.where(noise < 0, -1.0, 1.0)


def choose_pattern(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    best: Best,
    *,
    name: str,
    seed: int,
    count: int,
    share: float,
) -> tuple[Tensor, Tensor, Best]:
    """Of `count` patterns, the point with the lowest logit gap at `share` of the best radius; Linf only.

    A pattern that breaks the sample lowers the radius for the next ones. Cost: one forward pass per pattern.

    Returns:
        The points (B, C, H, W), the radius they lie in (B,), and the best broken image so far.
    """
    radius = best.distance.clamp_max(1.0) * share
    points, lowest = images, torch.full_like(radius, torch.inf)
    for number in range(count):
        signs = draw_pattern(images, seed, name, number)
        candidates = clamp_to_box(images + expand(radius, images) * signs)
        logits = classifier.classify(candidates)
        gap = measure_gap(logits, labels)
        is_lower = gap < lowest
        points = torch.where(expand(is_lower, images), candidates, points)
        lowest = torch.where(is_lower, gap, lowest)
        best = best.improve(candidates, (candidates - images).flatten(1).abs().amax(1), is_lost(logits, labels))
        shrunk = best.distance.clamp_max(1.0) * share
        lowest = torch.where(shrunk < radius, torch.inf, lowest)
        radius = shrunk
    return points, radius, best


def follow_pattern(
    classifier: Classifier,
    norm: Norm,
    images: Tensor,
    labels: Tensor,
    best: Best,
    *,
    name: str,
    seed: int,
    gap: Tensor,
    gradient: Tensor,
    parameters: dict[str, Any],
) -> Best:
    """Start from the best pattern, raise the cross-entropy within its radius, then minimise from there; Linf only."""
    points, radius, found = choose_pattern(
        classifier,
        images,
        labels,
        Best(images, best.distance),
        name=name,
        seed=seed,
        count=parameters["patterns"],
        share=parameters["radius_share"],
    )
    points = clamp_to_box(images + norm.project(points - images, radius))
    steps = parameters["ascent_steps"]
    for step in range(steps):
        points = points.detach().requires_grad_()
        logits = classifier(points)
        (slope,) = torch.autograd.grad(measure_cross_entropy(logits, labels).sum(), points)
        points = points.detach()
        found = found.improve(points, norm.distance(images, points), is_lost(logits.detach(), labels))
        share = PATTERN_ASCENT_FIRST * (1.0 - step / steps)
        direction = norm.direct(slope.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0))
        moved = points - images + expand(share * radius, images) * direction
        points = clamp_to_box(images + norm.project(moved, radius))
    own = start_best(images).improve(found.images, found.distance, found.distance < best.distance)
    walked = minimise(
        classifier,
        norm,
        images,
        labels,
        gap=gap,
        gradient=gradient,
        steps=parameters["steps"],
        start=points,
        first_step=STEP_AFTER_RESTART,
    )
    return own.improve(walked.images, walked.distance, walked.distance.isfinite())
