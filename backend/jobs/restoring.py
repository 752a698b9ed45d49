"""Computes an adversarial again that an imported evaluation came without: the recorded attack on that one sample.

Every sample is attacked for itself with randomness from the seed and its content, so the same attack finds the same
adversarial. It counts only where it lies at the margin that the evaluation says.
"""

from uuid import UUID

import torch

from backend.errors import AttackFailed
from backend.jobs.evaluate import AttackPlan, attack_samples
from backend.jobs.importing import DISTANCE_TOLERANCE, VerifiedCounts, set_verified
from backend.jobs.shards import write_shard
from backend.jobs.subjects import device_title, load_subject, take_samples
from backend.store import evaluations, results
from backend.store.database import reading, writing
from backend.store.jobs import lock_job
from backend.store.tables import Evaluation


def run(evaluation_id: UUID, index: int, device: str) -> None:
    """Attack one sample again and keep its adversarial; what comes out otherwise is said on the evaluation's log."""
    with reading() as session:
        evaluation = session.get(Evaluation, evaluation_id)
        found = results.find_result(session, evaluation_id, index)
    if evaluation is None or found is None or not results.lacks_adversarial(found[0]):
        return
    margin = found[0].margin
    assert margin is not None
    try:
        adversarial = attack_again(evaluation, index, margin, device)
    except AttackFailed as error:
        with writing() as session:
            evaluations.add_log(session, evaluation_id, error.message)
        return
    shard = write_shard(adversarial.numpy())
    with writing() as session:
        row = lock_job(session, Evaluation, evaluation_id)
        if row is None or not results.keep_adversarial(session, evaluation_id, found[0].sample_id, shard):
            return
        imported = row.record.imported
        if imported is not None:
            set_verified(row, VerifiedCounts(imported.predictions, imported.verified + 1))


def ignore_steps(_done: int, _total: int, _stage: str) -> None:
    """One sample takes about a second, so nobody is told how far it is."""


def attack_again(evaluation: Evaluation, index: int, margin: float, device: str) -> torch.Tensor:
    """The adversarial of the primary run, float32 (1, C, H, W); AttackFailed where it lies elsewhere."""
    record = evaluation.record
    subject = load_subject(evaluation.checkpoint_id, evaluation.dataset_id, device)
    plan = AttackPlan(
        evaluation.preset,
        evaluation.seed,
        ignore_steps,
        batch_size=record.batch_samples,
        early_flags=record.early_flags or (),
    )
    primary = attack_samples(evaluation, subject, take_samples(subject, [index]), plan).primary
    distance = float(primary.distance[0])
    if not bool(primary.found[0]) or abs(distance - margin) > DISTANCE_TOLERANCE * margin:
        raise AttackFailed(
            f"The adversarial of row {index} could not be computed again: the attack ended at {distance:.6g} on "
            f"{device_title(device)}, the evaluation says {margin:.6g}.",
            index=index,
        )
    return primary.adversarial
