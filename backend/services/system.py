"""The whole: start it, and say how it is."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from threading import Lock, Thread
from typing import Literal

from sqlalchemy.exc import SQLAlchemyError

from backend.errors import ThinIceError
from backend.jobs import queue
from backend.jobs.kinds import KINDS
from backend.jobs.lifecycle import requeue_waiting
from backend.jobs.registration.inspections import inspect_missing
from backend.jobs.registration.kinship import compare_missing
from backend.schemas.health import Health, WorkerOut
from backend.services.bundles.shipped import find_results, list_shipped, load_results
from backend.services.demo import queue_demo
from backend.services.zoo import load_datasets, load_zoo
from backend.settings import Settings, get_settings
from backend.startup import prepare_home
from backend.store import database, workers
from backend.store.database import reading, writing
from backend.store.discarded import forget_discarded
from backend.store.evaluations import count_evaluations
from backend.store.jobs import count_active

LOG = logging.getLogger(__name__)
_loading = Lock()  # held while shipped results come in


def health() -> Health:
    """Version, database, living workers, length of the queue; "degraded" while work waits and no worker lives."""
    with reading() as session:
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
    with _loading:
        try:
            load_results(path, is_stopping)
        except (ThinIceError, SQLAlchemyError):
            LOG.exception("the shipped results could not be brought in; they are tried again at the next start")


@dataclass(frozen=True)
class ShippedResults:
    """How many of the shipped evaluations are here, and whether more are coming right now."""

    here: int
    total: int
    is_coming: bool


def tell_shipped() -> ShippedResults:
    """What is here of the shipped results; a total of 0 where none can be brought in."""
    path = find_results()
    if path is None:
        return ShippedResults(0, 0, False)
    ids = list_shipped(path)
    with reading() as session:
        here = count_evaluations(session, ids)
    return ShippedResults(here, len(ids), _loading.locked())


def bring_shipped() -> None:
    """Bring in all shipped checkpoints and results, those too that a user deleted; returns at once."""
    if not _loading.locked():
        Thread(target=_bring_shipped, daemon=True).start()


def _bring_shipped() -> None:
    path = find_results()
    if path is None:
        return
    with _loading:
        try:
            with writing() as session:
                forget_discarded(session)
            with database.one_at_a_time():
                load_zoo()
            load_results(path)
        except (ThinIceError, SQLAlchemyError):
            LOG.exception("the shipped results could not be brought in")


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
