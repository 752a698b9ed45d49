"""Presets `autoattack` and `autoattack-plus`: the official code (pyautoattack), attack by attack.

Each attack of the official recipe runs on the samples that the ones before it left standing, with the official
components, parameters and seed. They are called one by one, so that every broken sample is credited to the attack
that broke it; the checks that the official loop logs are flags here (`autoattack_checks`).
Differs from the official loop: examples are put into the box and the ball, classified and measured by us; a sample
leaves the recipe only when its label is lost by more than the noise between batch widths, so that a near miss is
proposed and yet meets the remaining attacks; targets are limited to the classes that exist; attacks that the number of
classes or the image size rules out are left out, and their attempts say that they tried nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from backend.attacks.catalogue import Preset
from backend.attacks.inputs import Task
from backend.attacks.losses import is_lost, predict
from backend.attacks.network.classifier import Classifier
from backend.attacks.norms import Norm
from backend.attacks.presets.autoattack_checks import Alarm, inspect_network
from backend.attacks.runs import Run, SampleGroup
from backend.attacks.verify import Candidate, return_to_ball

SMALLEST_CLASSES = {"apgd-dlr-5": 3, "apgd-t": 4}  # their losses look at the third and the fourth largest logit
SMALLEST_SQUARE_SIDE = 5

# Which of the official objects an attack of the catalogue is, and what the official loop sets on it before it runs.
COMPONENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "apgd-ce": ("apgd", {"loss": "ce"}),
    "apgd-ce-5": ("apgd", {"loss": "ce"}),
    "apgd-dlr-5": ("apgd", {"loss": "dlr"}),
    "fab-5": ("fab", {"targeted": False}),
    "square": ("square", {}),
    "apgd-t": ("apgd_targeted", {}),
    "fab-t": ("fab", {"targeted": True, "n_restarts": 1}),
}


def list_attacks(preset: Preset, norm: Norm, classes: int, shape: torch.Size) -> tuple[str, ...]:
    """Attacks of the preset that this many classes and this image shape (C, H, W) allow."""
    left_out = {name for name, smallest in SMALLEST_CLASSES.items() if classes < smallest}
    if norm.name in ("L1", "L2") and min(shape[1:]) < SMALLEST_SQUARE_SIDE:
        # Its first pattern tiles the image with fifths of its height.
        left_out.add("square")
    return tuple(name for name in preset.attacks if name not in left_out)


def build_official(classifier: Classifier, task: Task) -> Any:
    """The official AutoAttack object, as the preset's version sets it up."""
    # Imported where it is used: the margins need none of it.
    from pyautoattack import AutoAttack

    return AutoAttack(
        classifier,
        norm=task.norm.name,
        eps=task.eps,
        seed=task.seed,
        device=classifier.device,
        version=task.preset.parameters["version"],
    )


def build_components(official: Any, attacks: tuple[str, ...], classes: int, alarm: Alarm) -> dict[str, Any]:
    """The official attack objects by name; `alarm` hears the check that they make themselves.

    They are told apart as the official loop does it, on copies: there, one object serves several attacks in turn.
    """
    components = {}
    for name in attacks:
        attribute, changes = COMPONENTS[name]
        component = copy(getattr(official, attribute))
        vars(component).update(changes, logger=alarm)
        if hasattr(component, "n_target_classes"):
            component.n_target_classes = min(component.n_target_classes, classes - 1)
        components[name] = component
    return components


@contextmanager
def keep_random_state(device: torch.device) -> Iterator[None]:
    """The official code seeds torch's global generators; afterwards they are as they were."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        yield


def attack_officially(run: Run, group: SampleGroup) -> list[Candidate]:
    """Run the recipe on a group of samples (on the CPU); candidates lie within eps when verified.

    The official code draws its starting points and squares by position in the batch, so that, other than with our own
    attacks, another batch size is another draw. On the samples that are right the official checks may raise flags.
    """
    classifier, preset, images, labels, alarm = run.classifier, run.task.preset, group.images, group.labels, Alarm()
    usable = list_attacks(preset, run.task.norm, run.classes, images.shape[1:])
    stands = torch.ones(len(images), dtype=torch.bool)
    done_before = classifier.done
    candidates = []
    with keep_random_state(classifier.device):
        official = build_official(classifier, run.task)
        if group.is_right:
            run.flags.update(inspect_network(classifier, images, labels, run.batches, official))
        components = build_components(official, preset.attacks, run.classes, alarm)
        for name in preset.attacks:
            tried = stands.clone() if name in usable else torch.zeros_like(stands)
            points, proposed = images.clone(), torch.zeros_like(stands)
            rows = tried.nonzero()[:, 0]
            classifier.stage = name

            def attack(part: slice, component: Any = components[name], rows: Tensor = rows) -> Perturbed:
                return perturb(classifier, run.task, component, images[rows[part]], labels[rows[part]])

            for part, reached in run.batches.run(len(rows), attack):
                points[rows[part]] = reached.images
                proposed[rows[part]] = reached.is_broken
                stands[rows[part]] = ~reached.is_lost
                classifier.done += int(reached.is_lost.sum())
            candidates.append(Candidate(name, preset.distance_kind, points, proposed, tried))
    classifier.done = done_before + len(images)
    if group.is_right and alarm.is_raised:
        run.flags.add("zero-gradients")  # the one check that the attacks themselves make
    return candidates


@dataclass(frozen=True)
class Perturbed:
    """What an official attack made of a batch, on the CPU: images (B, C, H, W) in box and ball, verdicts bool (B,).

    `is_broken`: another class wins; `is_lost`: it wins at any batch width.
    """

    images: Tensor
    is_broken: Tensor
    is_lost: Tensor


def perturb(classifier: Classifier, task: Task, component: Any, images: Tensor, labels: Tensor) -> Perturbed:
    """One official attack on one batch of images (B, C, H, W) on the CPU; one forward pass judges what it made."""
    with torch.no_grad():
        points = component.perturb(images.to(classifier.device), labels.to(classifier.device)).detach().cpu()
        points = return_to_ball(task.norm, images, points, task.eps)
        logits = classifier.classify(points.to(classifier.device)).cpu()
    is_broken = logits.isfinite().all(1) & (predict(logits) != labels)
    return Perturbed(points, is_broken, is_lost(logits, labels))
