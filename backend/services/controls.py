"""Which controls stand beside a comparison: the same parent changed without pruning, and another training seed."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Session

from backend.services.lineage import CONTROL
from backend.services.measurements import Finished, finished
from backend.store import checkpoints, evaluations
from backend.store.tables import Checkpoint, Evaluation

Kind = Literal["finetuned", "seed"]
WORDS: dict[str, str] = {"finetuned": "same finetuning, nothing pruned", "seed": "another training seed"}
ORDER = ("finetuned", "seed")


@dataclass(frozen=True)
class Control:
    """One control's evaluation, comparable with that of the pruned checkpoint."""

    kind: Kind
    name: str
    checkpoint_id: UUID
    key: Finished


def find_controls(session: Session, root: Checkpoint, pruned: Evaluation) -> tuple[list[Control], str | None]:
    """Controls of the dense checkpoint `root`, evaluated as `pruned` was, the newest evaluation of each.

    Returns:
        The controls, finetuned ones first, and where there are none, why in one sentence.
    """
    family = checkpoints.checkpoints_like(session, root.dataset_id, root.architecture)
    kinds = {row.id: kind for row in family if (kind := _tell_kind(row, root)) and row.id != pruned.checkpoint_id}
    if not kinds:
        return [], (
            f"There is no control of {root.name}: upload the dense model finetuned as long without pruning "
            f"(role dense, method {CONTROL}, this parent), or a dense model of another training seed."
        )
    names = {row.id: row.name for row in family}
    found: dict[UUID, Control] = {}
    for row in evaluations.succeeded_evaluations(session, list(kinds)):
        key = finished(row)
        if key is not None and row.checkpoint_id not in found and covers(row, pruned):
            found[row.checkpoint_id] = Control(
                kinds[row.checkpoint_id], names[row.checkpoint_id], row.checkpoint_id, key
            )
    ordered = sorted(found.values(), key=lambda control: (ORDER.index(control.kind), control.name))
    if ordered:
        return ordered, None
    listed = ", ".join(sorted(names[checkpoint_id] for checkpoint_id in kinds))
    return [], f"No control has been evaluated on these samples with the preset {pruned.preset} yet ({listed})."


def is_same_effort(first: Evaluation, second: Evaluation) -> bool:
    """Whether two evaluations attacked the same samples in the same way (the seed may differ)."""
    return first.n == second.n and covers(first, second)


def covers(wide: Evaluation, narrow: Evaluation) -> bool:
    """Whether `wide` attacked at least the samples of `narrow`, in the same way (the seed may differ).

    Smaller sets are nested in larger ones and every sample is attacked for itself, so its rows stand for both.
    """
    if any(getattr(wide, name) != getattr(narrow, name) for name in ("dataset_id", "preset", "norm")):
        return False
    if not set(narrow.indices) <= set(wide.indices):
        return False
    return wide.record.get("distance_kind") != "witness" or wide.eps == narrow.eps


def _tell_kind(row: Checkpoint, root: Checkpoint) -> Kind | None:
    """What kind of control a checkpoint is for `root`; None where it is none."""
    if row.id == root.id or row.role != "dense":
        return None
    if row.method == CONTROL:
        return "finetuned" if row.parent_id == root.id else None
    return "seed" if row.parent_id is None else None
