"""Preset `toy-pgd`: projected gradient descent at a fixed eps (Madry et al. 2018, arXiv 1706.06083), no restarts."""

import torch
from torch import Tensor

from backend.attacks.norms import clamp_to_box
from backend.attacks.runs import Run, SampleGroup
from backend.attacks.search.batchwise import propose_by_batch
from backend.attacks.search.gradient_steps import differentiate_gap
from backend.attacks.verify import Candidate
from tests.attacks.toy_preset.rows import STEPS


def attack_toy(run: Run, group: SampleGroup) -> list[Candidate]:
    """Lower the logit gap inside eps, from the clean image, with steps of 2.5 eps over their number."""
    norm, eps = run.task.norm, run.task.eps
    assert eps is not None  # a verdict has one

    def descend(images: Tensor, labels: Tensor) -> Tensor:
        points, radius = images, torch.full((len(images),), eps, device=images.device)
        for _ in range(STEPS):
            _, _, gradient = differentiate_gap(run.classifier, points, labels)
            step = 2.5 * eps / STEPS * norm.direct(gradient)
            points = clamp_to_box(images + norm.project(points - images - step, radius))
        return points

    return [propose_by_batch(run, group, "toy-pgd", descend)]
