"""From verified attempts to the result of a run: the worst case per sample, and what a record says of the run."""

import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor

from backend.attacks import flags as reliability
from backend.attacks.catalogue.attacks import ATTACKS
from backend.attacks.contract import AttackAttempt, AttackResult, PrimaryResult
from backend.attacks.inputs import Task
from backend.attacks.losses import measure_cross_entropy, measure_gap, predict
from backend.attacks.network.batches import Batches
from backend.attacks.network.classifier import Classifier
from backend.attacks.search.starts import classify_on
from backend.attacks.verify import Verified


@dataclass(frozen=True)
class Clean:
    """The network on the clean images, on the CPU: logits (B, K), and per sample (B,) what they say."""

    logits: Tensor
    prediction: Tensor
    is_correct: Tensor
    is_answered: Tensor


def nearest(verified: list[Verified]) -> tuple[Tensor, Tensor]:
    """Index of the attack with the nearest example per sample, and its distance; the first attack wins ties."""
    distances = torch.stack([outcome.distance for outcome in verified])
    best = distances.min(0)
    return (distances == best.values).int().argmax(0), best.values


def assemble(
    task: Task,
    classifier: Classifier,
    clean: Clean,
    codes: set[str],
    right: tuple[Tensor, list[Verified]],
    wrong: tuple[Tensor, list[Verified]],
    batches: Batches,
) -> AttackResult:
    """Put the verified examples of both groups where their samples are."""
    rows, verified = right
    count = len(task.images)
    plain = [outcome for outcome in verified if not outcome.series]
    primary = pick_worst_case(task, classifier, clean, rows, plain, batches)
    best = primary
    if len(plain) < len(verified):
        best = pick_worst_case(task, classifier, clean, rows, verified, batches)
    margin_pred = torch.full((count,), torch.inf)
    margin_pred[rows] = best.distance[rows]
    margin_pred[wrong[0]] = nearest(wrong[1])[1]
    return AttackResult(
        adversarial=best.adversarial,
        found=best.found,
        distance=best.distance,
        flags=reliability.order_flags(codes),
        kind=task.preset.distance_kind,
        attack=best.attack,
        prediction=clean.prediction,
        adversarial_prediction=best.adversarial_prediction,
        logit_gap=measure_gap(clean.logits, task.labels),
        max_probability=clean.logits.softmax(1).amax(1),
        loss=measure_cross_entropy(clean.logits, task.labels),
        margin_pred=margin_pred,
        margin_pred_found=margin_pred.isfinite(),
        survives_8bit=best.survives_8bit,
        attempts=tuple(spread(outcome, rows, count) for outcome in verified),
        primary=primary,
        forwards=classifier.forwards,
        backwards=classifier.backwards,
        steps=task.preset.parameters["steps"],
        settings=describe_settings(task, classifier, clean, batches),
    )


def pick_worst_case(
    task: Task, classifier: Classifier, clean: Clean, rows: Tensor, verified: list[Verified], batches: Batches
) -> PrimaryResult:
    """The nearest example of every sample; `verified` are the outcomes on the right samples, `rows`."""
    winner, distances = nearest(verified)
    adversarial = task.images.clone()
    adversarial_prediction = clean.prediction.clone()
    distance = torch.zeros(len(task.images))
    distance[rows] = distances
    names = ["clean"] * len(task.images)
    for place, row in enumerate(rows.tolist()):
        outcome = verified[int(winner[place])]
        names[row] = outcome.attack if bool(outcome.found[place]) else ""
        adversarial[row] = outcome.images[place]
        adversarial_prediction[row] = outcome.prediction[place]
    found = distance.isfinite()
    survives = round_and_classify(classifier, adversarial, task.labels, found, batches)
    return PrimaryResult(adversarial, found, distance, names, adversarial_prediction, survives)


def spread(outcome: Verified, rows: Tensor, count: int) -> AttackAttempt:
    """An attack's outcome on the samples it was given, as an attempt over all samples."""
    found, tried = torch.zeros(count, dtype=torch.bool), torch.zeros(count, dtype=torch.bool)
    distance = torch.full((count,), torch.inf)
    found[rows], tried[rows], distance[rows] = outcome.found, outcome.tried, outcome.distance
    return AttackAttempt(outcome.attack, found, distance, outcome.kind, tried, outcome.series)


def round_and_classify(
    classifier: Classifier, adversarial: Tensor, labels: Tensor, found: Tensor, batches: Batches
) -> Tensor:
    """Whether each found example is still wrong after rounding to 8 bits (bool (B,)); one forward pass each.

    Rounding moves a pixel by up to 1/510, so the rounded image may lie a little outside the distance found.
    """
    rows = found.nonzero()[:, 0]
    rounded = (adversarial[rows] * 255).round() / 255
    survives = torch.zeros_like(found)
    for part, logits in batches.run(len(rows), lambda part: classify_on(classifier, rounded[part])):
        wrong = (predict(logits) != labels[rows[part]]) | ~logits.isfinite().all(1)
        survives[rows[part]] = wrong
    return survives


def describe_settings(task: Task, classifier: Classifier, clean: Clean, batches: Batches) -> dict[str, Any]:
    """What a record needs to repeat the run (protocol 4.9), JSON-ready."""
    is_ended = task.preset.distance_kind == "witness" and not task.preset.is_official
    ends = {"ends": "at the first break within eps"} if is_ended else {}
    return {
        "preset": task.preset.name,
        "norm": task.norm.name,
        "eps": task.eps,
        "seed": task.seed,
        "attacks": {name: ATTACKS[name].parameters | ends for name in task.preset.attacks},
        "fallbacks": {name: ATTACKS[name].parameters for name in task.preset.fallbacks},
        "classes": clean.logits.shape[1],
        "batch_size": task.batch_size,
        "batch_size_used": batches.size,
        "widths": list(batches.widths),
        "prepared": None if task.prepared is None else task.prepared.describe(),
        "device": str(classifier.device),
        "dtype": "float32",
        "versions": {
            "torch": torch.__version__,
            "pyautoattack": version("pyautoattack"),
            "python": platform.python_version(),
        },
    }
