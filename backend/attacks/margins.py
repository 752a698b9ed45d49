"""Preset `margin`: an untargeted walk, walks towards the nearest classes, from elsewhere, a search and a bisection."""

from collections.abc import Iterator

import torch
from torch import Tensor

from backend.attacks.batches import Batches
from backend.attacks.catalogue import SEARCH, Preset
from backend.attacks.classifier import Classifier
from backend.attacks.inputs import Task
from backend.attacks.scripts import (
    Sample,
    follow_pattern,
    minimise,
    polish,
    rank,
    restart,
    search,
    start_from_segment,
)
from backend.attacks.slots import Script, run_scripts
from backend.attacks.starts import Pool
from backend.attacks.verify import Candidate

RANKED_EXTRA = 1
LINF_TARGETS = 2  # the third target found least of all attacks there; patterns take its place


def seek_margin(sample: Sample, preset: Preset, pool: Pool) -> Script:
    """Every attack of the preset on one sample; what needs more classes than there are does not run."""
    is_linf = sample.norm.name == "Linf"
    targets = preset.parameters["targets"]
    order = yield from rank(sample, targets + RANKED_EXTRA)
    walks = [minimise(sample, "fmn-untargeted")]
    for number, target in enumerate(order[: LINF_TARGETS if is_linf else targets], start=1):
        walks.append(minimise(sample, f"fmn-target-{number}", target))
    yield walks
    if not is_linf or sample.nearest[1] == torch.inf:
        yield from start_from_segment(sample, "segment", pool)
    if is_linf:
        for name in preset.attacks:
            if name.startswith("fmn-pattern"):
                yield from follow_pattern(sample, name)
            elif name.startswith("fmn-restart"):
                yield from restart(sample, name)
        yield from search(sample, SEARCH)
    yield from polish(sample, preset.parameters["passes"])


def gather_samples(
    classifier: Classifier, task: Task, images: Tensor, labels: Tensor, classes: int
) -> Iterator[Sample]:
    """The samples (images (B, C, H, W) on the CPU), each moved to the network's device as it is asked for."""
    limit = float(task.norm.measure(torch.ones_like(images[:1]))[0]) if len(images) else 0.0
    for image, label in zip(images, labels.tolist(), strict=True):
        content = image.contiguous().numpy().tobytes()
        yield Sample(task.norm, image.to(classifier.device), label, classes, task.seed, content, limit)


def attack_margins(
    classifier: Classifier, task: Task, images: Tensor, labels: Tensor, *, pool: Pool, classes: int, batches: Batches
) -> list[Candidate]:
    """Run the preset on samples classified as `labels`; images and candidates (B, C, H, W) are on the CPU."""
    return run_plan(
        classifier, task, images, labels, classes, lambda sample: seek_margin(sample, task.preset, pool)
    )


def run_plan(classifier: Classifier, task: Task, images: Tensor, labels: Tensor, classes: int, plan) -> list[Candidate]:
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
