"""Questions about prunings, and the writes that move one on."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.orm import Session

from backend.store.evaluations import ACTIVE
from backend.store.tables import Pruning

DENSE_MARGINS = "dense_margins"
"""In the record of a pruning: the evaluation that its dense margins come from."""


def find_pruning(session: Session, pruning_id: UUID) -> Pruning | None:
    return session.get(Pruning, pruning_id)


def page_of_prunings(
    session: Session, limit: int, offset: int, *, state: str | None = None, parent_id: UUID | None = None
) -> tuple[list[Pruning], int]:
    """(newest first, how many there are in all), in one state or of one parent where asked for."""
    question = select(Pruning)
    if state is not None:
        question = question.where(Pruning.state == state)
    if parent_id is not None:
        question = question.where(Pruning.parent_id == parent_id)
    total = session.scalar(select(func.count()).select_from(question.subquery())) or 0
    newest = question.order_by(Pruning.created_at.desc(), Pruning.id.desc())
    return list(session.scalars(newest.limit(limit).offset(offset))), total


def prunings_in(session: Session, states: Sequence[str]) -> list[Pruning]:
    """In the order in which the queue takes them: priority, then age."""
    question = select(Pruning).where(Pruning.state.in_(states))
    return list(session.scalars(question.order_by(Pruning.priority, Pruning.created_at, Pruning.id)))


def prunings_among(session: Session, ids: Sequence[UUID]) -> Sequence[Pruning]:
    return session.scalars(select(Pruning).where(Pruning.id.in_(ids))).all()


def count_active(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Pruning).where(Pruning.state.in_(ACTIVE))) or 0


def pending_pruning_named(session: Session, name: str) -> Pruning | None:
    """The waiting or running pruning whose result will have this name."""
    return session.scalar(select(Pruning).where(Pruning.name == name, Pruning.state.in_(ACTIVE)).limit(1))


def keep_progress(session: Session, pruning_id: UUID, run_number: int, worker_id: str, **values: Any) -> bool:
    """Set columns of a running pruning; False where it no longer runs in this attempt, or another worker took over."""
    question = update(Pruning).where(
        Pruning.id == pruning_id,
        Pruning.state == "running",
        Pruning.run_number == run_number,
        Pruning.worker_id == worker_id,
    )
    changed = session.execute(question.values(**values))
    assert isinstance(changed, CursorResult)
    return changed.rowcount == 1


def link_checkpoint(session: Session, pruning_id: UUID, checkpoint_id: UUID) -> None:
    """Name what a pruning made; its row exists."""
    session.execute(update(Pruning).where(Pruning.id == pruning_id).values(checkpoint_id=checkpoint_id))
