"""In whose family each checkpoint stands, for pages that show every one once; a family may show it again."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from backend.schemas.families import Place
from backend.services.families.members import find_place
from backend.store.checkpoints import all_checkpoints
from backend.store.database import reading
from backend.store.tables import Checkpoint


@dataclass(frozen=True)
class FamilyPlace:
    """The dense checkpoint at the head of the family, and what a checkpoint is there."""

    root: UUID
    place: Place


def list_places() -> dict[UUID, FamilyPlace]:
    """The place of every checkpoint.

    A checkpoint with a parent stands in its family. A dense one without children that is another training seed of a
    parent stands in that parent's family, the oldest one's where there are several. All others stand for themselves.
    """
    with reading() as session:
        rows = list(reversed(all_checkpoints(session)))
    known = {row.id: row for row in rows}
    parents = [known[id] for id in dict.fromkeys(row.parent_id for row in rows) if id is not None and id in known]
    parents.sort(key=lambda row: (row.created_at, row.id))
    return {row.id: _find_place(row, parents) for row in rows}


def _find_place(row: Checkpoint, parents: Sequence[Checkpoint]) -> FamilyPlace:
    is_parent = any(parent.id == row.id for parent in parents)
    heads = [one for one in parents if row.parent_id == one.id or (row.parent_id is None and not is_parent)]
    for head in heads:
        place = find_place(row, head)
        if place is not None:
            return FamilyPlace(head.id, place)
    return FamilyPlace(row.id, "pruned" if row.role == "pruned" else "dense")
