"""Questions about additional evidence, and the writes that move it on."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from backend.store.evaluations import insert_new
from backend.store.jobs import lock_job
from backend.store.results import FALLBACKS, bound_of, count_bounds, lower_bound
from backend.store.tables import Attempt, Evaluation, Evidence, Result

FIRST_SERIES = FALLBACKS + 1  # smaller ones are the evaluation's own run


def add_evidence(session: Session, row: Evidence) -> None:
    """Insert evidence and give it a series of its own, under the evaluation's lock."""
    lock_job(session, Evaluation, row.evaluation_id)
    last = session.scalar(select(func.max(Evidence.series)).where(Evidence.evaluation_id == row.evaluation_id))
    row.series = FIRST_SERIES if last is None else last + 1
    session.add(row)


def newest_replay(session: Session, evaluation_id: UUID, source_evaluation_id: UUID) -> Evidence | None:
    """The last succeeded replay of one evaluation's adversarials on another's checkpoint."""
    question = select(Evidence).where(
        Evidence.kind == "replay",
        Evidence.state == "succeeded",
        Evidence.evaluation_id == evaluation_id,
        Evidence.source_evaluation_id == source_evaluation_id,
    )
    return session.scalar(question.order_by(Evidence.created_at.desc(), Evidence.id.desc()).limit(1))


def looks_of(session: Session, kind: str, evaluation_id: UUID, source_evaluation_id: UUID) -> list[Evidence]:
    """The boundary slices or restored layers of a pair, newest first; `evaluation_id` is that of the pruned side."""
    question = select(Evidence).where(
        Evidence.kind == kind,
        Evidence.evaluation_id == evaluation_id,
        Evidence.source_evaluation_id == source_evaluation_id,
    )
    return list(session.scalars(question.order_by(Evidence.created_at.desc(), Evidence.id.desc())))


def find_slice(
    session: Session, evaluation_id: UUID, source_evaluation_id: UUID, index: int, points: int
) -> UUID | None:
    """The newest slice of a pair's sample with that many points; `index` is the row of the pruned side's data set."""
    question = select(Evidence.id).where(
        Evidence.kind == "slice",
        Evidence.evaluation_id == evaluation_id,
        Evidence.source_evaluation_id == source_evaluation_id,
        Evidence.record[("slice", "index")].as_integer() == index,
        Evidence.record[("slice", "points")].as_integer() == points,
    )
    return session.scalar(question.order_by(Evidence.created_at.desc(), Evidence.id.desc()).limit(1))


def sources_of(session: Session, evaluation_id: UUID) -> dict[int, Evidence]:
    """The evidence of an evaluation by its series."""
    rows = session.scalars(select(Evidence).where(Evidence.evaluation_id == evaluation_id))
    return {row.series: row for row in rows}


def last_seed(session: Session, evaluation_id: UUID, preset: str) -> int | None:
    """The largest seed that evidence has spent on an evaluation's samples with a preset."""
    rows = session.scalars(
        select(Evidence).where(Evidence.evaluation_id == evaluation_id, Evidence.preset == preset)
    ).all()
    return max((seed for row in rows if (seed := row.record.last_seed) is not None), default=None)


def store_step(
    session: Session,
    evidence: Evidence,
    attempts: list[dict[str, Any]],
    sources: Sequence[str],
    *,
    steps: int,
    checked: int,
    refused: Mapping[str, int],
    **values: Any,
) -> Literal["stored", "stopped"]:
    """Append one step's attempts, lower the bounds they lower, and move the progress on, in the caller's transaction.

    Args:
        evidence: the row as it was when the step began.
        attempts: rows of `attempt`, one or none per sample.
        sources: to whom each attempt's bound is credited.
        steps: how far `done` moves on; the work is found again from there.
        checked: adversarials (or runs of an attack) that the step looked at.
        refused: those of them that do not hold, by reason.
        values: further columns of `evidence` as they are after the step.

    Returns:
        "stopped" where it no longer runs, was resumed since, or another worker was faster: nothing is written.
    """
    locked = lock_job(session, Evidence, evidence.id)
    is_ours = locked is not None and (locked.run_number, locked.done) == (evidence.run_number, evidence.done)
    if locked is None or not is_ours or locked.state != "running":
        return "stopped"
    insert_new(session, Attempt, attempts)
    for attempt, source in zip(attempts, sources, strict=True):
        lower_bound(session, attempt, source)
    locked.done += steps
    locked.checked += checked
    locked.held += sum(attempt["found"] for attempt in attempts)
    counts = {reason: locked.refused.get(reason, 0) + count for reason, count in refused.items()}
    locked.refused = locked.refused | counts
    locked.improved = count_bounds(session, locked.evaluation_id, locked.series)
    for name, value in values.items():
        setattr(locked, name, value)
    return "stored"


def withdraw(session: Session, row: Evidence) -> None:
    """Take back what evidence achieved, in the caller's transaction: its attempts, and the bounds that rest on them.

    Such a bound becomes the nearest that is left: of the primary run, its fallback attacks, or other evidence.
    """
    resting = select(Result).where(Result.evaluation_id == row.evaluation_id, Result.best_known_series == row.series)
    lowered = session.scalars(resting.with_for_update()).all()
    session.execute(delete(Attempt).where(Attempt.evaluation_id == row.evaluation_id, Attempt.series == row.series))
    nearest = _nearest_attempts(session, row)
    for result in lowered:
        primary = {"found": result.found, "margin": result.margin, "attack": result.attack}
        for name, value in bound_of(primary, nearest.get(result.sample_id)).items():
            setattr(result, name, value)


def _nearest_attempts(session: Session, row: Evidence) -> dict[int, dict[str, Any]]:
    """By sample number, of the samples whose bound rests on `row`: the nearest attempt beyond the primary run."""
    question = (
        select(Attempt)
        .join(Result, (Result.evaluation_id == Attempt.evaluation_id) & (Result.sample_id == Attempt.sample_id))
        .where(
            Attempt.evaluation_id == row.evaluation_id,
            Attempt.series > 0,
            Attempt.found,
            Attempt.distance.is_not(None),
            Result.best_known_series == row.series,
        )
    )
    sources = sources_of(session, row.evaluation_id)
    nearest: dict[int, dict[str, Any]] = {}
    for one in session.scalars(question.order_by(Attempt.distance, Attempt.series)):
        source = sources[one.series].credit_of(one.attack) if one.series in sources else one.attack
        nearest.setdefault(one.sample_id, {"series": one.series, "distance": one.distance, "source": source})
    return nearest
