"""What a comparison reads: its two evaluations, and what the store holds around them."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from backend.errors import Conflict
from backend.schemas.evaluations import EvaluationOut
from backend.services.comparisons.bounds import Bounds, load_bounds
from backend.services.comparisons.caveats import Challenge, find_challenges
from backend.services.comparisons.controls import Control, find_controls
from backend.services.comparisons.noise import find_repeats
from backend.services.comparisons.replays import Replay, find_replays
from backend.services.evaluations.measurements import Finished, finished
from backend.services.evaluations.service import load_evaluation, show_all
from backend.store.database import reading
from backend.store.tables import Checkpoint, Dataset, Evaluation


@dataclass(frozen=True)
class Sides:
    """Two succeeded evaluations with the rows around them."""

    dense: Evaluation
    pruned: Evaluation
    dense_key: Finished
    pruned_key: Finished
    dense_checkpoint: Checkpoint
    pruned_checkpoint: Checkpoint
    dataset: Dataset


@dataclass(frozen=True)
class Stored:
    """What the store holds of a comparison: its sides, their controls, and evidence about each side, dense first."""

    sides: Sides
    shown: list[EvaluationOut]
    controls: list[Control]
    controls_reason: str | None
    challenges: list[list[Challenge]]
    repeats: list[list[Evaluation]]
    replays: list[Replay]
    bounds: Bounds


def read_stored(dense_id: UUID | str, pruned_id: UUID | str) -> Stored:
    """Everything that a comparison reads of its two evaluations' neighbours, in one transaction."""
    with reading() as session:
        sides = load_sides(session, dense_id, pruned_id)
        both = (sides.dense, sides.pruned)
        controls, controls_reason = _find_controls(session, sides)
        return Stored(
            sides=sides,
            shown=show_all(session, list(both)),
            controls=controls,
            controls_reason=controls_reason,
            challenges=[find_challenges(session, row) for row in both],
            repeats=[find_repeats(session, row) for row in both],
            replays=find_replays(session, *both),
            bounds=load_bounds(session, *both),
        )


def load_sides(session: Session, dense_id: UUID | str, pruned_id: UUID | str) -> Sides:
    """The rows of both sides; raises as `compare` where one is missing or has not succeeded."""
    dense, pruned = (load_evaluation(session, evaluation_id) for evaluation_id in (dense_id, pruned_id))
    keys = need_finished(dense), need_finished(pruned)
    return Sides(dense, pruned, *keys, dense.checkpoint, pruned.checkpoint, dense.dataset)


def need_finished(row: Evaluation) -> Finished:
    """The key of a succeeded evaluation; Conflict for any other."""
    key = finished(row)
    if key is None:
        raise Conflict(
            f"Evaluation {row.id} is {row.state}; a comparison needs two that succeeded.",
            evaluation_id=str(row.id),
            state=row.state,
        )
    return key


def _find_controls(session: Session, sides: Sides) -> tuple[list[Control], str | None]:
    if sides.dense_checkpoint.role != "dense":
        return [], f"{sides.dense_checkpoint.name} is itself pruned, so it has no controls."
    return find_controls(session, sides.dense_checkpoint, sides.dense, sides.pruned)
