"""When a waiting job is expected to start, and when every job is expected to end: the queue played through.

The pace of an evaluation is its own, else that of the newest one alike. Where nothing tells how long a job takes,
nothing is said about it, nor about what waits behind it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from math import inf, isfinite
from uuid import UUID

from sqlalchemy.orm import Session

from backend.schemas import ACTIVE
from backend.store import evaluations, workers
from backend.store.evaluations import Pace
from backend.store.jobs import jobs_in
from backend.store.tables import Evaluation, Evidence, Job, Pruning

SLICE_SECONDS = 2.0  # of a small network on a CPU


@dataclass(frozen=True)
class QueuedJob:
    """A job as the queue sees it: `seconds` of work left, `chunk_seconds` until it could give way; inf: not known."""

    id: UUID
    priority: int
    is_running: bool
    seconds: float
    chunk_seconds: float = inf


@dataclass(frozen=True)
class Forecast:
    """Seconds from now until a job starts (0 where it runs) and ends; None where nothing tells."""

    starts: float | None = None
    ends: float | None = None


UNKNOWN = Forecast()


def forecast_waiting(session: Session, rows: Sequence[Job]) -> dict[UUID, Forecast]:
    """A forecast for each of these jobs that waits."""
    waiting = {row.id for row in rows if row.state == "queued"}
    found = forecast_queue(session) if waiting else {}
    return {id: forecast for id, forecast in found.items() if id in waiting}


def forecast_queue(session: Session) -> dict[UUID, Forecast]:
    """A forecast for every job that runs or waits."""
    active: list[Job] = []
    for table in (Evaluation, Evidence, Pruning):
        active += jobs_in(session, table, ACTIVE)
    active.sort(key=lambda row: (row.priority, row.created_at, row.id))
    known = evaluations.paces_of(session) if active else []
    return play([describe_task(row, known) for row in active], len(workers.living_workers(session)))


def describe_task(row: Job, known: Sequence[Pace]) -> QueuedJob:
    """What is left of a job, in seconds."""
    seconds, chunk_seconds = inf, inf
    if isinstance(row, Evaluation):
        pace = inf if row.record.imported else choose_pace(row, known)  # verifying takes less than attacking
        seconds, chunk_seconds = pace * (row.n - row.done), pace * min(row.chunk_size, row.n)
    elif isinstance(row, Evidence) and row.budget_unit == "seconds":
        seconds = max(0.0, (row.budget or 0.0) - row.spent)
    elif isinstance(row, Evidence) and row.state == "running" and row.done:
        seconds = row.seconds / row.done * (row.steps - row.done)
    elif isinstance(row, Evidence) and row.kind == "slice":
        seconds = SLICE_SECONDS
    elif isinstance(row, Pruning) and row.state == "running" and row.eta_seconds is not None:
        seconds = row.eta_seconds
    return QueuedJob(row.id, row.priority, row.state == "running", seconds, chunk_seconds)


def choose_pace(row: Evaluation, known: Sequence[Pace]) -> float:
    """Seconds a sample takes: its own, else of its preset on the same checkpoint, else on any; inf where not known."""
    alike = [one for one in known if one.preset == row.preset]
    own = [one for one in alike if one.evaluation_id == row.id]
    same = [one for one in alike if one.checkpoint_id == row.checkpoint_id]
    return next((one.seconds for group in (own, same, alike) for one in group), inf)


def play(tasks: Sequence[QueuedJob], workers: int) -> dict[UUID, Forecast]:
    """Play the queue through.

    Args:
        tasks: in the order of the queue.
        workers: how many live; without one nothing is expected.
    """
    if not workers:
        return {task.id: UNKNOWN for task in tasks}
    waiting = [task for task in tasks if not task.is_running]
    running = [task for task in tasks if task.is_running]
    free = [0.0] * max(0, workers - len(running))
    urgent = len(free)  # place of the next waiting job that some running one may give way to
    found: dict[UUID, Forecast] = {}
    line = list(waiting)
    for task in reversed(running):
        gives_way = urgent < len(waiting) and waiting[urgent].priority < task.priority
        if gives_way and task.chunk_seconds < task.seconds:
            urgent += 1
            free.append(task.chunk_seconds)
            left = replace(task, seconds=task.seconds - task.chunk_seconds)
            place = next((i for i, one in enumerate(line) if one.priority >= task.priority), len(line))
            line.insert(place, left)
        else:
            free.append(task.seconds)
            found[task.id] = Forecast(0.0, told(task.seconds))
    heapify(free)
    for task in line:
        start = heappop(free)
        heappush(free, start + task.seconds)
        found[task.id] = Forecast(0.0 if task.is_running else told(start), told(start + task.seconds))
    return found


def told(seconds: float) -> float | None:
    return seconds if isfinite(seconds) else None
