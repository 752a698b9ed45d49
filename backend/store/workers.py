"""Questions about worker processes: who lives, who died."""

import os
import socket
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from backend.store.tables import Worker, now

LIVING_SECONDS = 10.0  # a heartbeat comes every second; ten missed ones mean death


def beat(session: Session, worker: Worker) -> None:
    """Say that the worker lives (inserts it the first time)."""
    session.merge(Worker(id=worker.id, host=worker.host, pid=worker.pid, device=worker.device, last_seen=now()))


def living_workers(session: Session) -> list[Worker]:
    """Workers with a fresh heartbeat; on this host also checked by process id, which notices a kill at once."""
    fresh = select(Worker).where(Worker.last_seen > now() - timedelta(seconds=LIVING_SECONDS))
    return [worker for worker in session.scalars(fresh.order_by(Worker.started_at)) if is_running(worker)]


def is_running(worker: Worker) -> bool:
    """False when the process is known to be gone; True when it runs or lives on another host."""
    if worker.host != socket.gethostname():
        return True
    try:
        os.kill(worker.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def forget_worker(session: Session, worker_id: str) -> None:
    session.execute(delete(Worker).where(Worker.id == worker_id))
