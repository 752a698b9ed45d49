"""From images to candidates: one script per sample through the queue, and each attack's nearest image put in its row."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from backend.attacks.classifier import Classifier
from backend.attacks.inputs import Task
from backend.attacks.scripts import Sample
from backend.attacks.slots import Script, run_scripts
from backend.attacks.verify import Candidate


def gather_samples(
    classifier: Classifier, task: Task, images: Tensor, labels: Tensor, classes: int
) -> Iterator[Sample]:
    """The samples (images (B, C, H, W) on the CPU), each moved to the network's device as it is asked for."""
    limit = float(task.norm.measure(torch.ones_like(images[:1]))[0]) if len(images) else 0.0
    for image, label in zip(images, labels.tolist(), strict=True):
        content = image.contiguous().numpy().tobytes()
        yield Sample(task.norm, image.to(classifier.device), label, classes, task.seed, content, limit)


def run_plan(
    classifier: Classifier,
    task: Task,
    images: Tensor,
    labels: Tensor,
    classes: int,
    plan: Callable[[Sample], Script],
) -> list[Candidate]:
    """Follow `plan` for every sample, classified as `labels`; one candidate per attack of the preset.

    An attack tried nothing on a sample where its script did not run it.
    """
    preset = task.preset
    points = {name: images.clone() for name in preset.attacks}
    claimed = {name: torch.zeros(len(images), dtype=torch.bool) for name in preset.attacks}
    tried = {name: torch.zeros(len(images), dtype=torch.bool) for name in preset.attacks}

    def follow(row: int, sample: Sample) -> Script:
        yield from plan(sample)
        for name, (point, distance) in sample.results.items():
            tried[name][row] = True
            if distance < torch.inf:
                points[name][row] = point.cpu()
                claimed[name][row] = True
        classifier.done += 1

    samples = gather_samples(classifier, task, images, labels, classes)
    run_scripts(classifier, task.norm, (follow(row, sample) for row, sample in enumerate(samples)))
    return [Candidate(name, preset.distance_kind, points[name], claimed[name], tried[name]) for name in preset.attacks]
