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
from backend.attacks.losses import measure_cross_entropy, measure_gap, predict
from backend.attacks.runs import Run, SampleGroup
from backend.attacks.search.starts import classify_on
from backend.attacks.verify import Verified


def nearest(verified: list[Verified]) -> tuple[Tensor, Tensor]:
    """Index of the attack with the nearest example per sample, and its distance; the first attack wins ties."""
    distances = torch.stack([outcome.distance for outcome in verified])
    best = distances.min(0)
    return (distances == best.values).int().argmax(0), best.values


def assemble(
    run: Run, right: SampleGroup, verified: list[Verified], wrong: SampleGroup, verified_wrong: list[Verified]
) -> AttackResult:
    """Put the verified examples of both groups where their samples are."""
    task, clean = run.task, run.clean
    count = len(task.images)
    plain = [outcome for outcome in verified if not outcome.series]
    primary = pick_worst_case(run, right.rows, plain)
    best = primary
    if len(plain) < len(verified):
        best = pick_worst_case(run, right.rows, verified)
    margin_pred = torch.full((count,), torch.inf)
    margin_pred[right.rows] = best.distance[right.rows]
    margin_pred[wrong.rows] = nearest(verified_wrong)[1]
    return AttackResult(
        adversarial=best.adversarial,
        found=best.found,
        distance=best.distance,
        flags=reliability.order_flags(run.flags),
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
        attempts=tuple(spread(outcome, right.rows, count) for outcome in verified),
        primary=primary,
        forwards=run.classifier.forwards,
        backwards=run.classifier.backwards,
        steps=task.preset.parameters.get("steps", 0),
        settings=describe_settings(run),
    )


@dataclass(frozen=True)
class WorstCase:
    """The nearest example of every sample: `adversarial` (B, C, H, W), `distance` and `prediction` (B,), who set it."""

    adversarial: Tensor
    distance: Tensor
    prediction: Tensor
    attack: list[str]


def place_nearest(run: Run, rows: Tensor, verified: list[Verified]) -> WorstCase:
    """The nearest examples in the places of their samples; `verified` are outcomes on the right samples, `rows`."""
    task = run.task
    winner, distances = nearest(verified)
    adversarial = task.images.clone()
    prediction = run.clean.prediction.clone()
    distance = torch.zeros(len(task.images))
    distance[rows] = distances
    names = ["clean"] * len(task.images)
    for place, row in enumerate(rows.tolist()):
        outcome = verified[int(winner[place])]
        names[row] = outcome.attack if bool(outcome.found[place]) else ""
        adversarial[row] = outcome.images[place]
        prediction[row] = outcome.prediction[place]
    return WorstCase(adversarial, distance, prediction, names)


def pick_worst_case(run: Run, rows: Tensor, verified: list[Verified]) -> PrimaryResult:
    """`place_nearest`, and what survives rounding; one forward pass for each example that was found."""
    best = place_nearest(run, rows, verified)
    found = best.distance.isfinite()
    survives = round_and_classify(run, best.adversarial, found)
    return PrimaryResult(best.adversarial, found, best.distance, best.attack, best.prediction, survives)


def spread(outcome: Verified, rows: Tensor, count: int) -> AttackAttempt:
    """An attack's outcome on the samples it was given, as an attempt over all samples."""
    found, tried = torch.zeros(count, dtype=torch.bool), torch.zeros(count, dtype=torch.bool)
    distance = torch.full((count,), torch.inf)
    found[rows], tried[rows], distance[rows] = outcome.found, outcome.tried, outcome.distance
    return AttackAttempt(outcome.attack, found, distance, outcome.kind, tried, outcome.series)


def round_and_classify(run: Run, adversarial: Tensor, found: Tensor) -> Tensor:
    """Whether each found example is still wrong after rounding to 8 bits (bool (B,)); one forward pass each.

    Rounding moves a pixel by up to 1/510, so the rounded image may lie a little outside the distance found.
    """
    labels, rows = run.task.labels, found.nonzero()[:, 0]
    rounded = (adversarial[rows] * 255).round() / 255
    survives = torch.zeros_like(found)
    for part, logits in run.batches.run(len(rows), lambda part: classify_on(run.classifier, rounded[part])):
        wrong = (predict(logits) != labels[rows[part]]) | ~logits.isfinite().all(1)
        survives[rows[part]] = wrong
    return survives


def describe_settings(run: Run) -> dict[str, Any]:
    """What a record needs to repeat the run (see the protocol in Help), JSON-ready."""
    task, preset, batches = run.task, run.task.preset, run.batches
    ends = {"ends": "at the first break within eps"} if preset.goes_beyond_eps else {}
    return {
        "preset": preset.name,
        "norm": task.norm.name,
        "eps": task.eps,
        "seed": task.seed,
        "attacks": {name: ATTACKS[name].parameters | ends for name in preset.attacks},
        "fallbacks": {name: ATTACKS[name].parameters for name in preset.fallbacks},
        "classes": run.classes,
        "batch_size": task.batch_size,
        "batch_size_used": batches.size,
        "widths": list(batches.widths),
        "prepared": None if task.prepared is None else task.prepared.describe(),
        "device": str(run.classifier.device),
        "dtype": "float32",
        "versions": {
            "torch": torch.__version__,
            "pyautoattack": version("pyautoattack"),
            "python": platform.python_version(),
        },
    }
