"""From images to claims: one script per sample through the queue, and each attack's nearest image put in its row."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from backend.attacks.inputs import Task
from backend.attacks.network.classifier import Classifier
from backend.attacks.search.scheduler import Script, run_scripts
from backend.attacks.search.sequences import AttackedSample
from backend.attacks.verify import Candidate


def gather_samples(
    classifier: Classifier, task: Task, images: Tensor, labels: Tensor, classes: int
) -> Iterator[AttackedSample]:
    """The samples (images (B, C, H, W) on the CPU), each moved to the network's device as it is asked for."""
    limit = float(task.norm.measure(torch.ones_like(images[:1]))[0]) if len(images) else 0.0
    if classifier.device.type == "cuda":
        images = images.pin_memory()  # so that a copy need not wait for the passes before it on the one stream
    for image, label in zip(images, labels.tolist(), strict=True):
        content = image.contiguous().numpy().tobytes()
        yield AttackedSample(
            task.norm, image.to(classifier.device, non_blocking=True), label, classes, task.seed, content, limit
        )


def follow_plan(
    classifier: Classifier,
    task: Task,
    images: Tensor,
    labels: Tensor,
    classes: int,
    plan: Callable[[int, AttackedSample], Script],
) -> list[AttackedSample]:
    """Follow `plan(row, sample)` for every sample, classified as `labels`; gives them with their results on the CPU."""
    samples: list[AttackedSample] = []

    def follow(row: int, sample: AttackedSample) -> Script:
        yield from plan(row, sample)
        sample.results = {name: (point.cpu(), distance) for name, (point, distance) in sample.results.items()}
        classifier.done = min(
            classifier.done + 1, classifier.total
        )  # fallback attacks follow samples that were done before

    def begin() -> Iterator[Script]:
        for row, sample in enumerate(gather_samples(classifier, task, images, labels, classes)):
            samples.append(sample)
            yield follow(row, sample)

    run_scripts(classifier, task.norm, begin())
    return samples


def claim_each(task: Task, images: Tensor, samples: list[AttackedSample]) -> list[Candidate]:
    """One candidate per attack of the preset; it tried nothing on a sample whose script did not run it."""
    claims = []
    for name in task.preset.attacks:
        points = images.clone()
        tried = torch.tensor([name in sample.results for sample in samples], dtype=torch.bool)
        claimed = torch.zeros_like(tried)
        for row in tried.nonzero()[:, 0].tolist():
            point, distance = samples[row].results[name]
            if distance < torch.inf:
                points[row], claimed[row] = point, True
        claims.append(Candidate(name, task.preset.distance_kind, points, claimed, tried))
    return claims


def claim_nearest(name: str, task: Task, images: Tensor, samples: list[AttackedSample], rows: Tensor) -> Candidate:
    """One candidate of stage 1: the nearest of everything that was tried on the samples `rows` of the images."""
    points, tried = images.clone(), torch.zeros(len(images), dtype=torch.bool)
    claimed = torch.zeros_like(tried)
    for row, sample in zip(rows.tolist(), samples, strict=True):
        point, distance = sample.nearest
        tried[row] = True
        if distance < torch.inf:
            points[row], claimed[row] = point.cpu(), True
    return Candidate(name, task.preset.distance_kind, points, claimed, tried, series=1)
