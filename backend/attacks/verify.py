"""Every adversarial example is classified again by the network itself before it counts (protocol 4.2)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from backend.attacks.batches import Batches
from backend.attacks.classifier import Classifier
from backend.attacks.losses import predict
from backend.attacks.norms import Norm, clamp_to_box, expand

BALL_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Candidate:
    """What an attack claims: `images` (B, C, H, W) on the CPU, `claimed` and `tried` bool (B,)."""

    attack: str
    kind: str
    images: Tensor
    claimed: Tensor
    tried: Tensor


@dataclass(frozen=True)
class Verified:
    """What holds: `images` (B, C, H, W) in the box, `found` (B,), `distance` (B,), inf where not found."""

    attack: str
    kind: str
    images: Tensor
    found: Tensor
    distance: Tensor
    tried: Tensor
    prediction: Tensor


def return_to_ball(norm: Norm, images: Tensor, points: Tensor, eps: float | None) -> Tensor:
    """Points clamped to the box and, with an eps, put back onto the ball around `images` where outside of it."""
    points = clamp_to_box(points.float().nan_to_num(nan=0.0))
    if eps is None:
        return points
    radius = images.new_full((len(images),), eps)
    is_outside = norm.distance(images, points) > radius
    projected = clamp_to_box(images + norm.project(points - images, radius))
    return torch.where(expand(is_outside, points), projected, points)


def verify(
    classifier: Classifier,
    norm: Norm,
    images: Tensor,
    labels: Tensor,
    candidate: Candidate,
    batches: Batches,
    eps: float | None,
) -> Verified:
    """Classify the claimed examples in float32 and measure their distances anew; one forward per claimed example.

    Args:
        images, labels: (B, C, H, W) and int64 (B,), on the CPU; found means that the prediction is not the label.
        eps: radius of the ball the example must lie in (a witness), or None (a minimum-norm attack).
    """
    found = torch.zeros(len(images), dtype=torch.bool)
    distance = torch.full((len(images),), torch.inf)
    points = images.clone()
    prediction = labels.clone()
    rows = candidate.claimed.nonzero()[:, 0]

    def classify(part: slice) -> None:
        chosen = rows[part]
        inside = return_to_ball(norm, images[chosen], candidate.images[chosen], eps)
        logits = classifier.classify(inside.to(classifier.device)).cpu()
        length = norm.distance(images[chosen], inside)
        holds = logits.isfinite().all(1) & (predict(logits) != labels[chosen])
        if eps is not None:
            holds &= length <= eps * (1 + BALL_TOLERANCE) + BALL_TOLERANCE
        held = chosen[holds]
        found[held] = True
        distance[held] = length[holds]
        points[held] = inside[holds]
        prediction[held] = predict(logits[holds])

    for _ in batches.run(len(rows), classify):
        pass
    return Verified(candidate.attack, candidate.kind, points, found, distance, candidate.tried, prediction)
