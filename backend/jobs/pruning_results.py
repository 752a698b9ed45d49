"""What a pruning leaves: a checkpoint in the registry, taken in as an upload is, and the folder of its training."""

import json
import logging
import shutil
from pathlib import Path
from uuid import UUID

from backend.jobs import lifecycle
from backend.jobs.kinds import PRUNING
from backend.jobs.registration.checkpoints import (
    insert_checkpoint,
    inspect_columns,
    queue_first_evaluation,
    queue_preflight,
    read_columns,
)
from backend.registry.child import take_checkpoint
from backend.schemas.records import PruningRecord
from backend.settings import get_settings
from backend.store import checkpoints
from backend.store.database import reading, writing
from backend.store.tables import Checkpoint, Dataset, Pruning, new_id
from models.pruning.plans import CONTROL

LOG = logging.getLogger(__name__)

CLAIMED = ("robust_accuracy", "attack", "norm", "n", "source")


def training_folder(pruning_id: UUID) -> Path:
    """Where the training of a pruning keeps its state."""
    return get_settings().home / "training" / str(pruning_id)


def forget_training(pruning_id: UUID) -> None:
    """Delete the state of a training, if there is one."""
    shutil.rmtree(training_folder(pruning_id), ignore_errors=True)


def forget_deleted(pruning_id: UUID) -> None:
    """Delete what the training of a pruning wrote that was deleted meanwhile."""
    with reading() as session:
        is_gone = session.get(Pruning, pruning_id) is None
    if is_gone:
        forget_training(pruning_id)


def register(pruning: Pruning, parent: Checkpoint, dataset: Dataset, weights: Path, made: PruningRecord) -> None:
    """Import the weights of a finished run and mark it as succeeded, in one transaction.

    Args:
        pruning: the row, as the worker took it on.
        parent: its parent.
        dataset: the parent's data set, which the claim is about.
        weights: state dict as safetensors, normalisation included.
        made: what the run found, for the record; `declared_sparsity` and the claim go to the checkpoint too.

    Raises:
        Stopped: this run of it is no longer wanted, or another worker took over; nothing is written then.
        RejectedCheckpoint: the weights are not finite, or another network's.
        Conflict: the name was taken meanwhile; the pruning can be resumed once it is free.
    """
    row = _draft(pruning, parent, dataset, weights, made)
    inspected = PruningRecord(measured_sparsity=row.measured_sparsity, sha256=row.source_sha256)
    record = pruning.record.merge(made).merge(inspected)
    with writing() as session:
        kept = lifecycle.find_wanted(session, PRUNING, pruning.id, pruning.run_number)
        if kept.worker_id != pruning.worker_id:
            raise lifecycle.stopped(PRUNING, pruning.id, pruning.run_number)
        insert_checkpoint(session, row, dataset, made_by=pruning.id)
        kept.record, kept.done, kept.checkpoint_id = record, pruning.total, row.id
        lifecycle.end(kept, "succeeded")
    queue_preflight(row)


def _draft(pruning: Pruning, parent: Checkpoint, dataset: Dataset, weights: Path, made: PruningRecord) -> Checkpoint:
    """The checkpoint's row, its weights kept and looked at."""
    settings = get_settings()
    listed = None if parent.layer_list is None else json.dumps(parent.layer_list)
    imported = take_checkpoint(
        weights,
        dataset_classes=len(dataset.classes),
        dataset_shape=(dataset.shape[0], dataset.shape[1], dataset.shape[2]),
        architecture=listed or parent.architecture,
        normalization=None,  # it is in the file
        out_dir=settings.artefacts,
        settings=settings,
    )
    columns = read_columns(imported)
    role = "dense" if pruning.method == CONTROL else "pruned"
    claim = {name: getattr(made, f"claimed_{name}") for name in CLAIMED} | {"eps_text": made.claimed_eps}
    return Checkpoint(
        id=new_id(),
        **{**columns, "warnings": [*columns["warnings"], *(pruning.record.warnings or ())]},
        inspection=inspect_columns(columns, role, dataset.id, parent),
        name=pruning.name,
        role=role,
        parent_id=parent.id,
        dataset_id=dataset.id,
        method=pruning.method,
        structure=pruning.record.structure,
        declared_sparsity=made.declared_sparsity,
        claim=claim,
        preflight={"state": "queued", "checks": []},
        origin="pruned",
        pruning_id=pruning.id,
    )


def follow_up(pruning_id: UUID) -> None:
    """Once the result is registered: forget the training, queue the evaluation that was asked for. May run twice."""
    with reading() as session:
        row = session.get(Pruning, pruning_id)
        made = None if row is None else row.checkpoint
        evaluated = 0 if made is None else checkpoints.count_dependants(session, made.id)[1]
        dataset = None if made is None else made.dataset
    forget_training(pruning_id)
    if row is None or made is None or dataset is None or row.evaluate is None or evaluated:
        return
    try:
        queue_first_evaluation(made, dataset, row.evaluate)
    except Exception as error:  # the checkpoint is there; what it lacks can be asked for again
        LOG.exception("the evaluation of %s was not queued", made.id)
        with writing() as session:
            kept = session.get(Pruning, pruning_id)
            if kept is not None:
                told = (*(kept.record.warnings or ()), f"The evaluation was not queued: {error}")
                kept.record = kept.record.merge(PruningRecord(warnings=told))
