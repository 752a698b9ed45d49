"""Every adversarial example is classified again by the network itself before it counts (see the protocol in Help).

One forward pass decides, and its verdict, prediction and distance are what is stored. It may run at another batch
width than the pass in which the attack met the example; attacks therefore propose only examples that are lost by
`losses.SLACK`, four times the noise between widths.
"""

from dataclasses import dataclass
from functools import partial

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
PULLS = (0.0, 6e-8, 1e-6, 1e-5, 1e-4)  # in L1 the rounding of thousands of pixels adds up


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
    checked = _Checked(norm, images, labels, eps, is_randomised)
    rows = candidate.proposed.nonzero()[:, 0]
    # An example pushed out of its ball is no witness, and on a randomised network another try is another draw.
    for push in (0.0, *PUSHES) if eps is None and not is_randomised else (0.0,):
        rows = rows[~checked.found[rows]]
        reached = candidate.images + push * (candidate.images - images) if push else candidate.images
        for _ in batches.run(len(rows), partial(checked.classify, classifier, rows, reached)):
            pass
    return Verified(
        candidate.attack,
        candidate.kind,
        checked.points,
        checked.found,
        checked.distance,
        candidate.tried,
        checked.prediction,
        candidate.series,
    )


class _Checked:
    """What the network says of the examples tried so far, one for each image: `verify` in the making."""

    def __init__(self, norm: Norm, images: Tensor, labels: Tensor, eps: float | None, is_randomised: bool) -> None:
        self.norm, self.images, self.labels, self.eps = norm, images, labels, eps
        self.is_randomised = is_randomised
        self.found = torch.zeros(len(images), dtype=torch.bool)
        self.distance = torch.full((len(images),), torch.inf)
        self.points = images.clone()
        self.prediction = labels.clone()

    def classify(self, classifier: Classifier, rows: Tensor, reached: Tensor, part: slice) -> None:
        """One pass over some of the rows' examples; those that hold are kept."""
        chosen = rows[part]
        inside = return_to_ball(self.norm, self.images[chosen], reached[chosen], self.eps)
        logits = classifier.classify(inside.to(classifier.device)).cpu()
        length = self.norm.distance(self.images[chosen], inside)
        holds = logits.isfinite().all(1) & (predict(logits) != self.labels[chosen])
        if not self.is_randomised:
            holds &= length > 0
        if self.eps is not None:
            # Compared in float64: torch would round eps to float32, which may be the larger number.
            holds &= length.double() <= self.eps
        held = chosen[holds]
        self.found[held] = True
        self.distance[held] = length[holds]
        self.points[held] = inside[holds]
        self.prediction[held] = predict(logits[holds])
