"""The parent's adversarials: what an evaluation of a child has at hand once a flag is raised for the child's gradients.

Which evaluation they come from is decided once, when the child's evaluation starts, and stands in its record, so that
a resumed one tries the same ones whatever the parent got meanwhile. They are a fallback attack, additional to the
primary run.
"""

import torch
from sqlalchemy.orm import Session

from backend.attacks.catalogue import PRESETS
from backend.jobs.shards import read_shard_row
from backend.schemas.records import RunRecord, TransferSource
from backend.store import checkpoints, evaluations, results
from backend.store.database import reading
from backend.store.evaluations import TRANSFER
from backend.store.tables import Evaluation


def decide_source(session: Session, evaluation: Evaluation) -> RunRecord:
    """What to add to the record of an evaluation that starts: `transfer`, the source or None; nothing where decided.

    The source is the parent's succeeded evaluation on the same data set and in the same norm that has adversarials of
    most of the samples; of equals the newest. Chunks that were stored without one are not followed by others with one.
    """
    if evaluation.record.knows(TRANSFER):
        return RunRecord()
    if TRANSFER not in PRESETS[evaluation.preset].fallbacks or evaluation.done:
        return RunRecord(transfer=None)
    checkpoint = checkpoints.find_checkpoint(session, evaluation.checkpoint_id)
    if checkpoint is None or checkpoint.parent_id is None:
        return RunRecord(transfer=None)
    wanted = set(evaluation.indices)
    best: tuple[int, Evaluation] | None = None
    for row in evaluations.succeeded_evaluations(session, [checkpoint.parent_id]):
        if (row.dataset_id, row.norm) != (evaluation.dataset_id, evaluation.norm):
            continue
        known = len(wanted & results.adversarial_indices(session, row.id))
        if known and (best is None or known > best[0]):
            best = known, row
    return RunRecord(transfer=None if best is None else describe(*best))


def describe(samples: int, source: Evaluation) -> TransferSource:
    """The source as a record names it: whom a bound found by `transfer` is owed to."""
    return TransferSource(evaluation_id=source.id, checkpoint=source.record.checkpoint, samples=samples)


def take_adversarials(evaluation: Evaluation, numbers: list[int], images: torch.Tensor) -> torch.Tensor | None:
    """The source's adversarials of some samples, float32 (B, C, H, W), the clean image where it has none.

    Args:
        numbers: the store's numbers of the samples. images: the clean ones, float32 (B, C, H, W).

    Returns:
        None where the evaluation has no source.
    """
    source = evaluation.record.transfer
    if source is None:
        return None
    with reading() as session:
        places = results.shards_of(session, source.evaluation_id, numbers)
    taken = images.clone()
    for row, number in enumerate(numbers):
        if number in places:
            taken[row] = torch.from_numpy(read_shard_row(*places[number]))
    return taken


def count_outcomes(session: Session, evaluation: Evaluation) -> RunRecord:
    """What to add to the record at the end: on how many samples they were tried, and how many they broke."""
    source = evaluation.record.transfer
    if source is None:
        return RunRecord()
    found, tried = results.count_attempts(session, evaluation.id, TRANSFER)
    return RunRecord(transfer=source.model_copy(update={"tried": tried, "found": found}))
