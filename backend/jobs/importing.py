"""Verifies the rows of an imported evaluation on the network itself, chunk by chunk, before they count.

Every clean prediction and score is computed again, and every adversarial in the bundle is classified and measured
again. What the network contradicts ends the import: a number that was measured on another network must not be shown.
"""

import logging
import traceback
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

import numpy as np
import torch
from torch import Tensor

from backend.attacks.contract import OnStep
from backend.attacks.losses import measure_gap
from backend.attacks.network.classifier import Classifier, prepare
from backend.errors import AttackFailed
from backend.jobs import lifecycle
from backend.jobs.bundled import BundledPart, open_rows, stored_columns, take_part
from backend.jobs.kinds import EVALUATION
from backend.jobs.subjects import Subject, load_subject, take_images
from backend.jobs.verification import check_adversarials, checked_at_once
from backend.store import evaluations
from backend.store.database import reading, writing
from backend.store.jobs import lock_job
from backend.store.tables import Evaluation

logger = logging.getLogger("thinice.jobs")

SCORE_TOLERANCE = 1e-3
"""Relative to the largest logit of the chunk: another device adds in another order, so a smaller gap has no sign."""
DISTANCE_TOLERANCE = 1e-4
STEP_BEYOND = 1e-3
"""Adversarials lie on the boundary as the machine of the run computed it. Where this one still answers the label, a
point that lies farther along the same line by this share counts as the same adversarial."""


@dataclass(frozen=True)
class VerifiedCounts:
    """How many predictions and adversarials of a chunk hold here."""

    predictions: int
    adversarials: int


def run_chunk(evaluation: Evaluation, number: int, device: str, on_step: OnStep) -> None:
    """Verify one chunk and store its rows.

    Raises:
        AttackFailed: the network contradicts the bundle; says in how many samples.
        Stopped: the evaluation was cancelled meanwhile, or resumed as a newer run.
    """
    imported = evaluation.record.imported
    assert imported is not None
    entry, rows = open_rows(imported.bundle, imported.folder)
    part = take_part(entry, rows, number)
    subject = load_subject(evaluation.checkpoint_id, evaluation.dataset_id, device)
    verified = verify_part(subject, evaluation.norm, part, on_step)
    indices = part.results["index"]
    numbers = dict(zip(indices, subject.sample_numbers[indices].tolist(), strict=True))
    (chunk,), attempts, results = stored_columns(evaluation.id, part, numbers)
    with writing() as session:
        outcome = evaluations.store_chunk(session, chunk, attempts, results, of_run=evaluation.run_number)
        if outcome == "stored":
            add_verified(session.get_one(Evaluation, evaluation.id), verified)
    if outcome == "stopped":
        raise lifecycle.stopped(EVALUATION, evaluation.id, evaluation.run_number)


def add_verified(evaluation: Evaluation, verified: VerifiedCounts) -> None:
    """Count in the record what a chunk verified."""
    imported = evaluation.record.imported
    assert imported is not None
    set_verified(
        evaluation,
        VerifiedCounts(imported.predictions + verified.predictions, imported.verified + verified.adversarials),
    )


def set_verified(evaluation: Evaluation, verified: VerifiedCounts) -> None:
    imported = evaluation.record.imported
    assert imported is not None
    counted = imported.model_copy(update={"predictions": verified.predictions, "verified": verified.adversarials})
    evaluation.record = evaluation.record.model_copy(update={"imported": counted})


def verify_stored(evaluation_id: UUID, device: str) -> None:
    """Verify an evaluation whose rows are shown already; where the network contradicts them, it fails and says so."""
    with reading() as session:
        evaluation = session.get(Evaluation, evaluation_id)
    if evaluation is None or evaluation.state != "succeeded" or evaluation.record.imported is None:
        return
    imported = evaluation.record.imported
    try:
        entry, rows = open_rows(imported.bundle, imported.folder)
        subject = load_subject(evaluation.checkpoint_id, evaluation.dataset_id, device)
        parts = [verify_part(subject, evaluation.norm, take_part(entry, rows, chunk.number)) for chunk in entry.chunks]
    except Exception as error:  # whatever a network or a file raises ends this evaluation, never the worker
        logger.error("the results of evaluation %s do not hold\n%s", evaluation_id, traceback.format_exc())
        lifecycle.fail(EVALUATION, evaluation_id, evaluation.run_number, error, states=("succeeded",))
        return
    verified = VerifiedCounts(sum(part.predictions for part in parts), sum(part.adversarials for part in parts))
    with writing() as session:
        row = lock_job(session, Evaluation, evaluation_id)
        if row is not None and row.state == "succeeded":
            set_verified(row, verified)
            evaluations.add_log(
                session,
                evaluation_id,
                f"verified: {verified.predictions} of {row.n} predictions and {verified.adversarials} of "
                f"{imported.adversarials} adversarials in the bundle hold on this machine",
            )


def verify_part(subject: Subject, norm: str, part: BundledPart, on_step: OnStep | None = None) -> VerifiedCounts:
    """Compute a chunk's predictions, scores and adversarials again.

    Raises:
        AttackFailed: something does not hold.
    """
    images, labels = take_images(subject.samples, np.asarray(part.results["index"], dtype=np.int64))
    _verify_scores(subject.network, images, labels, part, on_step)
    found = zip(range(len(images)), part.results["adversarial"], part.results["margin"], strict=True)
    tried = zip(*(part.attempts[name] for name in ("position", "adversarial", "distance")), strict=True)
    kept = [row for row in chain(found, tried) if row[1] is not None]
    if kept:
        places, adversarials, distances = (list(column) for column in zip(*kept, strict=True))
        points = torch.from_numpy(part.adversarials[adversarials])
        _verify_adversarials(subject.network, norm, images[places], labels[places], points, distances, on_step)
    return VerifiedCounts(len(images), len(kept))


def _verify_scores(
    network: torch.nn.Module, images: Tensor, labels: Tensor, part: BundledPart, on_step: OnStep | None
) -> None:
    with prepare(network):
        classifier = Classifier(network, on_step)
        classifier.total, classifier.stage = len(images), "verification"
        parts = images.split(checked_at_once())
        logits = torch.cat([classifier.classify(one.to(classifier.device)).cpu() for one in parts])
    gap = measure_gap(logits, labels)
    loss = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    largest = logits.softmax(1).amax(1)
    predicted = torch.tensor(part.results["prediction"])
    scale = logits.abs().max()
    differs = (logits.argmax(1) != predicted) & (gap.abs() > SCORE_TOLERANCE * scale)
    for name, value, unit in (("logit_gap", gap, scale), ("loss", loss, scale), ("max_probability", largest, 1.0)):
        stored = torch.tensor(part.results[name], dtype=torch.float64)
        differs |= ~((value.double() - stored).abs() <= SCORE_TOLERANCE * unit)
    if count := int(differs.sum()):
        raise AttackFailed(
            f"The network gives other outputs than the bundle says for {count:,} of {len(images):,} clean samples, so "
            "these rows were measured on another network or on other images. Nothing of this chunk was kept.",
            samples=[part.results["index"][place] for place in differs.nonzero().flatten().tolist()][:100],
        )


def _verify_adversarials(
    network: torch.nn.Module,
    norm: str,
    images: Tensor,
    labels: Tensor,
    points: Tensor,
    distances: list[float],
    on_step: OnStep | None,
) -> None:
    width = checked_at_once()
    is_right = torch.ones(len(images), dtype=torch.bool)  # that of wrong samples has the distance 0 and is none
    checked = check_adversarials(
        network, norm, images, labels, points, is_right, eps=None, batch_size=width, on_step=on_step
    )
    beyond = (images + (points - images) * (1 + STEP_BEYOND)).clamp(0, 1)
    farther = check_adversarials(network, norm, images, labels, beyond, is_right, eps=None, batch_size=width)
    stored = torch.tensor(distances, dtype=torch.float64)
    measured = torch.where(checked.found, checked.distance, farther.distance).double()
    allowed = torch.where(checked.found, DISTANCE_TOLERANCE, STEP_BEYOND + DISTANCE_TOLERANCE) * stored
    holds = (measured - stored).abs() <= allowed
    if count := int((~holds).sum()):
        raise AttackFailed(
            f"{count:,} of {len(images):,} adversarials of the bundle do not fool this network at the distance that "
            "the bundle says. Nothing of this chunk was kept.",
            adversarials=count,
        )
