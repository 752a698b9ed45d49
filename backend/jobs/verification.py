"""Candidate adversarials, checked on a network before they count (protocol 4.2)."""

from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.attacks.contract import OnStep
from backend.attacks.network.classifier import Classifier, prepare
from backend.attacks.norms import get_norm
from backend.attacks.verify import return_to_ball
from backend.settings import get_settings

# Pixels are float32 with steps of up to 6e-8, so a point that its author projected onto the ball may be rounded out of
# it. What lies this near (relative) is put back and classified there; what lies farther was never inside.
BALL_TOLERANCE = 1e-4
CHECKED_AT_ONCE = 64


def checked_at_once() -> int:
    """Images in one pass of a check: the setting, else a width that small networks on a CPU like."""
    return get_settings().batch_samples or CHECKED_AT_ONCE


@dataclass(frozen=True)
class Checked:
    """What holds of B candidates: `images` float32 (B, C, H, W) as they were classified, `distance` float32 (B,), inf
    where nothing was found, `found` bool (B,), and per candidate the reason why not, empty where it holds."""

    images: Tensor
    distance: Tensor
    found: Tensor
    reasons: list[str]

    @property
    def is_tried(self) -> list[bool]:
        """Whether the network was asked: what is malformed says nothing about it."""
        return [reason in ("", "not-adversarial") for reason in self.reasons]

    def count_reasons(self) -> Counter[str]:
        return Counter(reason for reason in self.reasons if reason)


def check_adversarials(
    network: torch.nn.Module,
    norm_name: str,
    images: Tensor,
    labels: Tensor,
    adversarials: Tensor,
    is_right: Tensor,
    *,
    eps: float | None,
    batch_size: int,
    on_step: OnStep | None = None,
) -> Checked:
    """Classify candidate adversarials in float32 on the network itself; one forward pass for each that is well formed.

    Args:
        images, adversarials: float32 (B, C, H, W), the clean ones in [0, 1]; labels: int64 (B,).
        is_right: bool (B,), whether the network gets the clean image right: there is nothing to break in the others.
        eps: radius of the ball that they must lie in, or None.

    Returns:
        Reasons: "not-finite", "out-of-box" (a pixel outside [0, 1]), "already-wrong", "unmoved" (the clean image),
        "outside-ball", "not-adversarial" (the network still predicts the label).
    """
    norm = get_norm(norm_name)
    reasons = judge_form(adversarials, is_right)
    distance = norm.distance(images, adversarials.nan_to_num())
    for place, reason in enumerate(reasons):
        if not reason and float(distance[place]) == 0.0:
            reasons[place] = "unmoved"
        elif not reason and eps is not None and float(distance[place]) > eps * (1.0 + BALL_TOLERANCE):
            reasons[place] = "outside-ball"
    rows = torch.tensor([place for place, reason in enumerate(reasons) if not reason], dtype=torch.long)
    points, found = adversarials.clone(), torch.zeros(len(images), dtype=torch.bool)
    points[rows] = return_to_ball(norm, images[rows], adversarials[rows], eps)
    with prepare(network):
        classifier = Classifier(network, on_step)
        classifier.total, classifier.stage = len(rows), "verification"
        for start in range(0, len(rows), batch_size):
            part = rows[start : start + batch_size]
            classifier.done = start
            logits = classifier.classify(points[part].to(classifier.device)).cpu()
            found[part] = logits.isfinite().all(1) & (logits.argmax(1) != labels[part])
    for place in rows.tolist():
        reasons[place] = "" if found[place] else "not-adversarial"
    measured = norm.distance(images, points.nan_to_num())
    return Checked(points, torch.where(found, measured, torch.inf), found, reasons)


def judge_form(adversarials: Tensor, is_right: Tensor) -> list[str]:
    """The first reason against each candidate that shows without asking the network, else an empty text."""
    is_finite = adversarials.isfinite().flatten(1).all(1)
    is_inside = ((adversarials >= 0) & (adversarials <= 1)).flatten(1).all(1)
    reasons = []
    for finite, inside, right in zip(is_finite.tolist(), is_inside.tolist(), is_right.tolist(), strict=True):
        if not finite:
            reasons.append("not-finite")
        elif not inside:
            reasons.append("out-of-box")
        else:
            reasons.append("" if right else "already-wrong")
    return reasons
