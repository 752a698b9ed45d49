"""Every adversarial example is classified again by the network itself before it counts (see the protocol in Help).

One forward pass decides, and its verdict, prediction and distance are what is stored. It may run at another batch
width than the pass in which the attack met the example; attacks therefore propose only examples that are lost by
`losses.SLACK`, four times the noise between widths.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from backend.attacks.losses import predict
from backend.attacks.network.batches import Batches
from backend.attacks.network.classifier import Classifier
from backend.attacks.norms import Norm, clamp_to_box, expand

# A perturbation that did not hold is made longer by these shares of its length. Attacks end just behind the boundary;
# where they walked on a copy of the network (folded, in float64), rounding moves the boundary by less than that.
PUSHES = (1e-5, 1e-4)

# Pixels near 1 are float32 with steps of 6e-8, so a point projected onto the ball may be rounded out of it. It is then
# projected onto balls that are smaller by these lengths, until the measured distance is at most eps, without tolerance.
PULLS = (0.0, 6e-8, 1e-6, 1e-5)


@dataclass(frozen=True)
class Candidate:
    """What an attack proposes: `images` (B, C, H, W), `proposed` and `tried` bool (B,), all on the CPU.

    `images` count only where `proposed`; `tried` says whether the attack ran on the sample at all.
    `series`: 0 in the primary run, 1 in a fallback attack (see `contract.AttackAttempt`).
    """

    attack: str
    kind: str
    images: Tensor
    proposed: Tensor
    tried: Tensor
    series: int = 0


@dataclass(frozen=True)
class Verified:
    """A candidate after verification: `images` (B, C, H, W) in the box, `found` (B,), `distance` (B,), inf where not
    found.
    """

    attack: str
    kind: str
    images: Tensor
    found: Tensor
    distance: Tensor
    tried: Tensor
    prediction: Tensor
    series: int = 0


def return_to_ball(norm: Norm, images: Tensor, points: Tensor, eps: float | None) -> Tensor:
    """Points clamped to the box and, with an eps, put back into the ball around `images` where outside of it.

    The distance of what comes back, measured in float32, is at most eps as a float64 number (for eps above 1e-5).
    """
    points = clamp_to_box(points.float().nan_to_num(nan=0.0))
    if eps is None:
        return points
    for pull in PULLS:
        is_outside = norm.distance(images, points).double() > eps
        if not bool(is_outside.any()):
            break
        radius = images.new_full((len(images),), max(eps - pull, 0.0))
        projected = clamp_to_box(images + norm.project(points - images, radius))
        points = torch.where(expand(is_outside, points), projected, points)
    return points


def verify(
    classifier: Classifier,
    norm: Norm,
    images: Tensor,
    labels: Tensor,
    candidate: Candidate,
    batches: Batches,
    eps: float | None,
    *,
    is_randomised: bool = False,
) -> Verified:
    """Classify the proposed examples in float32 and measure their distances anew.

    A near miss of a minimum-norm attack is pushed over the boundary and tried again. Cost: one forward per proposed
    example, two more for one that does not hold.

    Args:
        images, labels: (B, C, H, W) and int64 (B,), on the CPU; found means that the prediction is not the label.
        eps: radius of the ball that the examples must lie in, or None where the attacks search beyond it.
        is_randomised: whether two passes over the same batch differed. Only then can the clean image be its own
            adversarial example, at distance 0; otherwise rounding at another batch width is all it could be.
    """
    found = torch.zeros(len(images), dtype=torch.bool)
    distance = torch.full((len(images),), torch.inf)
    points = images.clone()
    prediction = labels.clone()
    rows = candidate.proposed.nonzero()[:, 0]
    reached = candidate.images

    def classify(part: slice) -> None:
        chosen = rows[part]
        inside = return_to_ball(norm, images[chosen], reached[chosen], eps)
        logits = classifier.classify(inside.to(classifier.device)).cpu()
        length = norm.distance(images[chosen], inside)
        holds = logits.isfinite().all(1) & (predict(logits) != labels[chosen])
        if not is_randomised:
            holds &= length > 0
        if eps is not None:
            # Compared in float64: torch would round eps to float32, which may be the larger number.
            holds &= length.double() <= eps
        held = chosen[holds]
        found[held] = True
        distance[held] = length[holds]
        points[held] = inside[holds]
        prediction[held] = predict(logits[holds])

    def classify_all() -> None:
        for _ in batches.run(len(rows), classify):
            pass

    classify_all()
    # An example pushed out of its ball is no witness, and on a randomised network another try is another draw.
    for push in PUSHES if eps is None and not is_randomised else ():
        rows = rows[~found[rows]]
        reached = candidate.images + push * (candidate.images - images)
        classify_all()
    return Verified(
        candidate.attack, candidate.kind, points, found, distance, candidate.tried, prediction, candidate.series
    )
