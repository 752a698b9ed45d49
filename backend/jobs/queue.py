"""The queue as the rest of the product sees it: put a job in, take it out. No torch; safe in the web process.

Behind it: DBOS (durable workflows). Its tables live in a SQLite file beside ours, or in the same Postgres database. A
job's id is derived from what it works on, so that queueing the same thing twice is one job.
"""

from functools import lru_cache
from uuid import UUID

from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer, EnqueueOptions

from backend.settings import get_settings

QUEUE = "device"  # one queue; each worker process takes one job at a time from it
APPLICATION = "thinice"
APPLICATION_VERSION = "1"  # pinned: DBOS would derive it from the code, and a code change would strand waiting jobs
EVALUATE = "evaluate"
EVIDENCE = "evidence"
PRUNE = "prune"
PREFLIGHT = "preflight"
PREFLIGHT_PRIORITY = 1
SHIPPED_PREFLIGHT_PRIORITY = 55  # known files wait until the first comparison of the demo stands


def prepare() -> None:
    """Create or migrate the job engine's tables; call it under `store.database.one_at_a_time`."""
    DBOS.migrate(get_settings().jobs_database_url)


@lru_cache(maxsize=2)
def _client(url: str) -> DBOSClient:
    return DBOSClient(system_database_url=url, serializer=DBOSPortableJSONSerializer(), application_name=APPLICATION)


def client() -> DBOSClient:
    """This process's connection to the job engine."""
    return _client(get_settings().jobs_database_url)


def close() -> None:
    """End the connection (tests, and processes that are about to end)."""
    client().destroy()
    _client.cache_clear()


def evaluation_job_id(evaluation_id: UUID, run_number: int) -> str:
    """Each resume of an evaluation is a job of its own; the finished chunks are known by the store."""
    return f"{EVALUATE}-{evaluation_id}-{run_number}"


def enqueue_evaluation(evaluation_id: UUID, run_number: int, priority: int) -> None:
    """Queue an evaluation; smaller priorities go first. Doing it twice is doing it once."""
    job_id = evaluation_job_id(evaluation_id, run_number)
    _enqueue(EVALUATE, job_id, priority, str(evaluation_id), run_number)


def evidence_job_id(evidence_id: UUID, run_number: int) -> str:
    return f"{EVIDENCE}-{evidence_id}-{run_number}"


def enqueue_evidence(evidence_id: UUID, run_number: int, priority: int) -> None:
    """Queue the checking of evidence, as an evaluation is queued."""
    _enqueue(EVIDENCE, evidence_job_id(evidence_id, run_number), priority, str(evidence_id), run_number)


def pruning_job_id(pruning_id: UUID, run_number: int) -> str:
    return f"{PRUNE}-{pruning_id}-{run_number}"


def enqueue_pruning(pruning_id: UUID, run_number: int, priority: int) -> None:
    """Queue a pruning, as an evaluation is queued."""
    _enqueue(PRUNE, pruning_job_id(pruning_id, run_number), priority, str(pruning_id), run_number)


def preflight_job_id(checkpoint_id: UUID) -> str:
    return f"{PREFLIGHT}-{checkpoint_id}"


def enqueue_preflight(checkpoint_id: UUID, priority: int = PREFLIGHT_PRIORITY) -> None:
    """Queue a checkpoint's pre-flight, by default ahead of every evaluation."""
    _enqueue(PREFLIGHT, preflight_job_id(checkpoint_id), priority, str(checkpoint_id))


def cancel_evaluation(evaluation_id: UUID, run_number: int) -> None:
    """Take an evaluation out of the queue, or stop it at the end of its present chunk."""
    client().cancel_workflow(evaluation_job_id(evaluation_id, run_number))


def cancel_evidence(evidence_id: UUID, run_number: int) -> None:
    """Take evidence out of the queue, or stop its work."""
    client().cancel_workflow(evidence_job_id(evidence_id, run_number))


def cancel_pruning(pruning_id: UUID, run_number: int) -> None:
    """Take a pruning out of the queue, or stop its training."""
    client().cancel_workflow(pruning_job_id(pruning_id, run_number))


def _enqueue(workflow: str, job_id: str, priority: int, *arguments: str | int) -> None:
    options = EnqueueOptions(
        workflow_name=workflow,
        queue_name=QUEUE,
        workflow_id=job_id,
        priority=priority,
        app_version=APPLICATION_VERSION,
    )
    client().enqueue(options, *arguments)
