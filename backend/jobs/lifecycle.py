"""What every kind of job goes through. No torch: the web process queues, the workers do the rest."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from backend.errors import ThinIceError
from backend.store.database import writing
from backend.store.evaluations import move_state
from backend.store.tables import Job, now


def hand_over(row: Job, enqueue: Callable[[UUID, int, int], None]) -> None:
    """Give a written job to the queue with `enqueue`; where that fails it must not wait for ever."""
    try:
        enqueue(row.id, row.run_number, row.priority)
    except Exception as error:  # whatever the job engine raised, the row has to say that nothing will run
        shown = {"code": ThinIceError.code, "message": f"The queue did not take the job: {error}.", "details": {}}
        ended: dict[str, Any] = {"state": "failed", "stage": "failed", "error": shown, "finished_at": now()}
        with writing() as session:
            move_state(session, row.id, ["queued"], of_run=row.run_number, of=type(row), **ended)
        raise
