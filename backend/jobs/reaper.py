"""Frees what dead workers held, and queues what fell between the store and the queue. Runs in every worker."""

import logging
from uuid import UUID

from dbos import DBOS

from backend.jobs import queue
from backend.store import evaluations, workers
from backend.store.database import one_at_a_time, reading, writing
from backend.store.tables import now

logger = logging.getLogger("thinice.jobs")


def reap(worker_id: str) -> list[str]:
    """Give the jobs of dead workers back to the queue and queue forgotten evaluations; gives the freed jobs' ids.

    `worker_id` is the caller's own executor: whoever asks is alive, whatever its heartbeat says. Under the start-up lock, because two reapers that free one job would let it run twice.
    """
    with one_at_a_time():
        with reading() as session:
            living = {worker_id} | {worker.id for worker in workers.living_workers(session)}
            waiting = evaluations.evaluations_in(session, evaluations.ACTIVE)
        held = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        freed = [job.workflow_id for job in held if job.executor_id not in living]
        for job_id in freed:
            logger.warning("job %s was held by a worker that is gone; back to the queue", job_id)
            DBOS.resume_workflow(job_id, queue_name=queue.QUEUE)
        known = {job.workflow_id: job.status for job in _jobs_of(waiting)}
        for evaluation in waiting:
            status = known.get(queue.evaluation_job_id(evaluation.id, evaluation.attempt_number))
            if status is None:
                queue.enqueue_evaluation(evaluation.id, evaluation.attempt_number, evaluation.priority)
            elif status in ("ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"):
                _end(evaluation.id, status)
    return freed


def _jobs_of(waiting: list[evaluations.Evaluation]) -> list:
    ids = [queue.evaluation_job_id(evaluation.id, evaluation.attempt_number) for evaluation in waiting]
    return DBOS.list_workflows(workflow_ids=ids, load_input=False, load_output=False) if ids else []


def _end(evaluation_id: UUID, status: str) -> None:
    """An evaluation whose job ended without saying so must not look alive."""
    error = {"code": "internal", "message": f"The job ended as {status} without a result. Resume it.", "details": {}}
    with writing() as session:
        evaluations.move_state(
            session, evaluation_id, evaluations.ACTIVE, state="failed", stage="failed", error=error, finished_at=now()
        )
