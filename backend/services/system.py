"""The whole: start it, and say how it is."""

import logging
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from sqlalchemy.exc import SQLAlchemyError

from backend.errors import ThinIceError
from backend.jobs import queue
from backend.jobs.kinds import KINDS
from backend.jobs.lifecycle import requeue_waiting
from backend.jobs.registration.inspections import inspect_missing
from backend.jobs.registration.kinship import compare_missing
from backend.schemas.health import Health, WorkerOut
from backend.services.bundles.shipped import find_results, load_results
from backend.services.demo import queue_demo
from backend.services.zoo import load_datasets, load_zoo
from backend.settings import Settings, get_settings
from backend.startup import prepare_home
from backend.store import database, workers
from backend.store.jobs import count_active

LOG = logging.getLogger(__name__)


def health() -> Health:
    """Version, database, living workers, length of the queue; "degraded" while work waits and no worker lives."""
    with database.reading() as session:
        living = workers.living_workers(session)
        depth = sum(count_active(session, kind.table) for kind in KINDS)
    status: Literal["ok", "degraded"] = "degraded" if depth and not living else "ok"
    return Health(
        status=status,
        version=find_version(),
        database=database.get_engine().dialect.name,
        workers=[
            WorkerOut(id=row.id, host=row.host, pid=row.pid, device=row.device, last_seen=row.last_seen)
            for row in living
        ],
        queue_depth=depth,
        open_access=get_settings().token is None,
    )


def bootstrap() -> None:
    """Bring the store to the present version, load what is shipped, queue the demo.

    Idempotent, and safe when several processes start at once: one of them does the work, the others wait and find it
    done.

    Raises:
        StartupFailed: the home cannot be written, the database is of a newer version, or a shipped file is damaged.
    """
    settings = get_settings()
    home_check(settings)
    database.migrate()
    with database.one_at_a_time():
        queue.prepare()
        load_datasets()
        zoo = load_zoo()
        inspect_missing()
        compare_missing()
        requeue_waiting()
        queued = queue_demo(zoo) if settings.demo and find_results() is None else 0
    if queued:
        LOG.info("queued %d demo evaluations", queued)


def load_shipped(is_stopping: Callable[[], bool]) -> None:
    """Bring the shipped results in while the server responds already; what goes wrong is logged, and nothing ends."""
    path = find_results() if get_settings().demo else None
    if path is None:
        return
    try:
        load_results(path, is_stopping)
    except (ThinIceError, SQLAlchemyError):
        LOG.exception("the shipped results could not be brought in; they are tried again at the next start")


def home_check(settings: Settings) -> None:
    """Create the home, readable by its owner alone, and refuse one that cannot be written.

    Raises:
        StartupFailed: it cannot be created or written.
    """
    prepare_home(settings.home)
    settings.artefacts.mkdir(mode=0o700, exist_ok=True)


def find_version() -> str:
    """The installed version, "unknown" for a tree that is run without being installed."""
    try:
        return version("thinice")
    except PackageNotFoundError:
        return "unknown"
