"""The demo: the shipped checkpoints evaluated in an order that puts a first comparison on screen early."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from backend.jobs.drafts import draft_evaluations
from backend.jobs.lifecycle import enqueue
from backend.schemas.evaluations import EvaluationIn
from backend.store import datasets
from backend.store.database import reading, writing
from backend.store.jobs import page_of_jobs
from backend.store.tables import Checkpoint, Evaluation
from models.pruning.plans import BASELINE, CONTROL, METHODS

PURPOSE = "demo"


@dataclass(frozen=True)
class DemoRun:
    """One evaluation of a shipped checkpoint; smaller priorities go first, users' work has 10."""

    card: str
    preset: str
    samples: int
    priority: int


OTHERS = (*(f"cnn-{BASELINE}-{percent}" for percent in (99, 90, 80)), "cnn-dense-seed1")
FAMILY = ("cnn-dense", f"cnn-{BASELINE}-95", f"cnn-{CONTROL}", *OTHERS)
RIVALS = tuple(f"cnn-{method}-95" for method in METHODS if method != BASELINE)
RUNS = (
    *(DemoRun(card, "margin", 300, 50) for card in FAMILY[:3]),
    *(DemoRun(card, "margin", 2000, 60) for card in FAMILY[:3]),
    *(DemoRun(card, "margin", 300, 65) for card in RIVALS),
    *(DemoRun(card, "margin", 2000, 70) for card in FAMILY[3:]),
    *(DemoRun(card, "autoattack", 200, 90) for card in FAMILY[:4]),
)
"""What is listed and not shipped is left out; the other shipped checkpoints wait for their user's wish."""


def queue_demo(zoo: dict[str, Checkpoint]) -> int:
    """Queue the demo evaluations unless the store holds any evaluation; gives how many were queued.

    All rows are written in one transaction: a start that is cut off has queued all of them or none, and the next
    start hands the written ones to the queue.
    """
    with reading() as session:
        if page_of_jobs(session, Evaluation, 1, 0)[1]:
            return 0
        rows = [row for run in RUNS if run.card in zoo for row in _draft_run(session, run, zoo[run.card])]
    with writing() as session:
        for row in rows:
            session.add(row)
            session.flush()  # one by one, so that their ages tell their order
    for row in rows:
        enqueue(row)
    return len(rows)


def _draft_run(session: Session, run: DemoRun, checkpoint: Checkpoint) -> list[Evaluation]:
    dataset = datasets.need_dataset(session, checkpoint.dataset_id)
    request = EvaluationIn(
        checkpoint_id=checkpoint.id,
        dataset_id=dataset.slug,
        samples=min(run.samples, dataset.size),
        preset=run.preset,
        priority=run.priority,
    )
    return draft_evaluations(session, request, PURPOSE)
