"""Which controls stand beside a comparison: the same parent changed without pruning, and another training seed."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Session

from backend.services.checkpoints.trainings import describe_training_difference, rank_alike, read_trainings
from backend.services.comparisons.effort import find_control_differences
from backend.services.evaluations.measurements import Finished, finished
from backend.store import checkpoints, evaluations
from backend.store.database import reading
from backend.store.tables import Checkpoint, Evaluation
from models.pruning.plans import CONTROL

Kind = Literal["finetuned", "seed"]
WORDS: dict[str, str] = {"finetuned": "same finetuning, nothing pruned", "seed": "another training seed"}
ORDER = ("finetuned", "seed")
ANSWERS_KEPT = 4096


@dataclass(frozen=True)
class Control:
    """One control's evaluation, comparable with that of the pruned checkpoint."""

    kind: Kind
    name: str
    checkpoint_id: UUID
    key: Finished


def find_controls(
    session: Session, root: Checkpoint, dense: Evaluation, pruned: Evaluation
) -> tuple[list[Control], str | None]:
    """Controls of the dense checkpoint `root`, evaluated as `pruned` was and with the effort of `dense`.

    Returns:
        The newest such evaluation of each control, finetuned ones first, of these the ones trained as the pruned one;
        and in a sentence or two why there are none, which were left out because they were attacked otherwise, or how
        the first was trained otherwise.
    """
    family = checkpoints.checkpoints_like(session, root.dataset_id, root.architecture)
    kinds = {row.id: kind for row in family if (kind := tell_kind(row, root)) and row.id != pruned.checkpoint_id}
    if not kinds:
        return [], (
            f"{root.name} has no control. Upload the dense model finetuned for as long without pruning "
            f"(role dense, method {CONTROL}, this parent), or a dense model of another training seed."
        )
    names = {row.id: row.name for row in family}
    found: dict[UUID, Control] = {}
    differing: dict[UUID, str] = {}
    for row in evaluations.succeeded_evaluations(session, list(kinds)):
        key = finished(row)
        if key is None or row.checkpoint_id in found or not covers(row, pruned):
            continue
        differences = find_control_differences(dense, row)
        if differences:
            differing.setdefault(row.checkpoint_id, " ".join(one.sentence for one in differences))
        else:
            found[row.checkpoint_id] = Control(
                kinds[row.checkpoint_id], names[row.checkpoint_id], row.checkpoint_id, key
            )
    own = pruned.checkpoint
    trainings = read_trainings(session, [own, *family])

    def rank(control: Control) -> tuple[int, int, str]:
        alike = rank_alike(trainings.get(own.id), trainings.get(control.checkpoint_id))
        return ORDER.index(control.kind), alike, control.name

    ordered = sorted(found.values(), key=rank)
    left_out = sorted(
        f"{names[checkpoint_id]} is left out, because it was attacked differently. {sentences}"
        for checkpoint_id, sentences in differing.items()
        if checkpoint_id not in found
    )
    if ordered and ordered[0].kind == "finetuned":
        first = ordered[0]
        incompatible = describe_training_difference(
            trainings.get(own.id), trainings.get(first.checkpoint_id), own.name, first.name
        )
        left_out += (
            []
            if incompatible is None
            else [f"{incompatible} Losses beyond this control may not come from pruning alone."]
        )
    if ordered or left_out:
        return ordered, " ".join(left_out) or None
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
    if wide.record.distance_kind == "witness" and wide.eps != narrow.eps:
        return False
    return has_samples_of(wide, narrow)


def has_samples_of(wide: Evaluation, narrow: Evaluation) -> bool:
    """Whether `wide` is of at least the samples of `narrow`, both of one data set.

    Where nobody picked them, they are the first of the data set; equal sets have equal hashes. So only the lists of
    picked samples are read, which the two rows may come without.
    """
    if wide.n < narrow.n:
        return False
    if not wide.explicit and not narrow.explicit:
        return True
    hashes = wide.record.samples, narrow.record.samples
    if wide.n == narrow.n and None not in hashes:
        return bool(hashes[0] == hashes[1])
    return _is_within(narrow.id, wide.id)


@lru_cache(maxsize=ANSWERS_KEPT)
def _is_within(narrow_id: UUID, wide_id: UUID) -> bool:
    """Whether the samples of one evaluation are among those of another, by their lists, which never change."""
    with reading() as session:
        indices = evaluations.indices_of(session, [narrow_id, wide_id])
    return set(indices[narrow_id]) <= set(indices[wide_id])


def tell_kind(row: Checkpoint, root: Checkpoint) -> Kind | None:
    """What kind of control a checkpoint is for `root`; None where it is none.

    Another training seed is a dense network that names neither parent nor method, of the same architecture and the
    same normalisation.
    """
    if row.id == root.id or row.role != "dense" or row.weights_sha256 == root.weights_sha256:
        return None  # a copy of the dense network changes nothing, so it controls for nothing
    if row.method == CONTROL:
        return "finetuned" if row.parent_id == root.id else None
    is_alike = (row.architecture, row.normalization) == (root.architecture, root.normalization)
    return "seed" if is_alike and row.parent_id is None and row.method is None else None
