"""Frees what dead workers held, and queues what fell between the store and the queue. Runs in every worker."""

import logging
from collections.abc import Sequence
from uuid import UUID

from dbos import DBOS

from backend.errors import ThinIceError
from backend.jobs import lifecycle, preflight, queue
from backend.jobs.kinds import KINDS, Kind
from backend.schemas import ACTIVE
from backend.store import checkpoints, workers
from backend.store.database import one_at_a_time, reading
from backend.store.jobs import J, jobs_in

LOST = ("ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")  # how a job ends that never said how it went

logger = logging.getLogger("thinice.jobs")


def reap(worker_id: str) -> list[str]:
    """Give the jobs of dead workers back to the queue and queue what was forgotten; gives the freed jobs' ids.

    `worker_id` is the caller's own executor: whoever asks is alive, whatever its heartbeat says. Under the start-up
    lock, because two reapers that free one job would let it run twice.
    """
    with one_at_a_time():
        with reading() as session:
            living = {worker_id} | {worker.id for worker in workers.living_workers(session)}
            waiting = {kind.noun: jobs_in(session, kind.table, ACTIVE) for kind in KINDS}
            unchecked = checkpoints.checkpoints_in_preflight(session)
        held = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        freed = [job.workflow_id for job in held if job.executor_id not in living]
        for job_id in freed:
            logger.warning("job %s was held by a worker that is gone; it is back in the queue", job_id)
            DBOS.resume_workflow(job_id, queue_name=queue.QUEUE)
        for kind in KINDS:
            _follow(kind, waiting[kind.noun])
        _follow_preflights(unchecked)
    return freed


def _follow(kind: Kind[J], waiting: Sequence[J]) -> None:
    """Queue the jobs that the queue does not know; what lost its job without saying how it went must not look alive."""
    names = {row.id: queue.name_job(kind.workflow, row.id, row.run_number) for row in waiting}
    known = _status_of(list(names.values()))
    for row in waiting:
        status = known.get(names[row.id])
        if status is None:
            lifecycle.enqueue(row)
        elif status in LOST:
            sentence = f"The job ended without a result ({status}). Resume it."
            lifecycle.fail(kind, row.id, row.run_number, ThinIceError(sentence))


def _follow_preflights(unchecked: list[UUID]) -> None:
    known = _status_of([queue.name_job(queue.PREFLIGHT, checkpoint_id) for checkpoint_id in unchecked])
    for checkpoint_id in unchecked:
        status = known.get(queue.name_job(queue.PREFLIGHT, checkpoint_id))
        if status is None:
            queue.enqueue_preflight(checkpoint_id)
        elif status in LOST:
            preflight.store_error(checkpoint_id, f"The pre-flight job ended with the status {status} and no result.")


def _status_of(job_ids: list[str]) -> dict[str, str]:
    """Status of each job that the queue knows."""
    jobs = DBOS.list_workflows(workflow_ids=job_ids, load_input=False, load_output=False) if job_ids else []
    return {job.workflow_id: job.status for job in jobs}
