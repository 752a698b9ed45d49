"""A checkpoint on its way into the store: from an import to a row, its pre-flight and its first evaluation. No torch.

An upload takes this way in the web process, the result of a pruning in a worker.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from backend.errors import Conflict
from backend.jobs import queue
from backend.jobs.drafts import queue_evaluations
from backend.jobs.registration.inspections import find_candidates, inspect_checkpoint
from backend.jobs.registration.kinship import find_others
from backend.jobs.registration.lineage import check_parent, describe_oddities
from backend.registry.imported import ImportedCheckpoint
from backend.schemas.evaluations import EvaluationIn
from backend.store import checkpoints as store
from backend.store import evaluations, prunings
from backend.store.artefacts import artefact_path
from backend.store.database import reading
from backend.store.tables import FIRST, Checkpoint, Dataset

LOG = logging.getLogger(__name__)

EVALUATED_AT_ONCE = 500  # samples of the evaluation that an upload or a pruning may queue


def read_columns(imported: ImportedCheckpoint) -> dict[str, Any]:
    """The columns of a checkpoint that the import knows."""
    return {
        "source_sha256": imported.source_sha256,
        "weights_sha256": imported.weights_sha256,
        "file": imported.file_name,
        "architecture": imported.architecture,
        "layer_list": imported.layer_list,
        "normalization": imported.normalization,
        "measured_sparsity": imported.measured_sparsity,
        "parameters": imported.parameters,
        "prunable": imported.prunable,
        "layers": [layer.model_dump() for layer in imported.layers],
        "warnings": list(imported.warnings),
    }


def inspect_columns(
    columns: Mapping[str, Any], role: str, dataset_id: UUID, parent: Checkpoint | None, *, folder: Path | None = None
) -> dict[str, Any] | None:
    """What the weights say, next to the parent and other dense checkpoints. `folder` holds the weights, if not the
    artefact store."""
    with reading() as session:
        if role == "pruned":
            others = find_candidates(session, dataset_id, columns["architecture"], parent)
        else:
            others = find_others(session, dataset_id, columns["architecture"], columns["file"], parent)
    return inspect_checkpoint(columns["file"], columns["layers"], role, parent, others, folder=folder)


def insert_checkpoint(session: Session, row: Checkpoint, dataset: Dataset, *, made_by: UUID | None = None) -> None:
    """Insert an imported checkpoint, in the caller's transaction.

    Raises:
        Conflict: the name is taken, by another than the pruning `made_by`.
        NotFound, InvalidRequest: its file is gone, or its parent is gone or does not fit.
    """
    refuse_taken_name(session, row.name, made_by=made_by)
    # The file may have been there before, and its last user may just have been deleted.
    artefact_path(row.file)
    parent = check_parent(session, row.parent_id, row.role, row.method, dataset, architecture=row.architecture)
    twins = store.checkpoints_with_weights(session, row.weights_sha256)
    row.warnings = [*row.warnings, *describe_oddities(row, parent, twins)]
    session.add(row)
    session.flush()


def refuse_taken_name(session: Session, name: str, *, made_by: UUID | None = None) -> None:
    """Refuse the name of a checkpoint, and one that a pruning which waits or runs will give; not `made_by` itself."""
    found = store.checkpoint_named(session, name)
    if found is not None:
        raise Conflict(
            f"A checkpoint called {name!r} exists already (id {found.id}). Choose another name, or use that one.",
            checkpoint_id=str(found.id),
            name=name,
        )
    pending = prunings.pending_pruning_named(session, name, other_than=made_by)
    if pending is not None:
        raise Conflict(
            f"A pruning (id {pending.id}) is making a checkpoint called {name!r}. Choose another name.",
            pruning_id=str(pending.id),
            name=name,
        )


def queue_preflight(row: Checkpoint) -> None:
    """Queue the pre-flight of a new checkpoint."""
    try:
        queue.enqueue_preflight(row.id)
    except Exception:  # the checkpoint is kept whatever the job engine raised; the workers' reaper queues it later
        LOG.exception("the pre-flight of %s was not queued", row.id)


def queue_first_evaluation(row: Checkpoint, dataset: Dataset, preset: str, samples: int | None = None) -> None:
    """Queue what an upload or a pruning asked for, on as many samples as its parent's, so that both can be compared;
    raises as `queue_evaluations`."""
    if samples is None and row.parent_id is not None:
        with reading() as session:
            samples = samples_at_defaults(session, [row.parent_id]).get(row.parent_id, {}).get(preset)
    n = min(samples or EVALUATED_AT_ONCE, dataset.size)
    queue_evaluations(EvaluationIn(checkpoint_id=row.id, dataset_id=dataset.slug, samples=n, preset=preset))


def samples_at_defaults(session: Session, checkpoint_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """How many samples the newest finished evaluation of each checkpoint has, by preset.

    Those count that a request without further wishes repeats: rows from 0 on, in the norm and at the eps of the data
    set, with the seed 0.
    """
    found: dict[UUID, dict[str, int]] = {}
    for row in evaluations.succeeded_evaluations(session, checkpoint_ids):
        dataset = row.dataset
        if (row.selection, row.norm, row.eps, row.seed) == (FIRST, dataset.default_norm, dataset.default_eps, 0):
            found.setdefault(row.checkpoint_id, {}).setdefault(row.preset, row.n)
    return found
