"""The kinds of jobs with one life, a row each: what people call one, its table, its workflow, what it keeps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic

from sqlalchemy.orm import Session

from backend.counts import count_words
from backend.jobs import queue
from backend.store.evaluations import add_log
from backend.store.jobs import J
from backend.store.tables import Evaluation, Evidence, Job, Pruning


def say_nothing(_session: Session, _row: Job, _text: str) -> None:
    """The log of a kind that keeps none."""


@dataclass(frozen=True)
class Kind(Generic[J]):
    """A kind of job. `one` is how a sentence calls one; `keeps` is what a resume goes on from; `log` writes a line down
    that people read."""

    noun: str
    one: str
    table: type[J]
    workflow: str
    keeps: str
    log: Callable[[Session, J, str], None] = say_nothing


EVALUATION = Kind(
    "evaluation",
    "an evaluation",
    Evaluation,
    queue.EVALUATE,
    "its finished chunks",
    lambda session, row, text: add_log(session, row.id, f"{text}; {row.done} of {count_words(row.n, 'sample')} done"),
)
EVIDENCE = Kind("evidence", "evidence", Evidence, queue.EVIDENCE, "what it found so far")
PRUNING = Kind("pruning", "a pruning", Pruning, queue.PRUNE, "the state of its training")

KINDS: tuple[Kind[Any], ...] = (EVALUATION, EVIDENCE, PRUNING)


def kind_of(row: J) -> Kind[J]:
    """The kind of a job."""
    return next(kind for kind in KINDS if isinstance(row, kind.table))
