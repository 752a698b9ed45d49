"""Frees what dead workers held, and queues what fell between the store and the queue. Runs in every worker."""

import logging
from collections.abc import Callable, Sequence
from uuid import UUID

from dbos import DBOS

from backend.jobs import preflight, queue
from backend.store import checkpoints, evaluations, evidence, prunings, workers
from backend.store.database import one_at_a_time, reading, writing
from backend.store.tables import Job, now

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
            waiting = evaluations.evaluations_in(session, evaluations.ACTIVE)
            unproven = evidence.evidence_in(session, evaluations.ACTIVE)
            unpruned = prunings.prunings_in(session, evaluations.ACTIVE)
            unchecked = checkpoints.checkpoints_in_preflight(session)
        held = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        freed = [job.workflow_id for job in held if job.executor_id not in living]
        for job_id in freed:
            logger.warning("job %s was held by a worker that is gone; back to the queue", job_id)
            DBOS.resume_workflow(job_id, queue_name=queue.QUEUE)
        _follow(waiting, queue.evaluation_job_id, queue.enqueue_evaluation)
        _follow(unproven, queue.evidence_job_id, queue.enqueue_evidence)
        _follow(unpruned, queue.pruning_job_id, queue.enqueue_pruning)
        _follow_preflights(unchecked)
    return freed


def _follow(
    waiting: Sequence[Job],
    job_id: Callable[[UUID, int], str],
    enqueue: Callable[[UUID, int, int], None],
) -> None:
    known = _status_of([job_id(row.id, row.run_number) for row in waiting])
    for row in waiting:
        status = known.get(job_id(row.id, row.run_number))
        if status is None:
            enqueue(row.id, row.run_number, row.priority)
        elif status in LOST:
            _end(row, status)


def _follow_preflights(unchecked: list[UUID]) -> None:
    known = _status_of([queue.preflight_job_id(checkpoint_id) for checkpoint_id in unchecked])
    for checkpoint_id in unchecked:
        status = known.get(queue.preflight_job_id(checkpoint_id))
        if status is None:
            queue.enqueue_preflight(checkpoint_id)
        elif status in LOST:
            preflight.store_error(checkpoint_id, f"The pre-flight's job ended as {status} without a result.")


def _status_of(job_ids: list[str]) -> dict[str, str]:
    """Status of each job that the queue knows."""
    jobs = DBOS.list_workflows(workflow_ids=job_ids, load_input=False, load_output=False) if job_ids else []
    return {job.workflow_id: job.status for job in jobs}


def _end(row: Job, status: str) -> None:
    """What lost its job without saying how it went must not look alive."""
    error = {"code": "internal", "message": f"The job ended as {status} without a result. Resume it.", "details": {}}
    ended = {"state": "failed", "stage": "failed", "error": error, "finished_at": now()}
    with writing() as session:
        evaluations.move_state(session, row.id, evaluations.ACTIVE, of_run=row.run_number, of=type(row), **ended)
