"""The queue as the rest of the product sees it: put a job in, take it out. No torch; safe in the web process.

Behind it: DBOS (durable workflows). Its tables live in a SQLite file next to ours, or in the same Postgres database. A
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
VERIFY = "verify"
RESTORE = "restore"
RESTORE_PRIORITY = 2  # somebody looks at the sample and waits
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


def name_job(workflow: str, *arguments: UUID | int) -> str:
    """The engine's id of a job; each run of an evaluation, evidence or pruning is one of its own."""
    return "-".join([workflow, *map(str, arguments)])


def enqueue(workflow: str, priority: int, *arguments: UUID | int) -> None:
    """Queue a job; smaller priorities go first. Doing it twice is doing it once.

    Args:
        arguments: of the workflow: what it works on, and which run of it this is.
    """
    options = EnqueueOptions(
        workflow_name=workflow,
        queue_name=QUEUE,
        workflow_id=name_job(workflow, *arguments),
        priority=priority,
        app_version=APPLICATION_VERSION,
    )
    client().enqueue(options, *(str(one) if isinstance(one, UUID) else one for one in arguments))


def cancel(workflow: str, *arguments: UUID | int) -> None:
    """Take a job out of the queue, or stop it at the end of its present step."""
    client().cancel_workflow(name_job(workflow, *arguments))


def forget(evaluation_id: UUID) -> None:
    """Forget the ended jobs of an evaluation that was deleted and comes back under its id; they would stand for new
    ones.
    """
    prefixes = [name_job(workflow, evaluation_id) for workflow in (EVALUATE, VERIFY, RESTORE)]
    ended = client().list_workflows(workflow_id_prefix=prefixes, load_input=False, load_output=False)
    if ended:
        client().delete_workflows([job.workflow_id for job in ended])


def put_back(workflow: str, *arguments: UUID | int) -> None:
    """Let a job that runs wait again, in its old place; the run of it that ends now must leave no outcome."""
    client().resume_workflow(name_job(workflow, *arguments), queue_name=QUEUE)


def is_anything_before(priority: int) -> bool:
    """Whether a job with a smaller priority waits for a device."""
    waiting = client().list_workflows(status="ENQUEUED", queue_name=QUEUE, load_input=False, load_output=False)
    return any(job.priority is not None and job.priority < priority for job in waiting)


def enqueue_preflight(checkpoint_id: UUID, priority: int = PREFLIGHT_PRIORITY) -> None:
    """Queue a checkpoint's pre-flight, by default ahead of every evaluation."""
    enqueue(PREFLIGHT, priority, checkpoint_id)
