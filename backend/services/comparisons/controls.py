"""Which controls a comparison has: the same parent changed without pruning, and another training seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Session

from backend.jobs.registration.kinship import find_kinship, tell_kinship
from backend.schemas.families import FamilyTraining
from backend.services.checkpoints.trainings import describe_training_difference, rank_alike, read_trainings
from backend.services.comparisons.effort import find_control_differences
from backend.services.evaluations.measurements import Finished, finished
from backend.store import checkpoints, evaluations
from backend.store.database import reading
from backend.store.tables import PICKED, Checkpoint, Evaluation
from models.pruning.plans import CONTROL, SEED

Kind = Literal["finetuned", "seed"]
WORDS: dict[str, str] = {"finetuned": "same finetuning, nothing pruned", "seed": "another training seed"}
ORDER = ("finetuned", "seed")
RESULTS_KEPT = 4096
EXPLAINED = 3  # networks of which a reason says why they are no controls


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
    similar = checkpoints.checkpoints_like(session, root.dataset_id, root.architecture)
    kinds = {row.id: kind for row in similar if (kind := tell_kind(row, root)) and row.id != pruned.checkpoint_id}
    if not kinds:
        advice = (
            f"{root.name} has no control. Upload the dense model finetuned for as long without pruning "
            f"(role dense, method {CONTROL}, this parent), or a dense model of another training seed."
        )
        return [], " ".join([advice, *explain_strangers(similar, root)])
    names = {row.id: row.name for row in similar}
    rows = [row for row in evaluations.succeeded_evaluations(session, list(kinds)) if covers(row, pruned)]
    found, differing = sort_by_effort(rows, dense)
    controls = [Control(kinds[row_id], names[row_id], row_id, key) for row_id, key in found.items()]
    own = pruned.checkpoint
    trainings = read_trainings(session, [own, *similar])

    def rank(control: Control) -> tuple[int, int, str]:
        alike = rank_alike(trainings.get(own.id), trainings.get(control.checkpoint_id))
        return ORDER.index(control.kind), alike, control.name

    controls.sort(key=rank)
    notes = sorted(
        f"{names[row_id]} is left out, because it was attacked differently. {sentences}"
        for row_id, sentences in differing.items()
    )
    if controls and controls[0].kind == "finetuned":
        notes += note_training(own, controls[0], trainings)
    if controls or notes:
        return controls, " ".join(notes) or None
    listed = ", ".join(sorted(names[row_id] for row_id in kinds))
    return [], f"No control has been evaluated on these samples with the preset {pruned.preset} yet ({listed})."


def sort_by_effort(rows: Sequence[Evaluation], dense: Evaluation) -> tuple[dict[UUID, Finished], dict[UUID, str]]:
    """The first evaluation of each control with the effort of `dense`, or what differs in the first with another."""
    found: dict[UUID, Finished] = {}
    differing: dict[UUID, str] = {}
    for row in rows:
        key = finished(row)
        if key is None or row.checkpoint_id in found:
            continue
        differences = find_control_differences(dense, row)
        if differences:
            differing.setdefault(row.checkpoint_id, " ".join(one.sentence for one in differences))
        else:
            found[row.checkpoint_id] = key
    return found, {row_id: sentences for row_id, sentences in differing.items() if row_id not in found}


def explain_strangers(similar: Sequence[Checkpoint], root: Checkpoint) -> list[str]:
    """Why dense networks that look like controls of `root` are none: one sentence for each, the newest first."""
    others = [row for row in reversed(similar) if row.role == "dense" and row.id != root.id]
    sentences = (explain_stranger(row, root) for row in others if tell_kind(row, root) is None)
    return [sentence for sentence in sentences if sentence is not None][:EXPLAINED]


def explain_stranger(row: Checkpoint, root: Checkpoint) -> str | None:
    """Why a dense network is no control; None where it is no candidate for one."""
    if row.method == CONTROL:
        return f"The weights deny that {row.name} was finetuned from {root.name}." if row.parent_id == root.id else None
    if not _looks_like_seed(row, root):
        return None
    if row.weights_sha256 == root.weights_sha256:
        return f"{row.name} has the weights of {root.name}, so it controls for nothing."
    found = find_kinship(row, root)
    if found is None:
        return (
            f"{row.name} is not taken as another training seed, because its weights were not compared with those of "
            f"{root.name} (if it is one, declare it with the method {SEED})."
        )
    correlation = "" if found.correlation is None else f" (correlation {found.correlation:.2f})"
    if found.answer == "yes":
        return (
            f"{row.name} is no other training seed: its weights come from one training run with those of "
            f"{root.name}{correlation}."
        )
    return (
        f"The weights cannot tell whether {row.name} is another training seed{correlation} (if it is one, declare it "
        f"with the method {SEED})."
    )


def note_training(own: Checkpoint, control: Control, trainings: dict[UUID, FamilyTraining]) -> list[str]:
    """The caveat that a control was trained differently; empty where it was not."""
    found = describe_training_difference(
        trainings.get(own.id), trainings.get(control.checkpoint_id), own.name, control.name
    )
    return [] if found is None else [f"{found} Losses beyond this control may not come from pruning alone."]


def covers(wide: Evaluation, narrow: Evaluation) -> bool:
    """Whether `wide` attacked at least the samples of `narrow`, in the same way (the seed may differ).

    Every sample is attacked for itself, so the rows of the wider one stand for both.
    """
    if any(getattr(wide, name) != getattr(narrow, name) for name in ("dataset_id", "preset", "norm")):
        return False
    if wide.record.distance_kind == "witness" and wide.eps != narrow.eps:
        return False
    return has_samples_of(wide, narrow)


def has_samples_of(wide: Evaluation, narrow: Evaluation) -> bool:
    """Whether `wide` is of at least the samples of `narrow`, both of one data set.

    Selections made alike are nested, unless somebody picked the rows; equal sets have equal hashes. So the lists of
    samples are read for the other cases only, and the two rows may come without them.
    """
    if wide.n < narrow.n:
        return False
    if wide.selection == narrow.selection != PICKED:
        return True
    hashes = wide.record.samples, narrow.record.samples
    if wide.n == narrow.n and None not in hashes:
        return bool(hashes[0] == hashes[1])
    return _is_within(narrow.id, wide.id)


@lru_cache(maxsize=RESULTS_KEPT)
def _is_within(narrow_id: UUID, wide_id: UUID) -> bool:
    """Whether the samples of one evaluation are among those of another, by their lists, which never change."""
    with reading() as session:
        indices = evaluations.indices_of(session, [narrow_id, wide_id])
    return set(indices[narrow_id]) <= set(indices[wide_id])


def tell_kind(row: Checkpoint, root: Checkpoint) -> Kind | None:
    """What kind of control a checkpoint is for `root`; None where it is none. Every page and every answer asks here.

    A control is declared, or its weights prove it (decision 0004 of services). Finetuned: it names `root` as its parent
    and the method `control`, and the weights do not deny it. Another training seed: a dense network without a parent,
    of the same architecture and normalisation, whose weights share no training run with those of `root`; where the
    weights cannot tell, it is one only if it declares the method `seed`.
    """
    if row.id == root.id or row.role != "dense" or row.dataset_id != root.dataset_id:
        return None
    if row.weights_sha256 == root.weights_sha256:
        return None  # a copy of the dense network changes nothing, so it controls for nothing
    if row.method == CONTROL:
        is_denied = row.parent_id == root.id and tell_kinship(row, root) == "no"
        return "finetuned" if row.parent_id == root.id and not is_denied else None
    if not _looks_like_seed(row, root):
        return None
    kinship = tell_kinship(row, root)
    return "seed" if kinship == "no" or (kinship == "cannot tell" and row.method == SEED) else None


def _looks_like_seed(row: Checkpoint, root: Checkpoint) -> bool:
    is_alike = (row.architecture, row.normalization) == (root.architecture, root.normalization)
    return is_alike and row.parent_id is None and row.method in (None, SEED)
