"""What the weights of a checkpoint say: structure of the zeros, descent from the parent, kinship of dense networks."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from backend.errors import ThinIceError
from backend.registry.inspection import InspectedNetwork, InspectionNote, inspect_all
from backend.schemas.inspections import Descent, InspectionOut, Kinship, LikelyParent
from backend.settings import get_settings
from backend.store import checkpoints as store
from backend.store.artefacts import artefact_path
from backend.store.database import reading, writing
from backend.store.tables import Checkpoint
from models.pruning.plans import CONTROL

LOG = logging.getLogger(__name__)

AT_ONCE = 20  # checkpoints of an earlier version that one start looks at
CANDIDATES = 5  # how many other dense checkpoints are tried where the named parent is not it


def inspect_checkpoint(
    file: str,
    layers: Sequence[dict[str, Any]],
    role: str,
    parent: Checkpoint | None,
    others: Sequence[Checkpoint],
    *,
    folder: Path | None = None,
) -> dict[str, Any] | None:
    """Look at kept weights and compare them with the named parent, and with others that may have been it.

    Args:
        file: artefact name of the weights.
        layers: the prunable tensors, as the import described them.
        role: "dense" or "pruned".
        parent: the named parent.
        others: dense checkpoints; of a pruned one those that may be its parent (`find_candidates`), of a dense one
            those that it may be kin of (`backend.jobs.registration.kinship`).
        folder: where the weights lie, if not in the artefact store.

    Returns:
        `InspectionOut`, ready for its column; None where the weights cannot be read: nothing else depends on it.
    """
    parents = [*([parent] if parent else []), *others]
    try:
        path = artefact_path(file) if folder is None else folder / file
        names = [layer["name"] for layer in layers]
        subject = InspectedNetwork(path, names, [artefact_path(one.file) for one in parents])
        (note,) = inspect_all([subject], settings=get_settings())
    except ThinIceError as error:
        LOG.warning("the weights %s were not inspected: %s", file, error.message)
        return None
    if note is None:
        return None
    return _conclude(note, parents, is_first_named=parent is not None, is_dense=role == "dense")


def inspect_missing() -> int:
    """Inspect the newest of the checkpoints that an earlier version imported; gives how many it could read."""
    with reading() as session:
        rows = list(store.checkpoints_without_inspection(session, AT_ONCE))
        named = {row.parent_id for row in rows if row.parent_id is not None}
        parents = {id: parent for id in named if (parent := store.find_checkpoint(session, id)) is not None}
    inspect_family(rows, parents)
    done = [row for row in rows if row.inspection is not None]
    with writing() as session:
        for row in done:
            kept = store.find_checkpoint(session, row.id)
            if kept is None or kept.parent_id != row.parent_id:
                continue
            kept.inspection = row.inspection
            caveats = describe_kinship(kept, parents.get(kept.parent_id) if kept.parent_id else None)
            kept.warnings = [*kept.warnings, *caveats]
    return len(done)


def inspect_family(rows: Sequence[Checkpoint], parents: dict[UUID, Checkpoint]) -> None:
    """Inspect many rows at once, each against its parent of `parents`; sets `inspection` where it could be read."""
    owners = [None if row.parent_id is None else parents.get(row.parent_id) for row in rows]
    try:
        subjects = [
            InspectedNetwork(
                artefact_path(row.file),
                [layer["name"] for layer in row.layers],
                [artefact_path(parent.file)] if parent else [],
            )
            for row, parent in zip(rows, owners, strict=True)
        ]
        notes = inspect_all(subjects, settings=get_settings())
    except ThinIceError as error:
        LOG.warning("%d checkpoints were not inspected: %s", len(rows), error.message)
        return
    for row, parent, note in zip(rows, owners, notes, strict=True):
        if note is not None:
            named = [parent] if parent else []
            row.inspection = _conclude(note, named, is_first_named=bool(named), is_dense=row.role == "dense")


def find_candidates(
    session: Session, dataset_id: UUID, architecture: str, parent: Checkpoint | None
) -> list[Checkpoint]:
    """Dense checkpoints that a pruned one may have been made from, other than the named parent; the newest first.

    Controls are left out: what was made from their parent is as near to them as to it.
    """
    alike = store.checkpoints_like(session, dataset_id, architecture)
    fitting = [row for row in alike if row.role == "dense" and row.method != CONTROL]
    return [row for row in reversed(fitting) if parent is None or row.id != parent.id][:CANDIDATES]


def _conclude(
    note: InspectionNote, parents: Sequence[Checkpoint], *, is_first_named: bool, is_dense: bool
) -> dict[str, Any]:
    """Pick what an inspection note tells: the named parent's descent, and another's only where that is no parent.

    A dense network has kin in the place of likely parents.
    """
    pairs = list(zip(parents, note.descents, strict=True))
    named = pairs.pop(0) if is_first_named else None
    descent = named[1] if named else None
    likely = None
    if not is_dense and (descent is None or descent.answer != "yes"):
        likely = max(
            (
                LikelyParent(checkpoint_id=row.id, name=row.name, correlation=found.correlation)
                for row, found in pairs
                if found is not None and found.answer == "yes" and found.correlation is not None
            ),
            key=lambda one: one.correlation,
            default=None,
        )
    inspection = InspectionOut(
        structure=note.structure,
        parent_id=named[0].id if named else None,
        descent=descent,
        likely_parent=likely,
        kin=describe_kin(pairs) if is_dense else [],
    )
    return inspection.model_dump(mode="json")


def describe_kin(pairs: Sequence[tuple[Checkpoint, Descent | None]]) -> list[Kinship]:
    """What a comparison with each other dense network says; those that share no tensor cannot tell."""
    return [
        Kinship(
            checkpoint_id=row.id,
            name=row.name,
            answer="cannot tell" if found is None else found.answer,
            correlation=None if found is None else found.correlation,
        )
        for row, found in pairs
    ]


def read_inspection(row: Checkpoint) -> InspectionOut | None:
    """What is known of a checkpoint's weights."""
    return None if row.inspection is None else InspectionOut.model_validate(row.inspection)


def describe_kinship(row: Checkpoint, parent: Checkpoint | None) -> list[str]:
    """What the weights say against the named parent, or for another, one sentence each; empty where nothing is odd."""
    found = read_inspection(row)
    if found is None:
        return []
    sentences = []
    if parent is not None and found.parent_id == parent.id and found.descent is not None:
        sentence = question_parent(found.descent, row.name, parent.name)
        sentences = [] if sentence is None else [sentence]
    kin = [one for one in found.kin if one.answer == "yes"] if row.parent_id is None and row.role == "dense" else []
    if kin:
        nearest = max(kin, key=lambda one: one.correlation or 0.0)
        sentences.append(
            f"The weights come from one training run with those of {nearest.name} (correlation "
            f"{nearest.correlation or 0.0:.2f}), so this is no other training seed of it. If it was finetuned from it, "
            f"name it as the parent, with the method {CONTROL}."
        )
    if found.likely_parent is not None and row.role == "pruned":
        likely = found.likely_parent
        sentences.append(
            f"The weights say that it was made from {likely.name} (correlation {likely.correlation:.2f}), which is not "
            "its named parent."
        )
    return sentences


def question_parent(descent: Descent, name: str, parent: str) -> str | None:
    """Why `parent` is not, or may not be, what `name` was made from; None where the weights say that it is."""
    if descent.answer == "yes" or descent.correlation is None:
        return None
    kept = (
        f"the {descent.survivors:,} weights that {name} keeps have a correlation of {descent.correlation:.2f} with "
        f"those of {parent}"
    )
    if descent.answer == "no":
        return f"The weights say that {name} was not made from {parent}: {kept}, like weights of another training run."
    mask = ""
    if descent.mask_agreement is not None:
        mask = f", and in {descent.mask_agreement:.0%} of pairs the kept weight was larger there (50 % is chance)"
    return f"The weights cannot tell whether {name} was made from {parent}: {kept}{mask}."
