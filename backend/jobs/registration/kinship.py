"""Which dense networks come from one training run: by their weights, compared once and kept with the inspection."""

import logging
from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from backend.errors import ThinIceError
from backend.jobs.registration.inspections import describe_kin, describe_kinship, read_inspection
from backend.registry.inspection import InspectedNetwork, inspect_all
from backend.schemas import Answer
from backend.schemas.inspections import Kinship
from backend.settings import get_settings
from backend.store import checkpoints as store
from backend.store.artefacts import artefact_path
from backend.store.database import reading, writing
from backend.store.tables import Checkpoint
from models.pruning.plans import CONTROL

LOG = logging.getLogger(__name__)

AT_ONCE = 20  # checkpoints that one start compares with others
COMPARED = 20  # other dense checkpoints that one is compared with at a time, the newest first


def tell_kinship(row: Checkpoint, other: Checkpoint) -> Answer:
    """Whether two checkpoints come from one training run; "cannot tell" where nobody has compared their weights."""
    if row.weights_sha256 == other.weights_sha256:
        return "yes"
    found = find_kinship(row, other)
    return "cannot tell" if found is None else found.answer


def find_kinship(row: Checkpoint, other: Checkpoint) -> Kinship | None:
    """What is kept with either of two checkpoints about the other; None where they were not compared."""
    for one, its in ((row, other), (other, row)):
        kept = one.inspection or {}
        for kin in kept.get("kin", []):
            if kin["checkpoint_id"] == str(its.id):
                return Kinship.model_validate(kin)
        if kept.get("parent_id") == str(its.id) and kept.get("descent") is not None:
            descent = kept["descent"]
            return Kinship(
                checkpoint_id=its.id, name=its.name, answer=descent["answer"], correlation=descent["correlation"]
            )
    return None


def find_others(
    session: Session, dataset_id: UUID, architecture: str, file: str, parent: Checkpoint | None
) -> list[Checkpoint]:
    """Dense checkpoints that a dense one may be kin of, other than its parent and itself; the newest first.

    Controls are left out: what is kin of one is kin of its parent.
    """
    alike = store.checkpoints_like(session, dataset_id, architecture)
    fitting = [row for row in alike if _is_root(row) and row.file != file]
    return [row for row in reversed(fitting) if parent is None or row.id != parent.id][:COMPARED]


def compare_missing() -> int:
    """Compare dense checkpoints that nobody has compared: shipped ones, and those of an earlier version.

    Each start looks at the newest `AT_ONCE`; gives how many it could compare.
    """
    with reading() as session:
        wanted = list(_list_uncompared(store.dense_checkpoints(session)))[:AT_ONCE]
    try:
        subjects = [
            InspectedNetwork(
                artefact_path(row.file),
                [layer["name"] for layer in row.layers],
                [artefact_path(other.file) for other in others],
            )
            for row, others in wanted
        ]
        notes = inspect_all(subjects, settings=get_settings())
    except ThinIceError as error:
        LOG.warning("%d dense checkpoints were not compared: %s", len(wanted), error.message)
        return 0
    compared = 0
    with writing() as session:
        for (row, others), note in zip(wanted, notes, strict=True):
            kept = store.find_checkpoint(session, row.id)
            found = None if kept is None else read_inspection(kept)
            if kept is None or found is None or note is None:
                continue
            kin = [*found.kin, *describe_kin(list(zip(others, note.descents, strict=True)))]
            kept.inspection = found.model_copy(update={"kin": kin}).model_dump(mode="json")
            warnings = [*kept.warnings, *describe_kinship(kept, None)]
            kept.warnings = list(dict.fromkeys(warnings))
            compared += 1
    return compared


def _list_uncompared(rows: Sequence[Checkpoint]) -> Iterator[tuple[Checkpoint, list[Checkpoint]]]:
    """Each inspected dense checkpoint with the older ones alike that it was not compared with; from newest first."""
    roots = [row for row in rows if _is_root(row) and row.inspection is not None]
    for place, row in enumerate(roots):
        others = [
            other
            for other in roots[place + 1 :]
            if (other.dataset_id, other.architecture) == (row.dataset_id, row.architecture)
            and other.weights_sha256 != row.weights_sha256
            and find_kinship(row, other) is None
        ]
        if others:
            yield row, others[:COMPARED]


def _is_root(row: Checkpoint) -> bool:
    return row.role == "dense" and row.method != CONTROL and row.parent_id is None
