"""From samples to candidates: one script per sample through the queue, and each attack's nearest image in its row."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from backend.attacks.inputs import Task
from backend.attacks.network.classifier import Classifier
from backend.attacks.norms import Norm
from backend.attacks.runs import Run, SampleGroup
from backend.attacks.search.scheduler import Script, run_scripts
from backend.attacks.search.sequences import AttackedSample
from backend.attacks.verify import Candidate

Plan = Callable[[int, AttackedSample], Script]
"""The attacks on one sample, in order, given its place in the group."""


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


def follow_plan(run: Run, group: SampleGroup, plan: Plan) -> list[AttackedSample]:
    """Follow `plan(place, sample)` for every sample of the group; gives the samples with their results on the CPU."""
    classifier = run.classifier
    samples: list[AttackedSample] = []

    def follow(place: int, sample: AttackedSample) -> Script:
        yield from plan(place, sample)
        sample.results = {name: (point.cpu(), distance) for name, (point, distance) in sample.results.items()}
        # Fallback attacks follow samples that were counted before.
        classifier.done = min(classifier.done + 1, classifier.total)

    def begin() -> Iterator[Script]:
        gathered = gather_samples(classifier, run.task, group.images, group.labels, run.classes)
        for place, sample in enumerate(gathered):
            samples.append(sample)
            yield follow(place, sample)

    run_scripts(classifier, run.task.norm, begin())
    return samples


def propose_each(run: Run, group: SampleGroup, samples: Sequence[AttackedSample]) -> list[Candidate]:
    """One candidate per attack of the preset; it tried nothing on a sample whose script did not run it."""
    preset, candidates = run.task.preset, []
    for name in preset.attacks:
        points = group.images.clone()
        tried = torch.tensor([name in sample.results for sample in samples], dtype=torch.bool)
        proposed = torch.zeros_like(tried)
        for place in tried.nonzero()[:, 0].tolist():
            point, distance = samples[place].results[name]
            if distance < torch.inf:
                points[place], proposed[place] = point, True
        candidates.append(Candidate(name, preset.distance_kind, points, proposed, tried))
    return candidates


def propose_nearest(name: str, kind: str, images: Tensor, samples: Sequence[AttackedSample], rows: Tensor) -> Candidate:
    """One candidate of series 1: the nearest of everything that was tried on the samples `rows` of the images."""
    points, tried = images.clone(), torch.zeros(len(images), dtype=torch.bool)
    proposed = torch.zeros_like(tried)
    tried[rows] = True
    for row, sample in zip(rows.tolist(), samples, strict=True):
        point, distance = sample.nearest
        if distance < torch.inf:
            points[row], proposed[row] = point.cpu(), True
    return Candidate(name, kind, points, proposed, tried, series=1)


def keep_nearest(
    name: str, kind: str, images: Tensor, candidates: Sequence[Candidate], norm: Norm, rows: Tensor
) -> Candidate:
    """One candidate of series 1: the nearest that several candidates for the samples `rows` of the images propose."""
    distances = torch.stack(
        [norm.distance(images[rows], one.images).masked_fill(~one.proposed, torch.inf) for one in candidates]
    )
    nearest = distances.min(0)
    points, tried = images.clone(), torch.zeros(len(images), dtype=torch.bool)
    proposed = torch.zeros_like(tried)
    tried[rows], proposed[rows] = True, nearest.values.isfinite()
    reached = torch.stack([one.images for one in candidates])
    points[rows] = reached[nearest.indices, torch.arange(len(rows))]
    return Candidate(name, kind, points, proposed, tried, series=1)
