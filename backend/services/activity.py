"""What goes on now: which jobs wait or run, and a stamp that says whether anything else changed."""

import hashlib
from dataclasses import dataclass

from backend.jobs.kinds import KINDS
from backend.schemas.evaluations import EvaluationOut
from backend.schemas.evidence import EvidenceOut
from backend.schemas.prunings import PruningOut
from backend.services.evaluations import list_evaluations
from backend.services.evidence import list_evidence
from backend.services.prunings import list_prunings
from backend.store.activity import stamp_checkpoints, stamp_jobs
from backend.store.database import reading
from backend.store.jobs import count_active

FOLLOWED = 200  # of each kind and state: more than a page shows


@dataclass(frozen=True)
class Activity:
    """`stamp` changes whenever more changes than the progress of what runs; `waiting` counts what waits or runs."""

    stamp: str
    waiting: int
    jobs: list[EvaluationOut | EvidenceOut | PruningOut]


def read_activity() -> Activity:
    """The present state. Cheap: it reads no result, and of the jobs only those that wait or run."""
    with reading() as session:
        stamps = [stamp_jobs(session, kind.table) for kind in KINDS]
        stamps.append(stamp_checkpoints(session))
        waiting = sum(count_active(session, kind.table) for kind in KINDS)
    stamp = hashlib.sha256("".join(stamps).encode()).hexdigest()[:16]
    if not waiting:
        return Activity(stamp, 0, [])
    jobs: list[EvaluationOut | EvidenceOut | PruningOut] = []
    for state in ("running", "queued"):
        jobs += list_evaluations(FOLLOWED, state=state).items
        jobs += list_evidence(FOLLOWED, state=state).items
        jobs += list_prunings(FOLLOWED, state=state).items
    return Activity(stamp, waiting, jobs)
