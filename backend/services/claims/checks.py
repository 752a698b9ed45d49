"""Which evaluation a claim is held against, and which relatives' claims it is compared with."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from backend.analysis.claims import Claim
from backend.analysis.outcomes import BoolArray, Outcomes, is_held
from backend.attacks.catalogue import rank_of
from backend.eps import parse_eps
from backend.schemas import OURS
from backend.schemas.families import FamilyTraining
from backend.services.checkpoints.trainings import describe_training_difference, rank_alike, read_trainings
from backend.services.comparisons.controls import covers, tell_kind
from backend.services.comparisons.effort import find_control_differences
from backend.services.evaluations.measurements import Finished, finished
from backend.store import evaluations
from backend.store.checkpoints import all_checkpoints
from backend.store.database import reading
from backend.store.tables import Checkpoint, Dataset, Evaluation

OWN_SOURCES = ("card: ", "pruned here: ")  # what our cards and prunings write as the source of a claim
Relation = Literal["parent", "finetuned", "seed"]


@dataclass(frozen=True)
class ClaimStanding:
    """A checkpoint's claim at its norm and eps, and the evaluation it is held against."""

    row: Checkpoint
    dataset: Dataset
    claim: Claim
    norm: str
    eps_text: str
    evaluation: Evaluation | None

    @property
    def key(self) -> Finished | None:
        return None if self.evaluation is None else finished(self.evaluation)

    @property
    def eps(self) -> float:
        return float(parse_eps(self.eps_text))

    def is_at_default(self) -> bool:
        """Whether norm and eps are the data set's own."""
        own = self.dataset.default_norm, parse_eps(self.dataset.default_eps)
        return (self.norm, parse_eps(self.eps_text)) == own

    def is_of_all_samples(self) -> bool:
        """Whether claim and evaluation are totals of the same images."""
        n = None if self.evaluation is None else self.evaluation.n
        return is_of_all_samples(self.row.origin, self.row.claim, self.dataset.size, n)


@dataclass(frozen=True)
class Snapshot:
    """Everything that claims are held against, read once; `evaluations` come without their `indices`."""

    checkpoints: dict[UUID, Checkpoint]
    datasets: dict[UUID, Dataset]
    evaluations: dict[UUID, list[Evaluation]]
    trainings: dict[UUID, FamilyTraining]

    def rank_training(self, row: Checkpoint, other: Checkpoint) -> int:
        """0 where the two were trained alike, 1 where neither training is known, 2 where they were not."""
        return rank_alike(self.trainings.get(row.id), self.trainings.get(other.id))

    def describe_training_difference(self, row: Checkpoint, other: Checkpoint) -> str | None:
        """In a sentence why the two were not trained alike; None where they were, or neither training is known."""
        return describe_training_difference(
            self.trainings.get(row.id), self.trainings.get(other.id), row.name, other.name
        )


def read_snapshot(choose: Callable[[Snapshot], Iterable[UUID]], preset: str | None = None) -> Snapshot:
    """Checkpoints newest first, how they were trained, and the finished evaluations of those in question.

    Args:
        choose: ids of the checkpoints in question, from a snapshot without evaluations.
        preset: only evaluations with this preset.
    """
    with reading() as session:
        checkpoints = {row.id: row for row in all_checkpoints(session)}
        datasets = {row.id: row for row in session.query(Dataset)}
        snapshot = Snapshot(checkpoints, datasets, {}, read_trainings(session, checkpoints.values()))
        for row in evaluations.succeeded_evaluations(session, [*choose(snapshot)], preset):
            snapshot.evaluations.setdefault(row.checkpoint_id, []).append(row)
    return snapshot


def make_check(row: Checkpoint, snapshot: Snapshot) -> ClaimStanding:
    """The claim of a checkpoint that has one, with the best evaluation to hold it against."""
    assert row.claim is not None
    dataset = snapshot.datasets[row.dataset_id]
    claim = Claim(row.claim["robust_accuracy"], row.claim.get("n"))
    norm = row.claim.get("norm") or dataset.default_norm
    eps_text = row.claim.get("eps_text") or dataset.default_eps
    fitting = [one for one in snapshot.evaluations.get(row.id, []) if can_judge(one, dataset, norm, eps_text)]
    best = max(fitting, key=rank, default=None)  # the first of equals, which is the newest
    return ClaimStanding(row, dataset, claim, norm, eps_text, best)


def can_judge(evaluation: Evaluation, dataset: Dataset, norm: str, eps_text: str) -> bool:
    """Whether an evaluation tells the robust accuracy at this norm and eps: margins at any, verdicts at their own."""
    if (evaluation.dataset_id, evaluation.norm) != (dataset.id, norm):
        return False
    if evaluation.record.distance_kind != "witness":
        return True
    return evaluation.eps is not None and parse_eps(evaluation.eps) == parse_eps(eps_text)


def rank(evaluation: Evaluation) -> tuple[bool, int, int]:
    """Samples in order before picked ones, more before fewer, then stronger presets before weaker ones.

    What somebody picked, for being lost perhaps, says nothing about the rest.
    """
    return not evaluation.explicit, evaluation.n, rank_of(evaluation.preset)


def is_of_all_samples(origin: str, claim: dict[str, Any] | None, size: int, n: int | None) -> bool:
    """Whether claim and evaluation are of every image of the data set; only our own cards say so of a claim."""
    if claim is None or origin not in OURS or not str(claim.get("source") or "").startswith(OWN_SOURCES):
        return False
    return bool(claim.get("n") == size == n)


def find_relatives(row: Checkpoint, snapshot: Snapshot) -> list[tuple[Relation, Checkpoint]]:
    """The parent of a checkpoint that names one; of a pruned one also the parent's controls and other seeds.

    Of the controls those trained as the checkpoint come first.
    """
    parent = None if row.parent_id is None else snapshot.checkpoints.get(row.parent_id)
    if parent is None:
        return []
    found: list[tuple[Relation, Checkpoint]] = [("parent", parent)]
    if row.role != "pruned":
        return found
    others = sorted(snapshot.checkpoints.values(), key=lambda one: (snapshot.rank_training(row, one), one.name))
    alike = [one for one in others if one.dataset_id == row.dataset_id and one.id != row.id]
    kinds = [(kind, one) for one in alike if (kind := tell_kind(one, parent)) is not None]
    return found + sorted(kinds, key=lambda entry: entry[0])


def find_partner(
    check: ClaimStanding, relative: Checkpoint, snapshot: Snapshot
) -> tuple[ClaimStanding | None, str | None]:
    """The relative's claim with the newest evaluation that covers this one's samples with equal effort, or why not."""
    if check.evaluation is None:
        return None, f"{check.row.name} has not been re-evaluated."
    if relative.claim is None:
        return None, f"{relative.name} has no claim."
    attacks = [one.get("attack") for one in (check.row.claim or {}, relative.claim)]
    if None in attacks or len({str(one).casefold().replace(" ", "") for one in attacks}) > 1:
        told = " and by ".join(attack or "an unknown attack" for attack in attacks)
        return None, f"Claims by {told} are not compared, because the attacks are not known to be the same."
    other = make_check(relative, snapshot)
    if (other.norm, parse_eps(other.eps_text)) != (check.norm, parse_eps(check.eps_text)):
        at = f"{check.norm} {check.eps_text}"
        return None, f"The claim of {relative.name} is at {other.norm} {other.eps_text}, this one at {at}."
    for row in snapshot.evaluations.get(relative.id, []):
        if covers(row, check.evaluation) and not find_control_differences(check.evaluation, row):
            return ClaimStanding(relative, other.dataset, other.claim, other.norm, other.eps_text, row), None
    return None, f"{relative.name} has no evaluation of these samples with equal effort ({check.evaluation.preset})."


def hold(outcomes: Outcomes, check: ClaimStanding) -> BoolArray:
    return is_held(outcomes, check.eps)
