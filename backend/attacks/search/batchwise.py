"""From batches to a candidate, for attacks that take a batch of images and give a batch of images back."""

from collections.abc import Callable

import torch
from torch import Tensor

from backend.attacks.losses import is_lost
from backend.attacks.runs import Run, SampleGroup
from backend.attacks.search.starts import classify_on
from backend.attacks.verify import Candidate, return_to_ball


def propose_by_batch(run: Run, group: SampleGroup, name: str, attack: Callable[[Tensor, Tensor], Tensor]) -> Candidate:
    """What `attack` makes of a group, batch by batch; proposed where another class wins clearly.

    The images that come back are put into the box and, for a verdict that stays within eps, into the ball. Cost:
    those of the attack and one forward pass each.

    Args:
        name: the attack's, in the catalogue.
        attack: images float32 (B, C, H, W) in [0, 1] and labels int64 (B,), both on the network's device, to images.
    """
    classifier, preset = run.classifier, run.task.preset
    eps = None if preset.goes_beyond_eps else run.task.eps
    points, proposed = group.images.clone(), torch.zeros(len(group.images), dtype=torch.bool)

    def perturb(part: slice) -> tuple[Tensor, Tensor]:
        images, labels = group.images[part], group.labels[part]
        reached = attack(images.to(classifier.device), labels.to(classifier.device)).detach().cpu()
        inside = return_to_ball(run.task.norm, images, reached, eps)
        return inside, is_lost(classify_on(classifier, inside), labels)

    for part, (inside, is_broken) in run.batches.run(len(points), perturb):
        points[part], proposed[part] = inside, is_broken
        classifier.done = min(classifier.done + len(inside), classifier.total)
    return Candidate(name, preset.distance_kind, points, proposed, torch.ones_like(proposed))
