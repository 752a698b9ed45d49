"""Questions about jobs of any kind, and the write that moves one from state to state."""

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, func, select, update
from sqlalchemy.orm import Session, defer
from sqlalchemy.orm.interfaces import ORMOption

from backend.schemas import ACTIVE
from backend.store.tables import Job

J = TypeVar("J", bound=Job)


def page_of_jobs(
    session: Session,
    table: type[J],
    limit: int,
    offset: int,
    *conditions: ColumnElement[bool],
    options: Sequence[ORMOption] = (),
) -> tuple[list[J], int]:
    """(newest first and without their long columns, how many there are in all) of the jobs that meet the conditions."""
    question = select(table).where(*conditions)
    total = session.scalar(select(func.count()).select_from(question.subquery())) or 0
    newest = question.options(*leave_out(table), *options).order_by(table.created_at.desc(), table.id.desc())
    return list(session.scalars(newest.limit(limit).offset(offset))), total


def leave_out(table: type[Job]) -> list[ORMOption]:
    """Options of a question that leave the long columns of a kind in the database; to read one is an error."""
    return [defer(getattr(table, name), raiseload=True) for name in table.long_columns]


def jobs_in(session: Session, table: type[J], states: Sequence[str]) -> list[J]:
    """In the order in which the queue takes them: priority, then age; without their long columns."""
    question = select(table).options(*leave_out(table)).where(table.state.in_(states))
    return list(session.scalars(question.order_by(table.priority, table.created_at, table.id)))


def count_active(session: Session, table: type[Job]) -> int:
    """How many wait or run."""
    return session.scalar(select(func.count()).select_from(table).where(table.state.in_(ACTIVE))) or 0


def lock_job(session: Session, table: type[J], job_id: UUID) -> J | None:
    """The row as it is now; nobody else changes it before the caller's transaction ends."""
    return session.get(table, job_id, with_for_update=True, populate_existing=True)


def move_state(
    session: Session,
    table: type[Job],
    job_id: UUID,
    allowed: Sequence[str],
    *conditions: ColumnElement[bool],
    of_run: int | None = None,
    **values: Any,
) -> bool:
    """Set columns of a job if its state is one of `allowed` and the conditions hold; False where somebody was faster.

    With `of_run` also False when it was resumed since: an old run has no say in a newer one.
    """
    question = update(table).where(table.id == job_id, table.state.in_(allowed), *conditions)
    if of_run is not None:
        question = question.where(table.run_number == of_run)
    changed = session.execute(question.values(**values))
    assert isinstance(changed, CursorResult)
    return changed.rowcount == 1
