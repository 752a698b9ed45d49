"""What callers may do with a job, whatever its kind: list, read, cancel, resume and delete it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from backend.errors import Conflict, InvalidRequest, NotFound
from backend.jobs import lifecycle, queue
from backend.jobs.kinds import Kind
from backend.schemas import ACTIVE, STATES, Page, Schema
from backend.services.shared.arguments import check_page, read_id
from backend.store.database import reading, writing
from backend.store.jobs import J, lock_job, page_of_jobs

Out = TypeVar("Out", bound=Schema)


def allow(_session: Session, _row: Any) -> None:
    """The check of a kind that has none of its own."""


@dataclass(frozen=True)
class Jobs(Generic[J, Out]):
    """The jobs of one kind as services show them.

    `show` makes rows into what callers see. `check_resume` and `check_delete` raise Conflict for what the state alone
    does not forbid; `before_delete` undoes what rests on the row, in the same transaction; `after_delete` removes
    files.
    """

    kind: Kind[J]
    show: Callable[[Session, Sequence[J]], list[Out]]
    check_resume: Callable[[Session, J], None] = allow
    check_delete: Callable[[Session, J], None] = allow
    before_delete: Callable[[Session, J], None] = allow
    after_delete: Callable[[UUID], None] = lambda _id: None

    def load(self, session: Session, job_id: UUID | str) -> J:
        """The row of a job.

        Raises:
            NotFound: there is none of that id.
        """
        return self._found(session.get(self.kind.table, self._read(job_id)), job_id)

    def get(self, job_id: UUID | str) -> Out:
        """One job with its progress, and what came of it at the end; raises as `load`."""
        with reading() as session:
            return self.show(session, [self.load(session, job_id)])[0]

    def page(self, limit: int, offset: int, *conditions: ColumnElement[bool], state: str | None = None) -> Page[Out]:
        """A page of the jobs that meet the conditions, newest first, in one state where asked for."""
        check_page(limit, offset)
        if state is not None and state not in STATES:
            raise InvalidRequest(f"There is no state {state!r}. Known: {', '.join(STATES)}.", state=state)
        table = self.kind.table
        wanted = conditions if state is None else (*conditions, table.state == state)
        with reading() as session:
            rows, total = page_of_jobs(session, table, limit, offset, *wanted)
            items = self.show(session, rows)
        return Page(items=items, total=total, limit=limit, offset=offset)

    def cancel(self, job_id: UUID | str) -> Out:
        """Take a waiting job out of the queue, or end a running one; what it keeps stays for a resume.

        Raises:
            NotFound: there is none of that id.
            Conflict: it ended already; says how.
        """
        with writing() as session:
            row = self._lock(session, job_id)
            lifecycle.cancel(session, self.kind, row)
        queue.cancel(self.kind.workflow, row.id, row.run_number)
        return self.get(row.id)

    def resume(self, job_id: UUID | str) -> Out:
        """Queue a failed or cancelled job again; it goes on where it stopped.

        Raises:
            NotFound: there is none of that id.
            Conflict: it waits, runs or succeeded, or something else is in the way.
        """
        with writing() as session:
            row = self._lock(session, job_id)
            lifecycle.resume(session, self.kind, row)
            self.check_resume(session, row)
        lifecycle.hand_over(row)
        return self.get(row.id)

    def delete(self, job_id: UUID | str) -> None:
        """Forget a job that ended.

        Raises:
            NotFound: there is none of that id.
            Conflict: it waits or runs, or something needs it; says what.
        """
        with writing() as session:
            row = self._lock(session, job_id)
            if row.state in ACTIVE:
                raise Conflict(f"This {self.kind.noun} is {row.state}; cancel it first.", state=row.state)
            self.check_delete(session, row)
            self.before_delete(session, row)
            session.delete(row)
        self.after_delete(row.id)

    def _lock(self, session: Session, job_id: UUID | str) -> J:
        return self._found(lock_job(session, self.kind.table, self._read(job_id)), job_id)

    def _read(self, job_id: UUID | str) -> UUID:
        return read_id(job_id, self.kind.noun)

    def _found(self, row: J | None, job_id: UUID | str) -> J:
        if row is None:
            noun = self.kind.noun
            raise NotFound(f"There is no {noun} {job_id}.", **{f"{noun}_id": str(job_id)})
        return row
