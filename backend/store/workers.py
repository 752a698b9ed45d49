"""Questions about worker processes: who lives, who died."""

import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from backend.store.database import BUSY_SECONDS
from backend.store.tables import Worker, now

# On another host only the heartbeat tells. It comes every second, but may wait for a writer as long as the database's
# busy timeout allows, so that fewer missed ones than that mean nothing.
LIVING_SECONDS = 1.5 * BUSY_SECONDS
CLOCK_SLACK_SECONDS = 2.0


def beat(session: Session, worker: Worker) -> None:
    """Say that the worker lives (inserts it the first time)."""
    session.merge(Worker(id=worker.id, host=worker.host, pid=worker.pid, device=worker.device, last_seen=now()))


def living_workers(session: Session) -> list[Worker]:
    """Workers that run: on this host judged by their process, which notices a kill at once; elsewhere by heartbeat."""
    return [worker for worker in session.scalars(select(Worker).order_by(Worker.started_at)) if is_running(worker)]


def is_running(worker: Worker) -> bool:
    """Whether the worker's process is there, or, on another host, has been heard of lately.

    A process of this host counts however old its heartbeat is: one slow writer holds back the heartbeats of all.
    """
    if worker.host != socket.gethostname():
        return worker.last_seen > now() - timedelta(seconds=LIVING_SECONDS)
    try:
        os.kill(worker.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    began = process_start(worker.pid)
    # A process that began after the last heartbeat is another one that was given the same number.
    return began is None or began <= worker.last_seen + timedelta(seconds=CLOCK_SLACK_SECONDS)


def process_start(pid: int) -> datetime | None:
    """When a process of this host began (UTC); the end of time for one that is dead and not yet collected.

    None where the system has no /proc to ask (then its number alone tells).
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        uptime = float(Path("/proc/uptime").read_text(encoding="utf-8").split()[0])
    except OSError:
        return None
    if fields[0] in "ZX":
        return datetime.max.replace(tzinfo=UTC)
    return now() - timedelta(seconds=uptime - int(fields[19]) / os.sysconf("SC_CLK_TCK"))


def forget_worker(session: Session, worker_id: str) -> None:
    session.execute(delete(Worker).where(Worker.id == worker_id))
