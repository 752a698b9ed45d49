"""The worker process: one per device, one job at a time, a heartbeat every second. `python -m backend.jobs.worker`."""

import logging
import os
import secrets
import signal
import socket
import sys
import threading
import time

import torch
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer
from sqlalchemy.exc import SQLAlchemyError

from backend.errors import StartupFailed, UnknownName
from backend.jobs import engine, queue, reaper
from backend.jobs.subjects import device_title
from backend.settings import get_settings
from backend.store import workers
from backend.store.database import migrate, one_at_a_time, writing
from backend.store.tables import Worker

HEARTBEAT_SECONDS = 1.0
REAP_SECONDS = 2.0
POLL_SECONDS = 0.3  # how often the queue is asked for work

logger = logging.getLogger("thinice.worker")


def choose_device(wish: str) -> str:
    """`cpu` or `cuda:N` for the setting `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises:
        UnknownName: the device is not there.
    """
    known = ["cpu"] + [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    if wish == "auto":
        return known[1] if len(known) > 1 else "cpu"
    device = "cuda:0" if wish == "cuda" else wish
    if device not in known:
        raise UnknownName("device", wish, known)
    return device


def main() -> None:
    """Take jobs until SIGTERM or SIGINT. What is in hand then is taken over by another worker, from its last chunk."""
    settings = get_settings()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    device = choose_device(settings.device)
    if device == "cpu":
        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    migrate()
    with one_at_a_time():
        queue.prepare()
    worker = Worker(
        id=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}",
        host=socket.gethostname(),
        pid=os.getpid(),
        device=device_title(device),
    )
    engine.Executor.worker_id, engine.Executor.device = worker.id, device
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    beat(worker)
    launch(worker.id)
    threading.Thread(target=keep_beating, args=(worker, stopping), daemon=True).start()
    logger.info("worker %s takes jobs on %s", worker.id, worker.device)
    tend(stopping, worker.id)
    with writing() as session:
        workers.forget_worker(session, worker.id)
    os._exit(0)  # a job in hand may be minutes from its end; its chunk is dropped and taken over


def launch(worker_id: str) -> None:
    """Start the job engine in this process; from here on it takes jobs from the queue."""
    config = DBOSConfig(
        name=queue.APPLICATION,
        system_database_url=get_settings().jobs_database_url,
        executor_id=worker_id,
        application_version=queue.APPLICATION_VERSION,
        serializer=DBOSPortableJSONSerializer(),
        log_level="WARNING",
        notification_listener_polling_interval_sec=POLL_SECONDS,
    )
    DBOS(config=config)
    DBOS.launch()
    DBOS.register_queue(queue.QUEUE, worker_concurrency=1, polling_interval_sec=POLL_SECONDS)


def beat(worker: Worker) -> None:
    with writing() as session:
        workers.beat(session, worker)


def keep_beating(worker: Worker, stopping: threading.Event) -> None:
    """The heartbeat has a thread of its own, so that a slow reaper never makes a living worker look dead.

    A beat that the database refuses (locked by a slow writer, or briefly away) is missed; the next one comes.
    """
    while not stopping.wait(HEARTBEAT_SECONDS):
        try:
            beat(worker)
        except SQLAlchemyError as error:
            logger.warning("a heartbeat was missed: %s", error)


def tend(stopping: threading.Event, worker_id: str) -> None:
    """Reap until told to stop; a database that is briefly away is tried again."""
    last = 0.0
    while not stopping.wait(0.2):
        if time.monotonic() - last < REAP_SECONDS:
            continue
        last = time.monotonic()
        try:
            reaper.reap(worker_id)
        except Exception:  # the reaper is a watchman: it reports and comes back two seconds later
            logger.exception("the reaper failed; trying again")


if __name__ == "__main__":
    try:
        main()
    except (StartupFailed, UnknownName) as error:  # the user must change something; a restart would not help
        print(error.message, file=sys.stderr)
        sys.exit(2)
