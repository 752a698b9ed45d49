"""The life of a job, whatever its kind: queued, started, followed, stopped, failed, ended, queued again.

    queued <-> running -> succeeded
       ^   \\      |   \
       |    v     v    v
       +-- cancelled  failed

A running job waits again where it gives its device to a job that goes first. A resume starts the next run of the same
job. Every write names the run that it belongs to, so that whatever an old run still says comes too late. No torch: the
web process queues, stops and resumes, workers do the rest.
"""

import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from backend.errors import Conflict, ThinIceError
from backend.jobs import queue
from backend.jobs.kinds import KINDS, Kind, kind_of
from backend.jobs.progress import Stopped, describe_error, now_and_then
from backend.schemas import ACTIVE, RESUMABLE, State
from backend.store import jobs
from backend.store.database import reading, writing
from backend.store.jobs import J
from backend.store.tables import Job, now

logger = logging.getLogger("thinice.jobs")


# --- by whoever asks --------------------------------------------------------------------------------------------------
def enqueue(row: Job) -> None:
    """Give a written job to the queue; twice is once."""
    queue.enqueue(kind_of(row).workflow, row.priority, row.id, row.run_number)


def hand_over(*rows: Job) -> None:
    """Give jobs to the queue once their transaction has ended; what it does not take must not wait for ever.

    Every job is tried; those that the queue did not take have failed, and the first of its errors is raised at the end.
    """
    refused: list[Exception] = []
    for row in rows:
        try:
            enqueue(row)
        except Exception as error:  # whatever the job engine raised, the row has to say that nothing will run
            sentence = ThinIceError(f"The queue did not accept the job: {error}.")
            fail(kind_of(row), row.id, row.run_number, sentence, states=("queued",))
            refused.append(error)
    if refused:
        raise refused[0]


def requeue_waiting() -> None:
    """Hand every waiting job to the queue again: a process may have died between writing it down and that."""
    with reading() as session:
        waiting = [row for kind in KINDS for row in jobs.jobs_in(session, kind.table, ["queued"])]
    for row in waiting:
        enqueue(row)


def cancel(session: Session, kind: Kind[J], row: J) -> None:
    """End a locked job that waits or runs; `queue.cancel` has to follow the end of the transaction.

    Raises:
        Conflict: it ended already.
    """
    if row.state not in ACTIVE:
        raise Conflict(f"This {kind.noun} has ended ({row.state}); there is nothing to cancel.", state=row.state)
    end(row, "cancelled")
    kind.log(session, row, "cancelled")


def resume(session: Session, kind: Kind[J], row: J) -> None:
    """Make a locked job wait for its next run; `hand_over` has to follow the end of the transaction.

    Raises:
        Conflict: it waits, runs or succeeded.
    """
    if row.state not in RESUMABLE:
        raise Conflict(
            f"Only failed and cancelled jobs can be resumed; the {kind.noun}'s state is {row.state}.", state=row.state
        )
    row.state, row.stage, row.error, row.finished_at = "queued", "waiting", None, None
    row.run_number += 1
    kind.log(session, row, "resumed")


# --- by a worker ------------------------------------------------------------------------------------------------------
def start(session: Session, kind: Kind[J], job_id: UUID, run_number: int) -> J:
    """Mark a job as running and give its locked row; also after a kill, when it runs already.

    Raises:
        Stopped: this run of it is no longer wanted.
    """
    row = find_wanted(session, kind, job_id, run_number, ACTIVE)
    row.state, row.stage, row.error = "running", "loading", None
    row.started_at = row.started_at or now()
    return row


def give_way(kind: Kind[Any], job_id: UUID, run_number: int) -> bool:
    """Make a running job wait again, in its old place of the queue, if a job with a smaller priority waits.

    Where it did, the caller ends without an outcome, and `go_on` has to follow once the queue gives the job out again.
    A process that dies between the two writes leaves a job of a dead worker, which the reaper puts back.

    Raises:
        Stopped: this run of it is no longer wanted.
    """
    with reading() as session:
        priority = find_wanted(session, kind, job_id, run_number, locks=False).priority
    if not queue.is_anything_before(priority):
        return False
    with writing() as session:
        row = find_wanted(session, kind, job_id, run_number)
        row.state, row.stage = "queued", "waiting"
        kind.log(session, row, "gave its device to a job that goes first")
    queue.put_back(kind.workflow, job_id, run_number)
    return True


def go_on(kind: Kind[Any], job_id: UUID, run_number: int) -> None:
    """Mark a job that gave way as running again; does nothing to one that runs.

    Raises:
        Stopped: this run of it is no longer wanted.
    """
    with writing() as session:
        row = find_wanted(session, kind, job_id, run_number, ACTIVE)
        if row.state == "queued":
            row.state, row.stage = "running", "loading"
            kind.log(session, row, "goes on")


def find_wanted(
    session: Session,
    kind: Kind[J],
    job_id: UUID,
    run_number: int,
    states: Sequence[State] = ("running",),
    *,
    locks: bool = True,
) -> J:
    """The row of a job in this run, locked unless it is only read.

    Raises:
        Stopped: it was cancelled meanwhile, resumed as a newer run, or deleted.
    """
    row = jobs.lock_job(session, kind.table, job_id) if locks else session.get(kind.table, job_id)
    if row is None or row.state not in states or row.run_number != run_number:
        raise stopped(kind, job_id, run_number)
    return row


def stopped(kind: Kind[Any], job_id: UUID, run_number: int) -> Stopped:
    return Stopped(f"Run {run_number} of {kind.noun} {job_id} is no longer wanted; it keeps {kind.keeps}.")


def tell(row: Job, *conditions: ColumnElement[bool], **values: Any) -> None:
    """Write down how far a running job is.

    Raises:
        Stopped: this run of it is no longer wanted, or it does not meet the conditions any more.
    """
    kind = kind_of(row)
    with writing() as session:
        is_wanted = jobs.move_state(
            session, kind.table, row.id, ["running"], *conditions, of_run=row.run_number, **values
        )
    if not is_wanted:
        raise stopped(kind, row.id, row.run_number)


def reporter(row: Job, show: Callable[[str], str]) -> Callable[[int, int, str], None]:
    """What attacks call with samples done, samples in all and their stage: at most once a second it is written down, in
    the words that `show` makes of it. Raises Stopped where the job is no longer wanted."""

    def report(done: int, total: int, stage: str) -> None:
        tell(row, stage=show(f"{stage}: {done} of {total}")[:80])

    return now_and_then(report)


def end(row: Job, state: State, error: dict[str, Any] | None = None) -> None:
    """Set what every end of a job sets."""
    row.state, row.error, row.finished_at = state, error, now()
    row.stage = "done" if state == "succeeded" else state


def fail(
    kind: Kind[Any], job_id: UUID, run_number: int, error: BaseException, *, states: Sequence[State] = ACTIVE
) -> None:
    """Mark a job as failed with a sentence; what it keeps stays, so that it can be resumed.

    Does nothing when it was cancelled, or resumed as a newer run: that one is not to suffer from this error.
    """
    shown = describe_error(error)
    with writing() as session:
        try:
            row = find_wanted(session, kind, job_id, run_number, states)
        except Stopped:
            return
        end(row, "failed", shown)
        kind.log(session, row, f"failed: {shown['message']}")


@contextmanager
def ending(kind: Kind[Any], job_id: UUID, run_number: int) -> Iterator[None]:
    """How the work on a job may end: whatever an attack or a network raises ends the job, never the worker."""
    try:
        yield
    except Stopped as gone:
        logger.info("%s", gone)
    except Exception as error:  # the worker goes on with the next job, whatever this one raised
        logger.error("%s %s failed\n%s", kind.noun, job_id, traceback.format_exc())
        fail(kind, job_id, run_number, error)
