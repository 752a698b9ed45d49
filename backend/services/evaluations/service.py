"""Evaluations: queue, follow, cancel, resume, read the rows."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import pyarrow as pa
from sqlalchemy.orm import Session

from backend.errors import Conflict, InvalidRequest, NotFound
from backend.jobs import queue
from backend.jobs.drafts import queue_evaluations
from backend.jobs.lifecycle import hand_over
from backend.schemas import EvaluationIn, EvaluationOut, MarginRow, Page, State
from backend.services.evaluations.measurements import eps_of, summarise
from backend.services.evaluations.views import show_evaluation, show_margin
from backend.services.shared.arguments import MAX_MARGINS, check_page, read_id
from backend.store import checkpoints, results
from backend.store import evaluations as store
from backend.store.database import reading, writing
from backend.store.tables import Evaluation, now

STATES: tuple[State, ...] = ("queued", "running", "succeeded", "failed", "cancelled")
ENDED = ("failed", "cancelled")

MARGIN_TYPES: dict[str, pa.DataType] = {
    "index": pa.int64(),
    "sample_id": pa.string(),
    "label": pa.int64(),
    "prediction": pa.int64(),
    "correct": pa.bool_(),
    "margin": pa.float64(),
    "margin_pred": pa.float64(),
    "distance_kind": pa.string(),
    "found": pa.bool_(),
    "robust": pa.bool_(),
    "attack": pa.string(),
    "adversarial_prediction": pa.int64(),
    "logit_gap": pa.float64(),
    "max_probability": pa.float64(),
    "loss": pa.float64(),
    "survives_8bit": pa.bool_(),
    "slack_to_flip": pa.float64(),
    "best_known": pa.float64(),
    "best_known_found": pa.bool_(),
    "best_known_robust": pa.bool_(),
    "best_known_source": pa.string(),
    "has_evidence": pa.bool_(),
}


def list_evaluations(
    limit: int = 50,
    offset: int = 0,
    *,
    checkpoint_id: UUID | str | None = None,
    state: str | None = None,
    repeat_of: UUID | str | None = None,
) -> Page[EvaluationOut]:
    """A page of evaluations, newest first: of one checkpoint, in one state, or queued together as repeats."""
    check_page(limit, offset)
    check_state(state)
    wanted = None if checkpoint_id is None else read_id(checkpoint_id, "checkpoint")
    first = None if repeat_of is None else read_id(repeat_of, "evaluation")
    with reading() as session:
        rows, total = store.page_of_evaluations(
            session, limit, offset, checkpoint_id=wanted, state=state, repeat_of=first
        )
        items = show_all(session, rows)
    return Page(items=items, total=total, limit=limit, offset=offset)


def check_state(state: str | None) -> None:
    """Refuse a state that no job is ever in."""
    if state is not None and state not in STATES:
        raise InvalidRequest(f"There is no state {state!r}. Known: {', '.join(STATES)}.", state=state)


def get_evaluation(evaluation_id: UUID | str) -> EvaluationOut:
    """One evaluation with its progress, or its summary once it succeeded."""
    with reading() as session:
        return show_all(session, [load_evaluation(session, evaluation_id)])[0]


def load_evaluation(session: Session, evaluation_id: UUID | str) -> Evaluation:
    """The row of an evaluation.

    Raises:
        NotFound: there is none of that id.
    """
    row = store.find_evaluation(session, read_id(evaluation_id, "evaluation"))
    if row is None:
        raise NotFound(f"There is no evaluation {evaluation_id}.", evaluation_id=str(evaluation_id))
    return row


def show_all(session: Session, rows: Sequence[Evaluation]) -> list[EvaluationOut]:
    """Rows as callers see them; the checkpoints' names are asked for once."""
    names = checkpoints.names_of(session, [row.checkpoint_id for row in rows])
    return [
        show_evaluation(
            row,
            checkpoint_name=names[row.checkpoint_id],
            chunks=store.chunks_of(session, row.id) if row.state == "running" else [],
            queue_position=store.queue_position(session, row),
            summary=summarise(row),
        )
        for row in rows
    ]


def queue_evaluation(request: EvaluationIn, purpose: str = "user") -> EvaluationOut:
    """Check a request, write it down and queue it; with `repeat` once for each seed, and the first is answered.

    Raises: as `jobs.drafts.queue_evaluations`.
    """
    return get_evaluation(queue_evaluations(request, purpose)[0].id)


def cancel_evaluation(evaluation_id: UUID | str) -> EvaluationOut:
    """Take a waiting evaluation out of the queue, or end a running one; finished chunks stay for a resume.

    Raises:
        NotFound: no such evaluation.
        Conflict: it ended already; says how.
    """
    with writing() as session:
        row = load_evaluation(session, evaluation_id)
        if not store.move_state(session, row.id, store.ACTIVE, state="cancelled", stage="cancelled", finished_at=now()):
            raise Conflict(f"This evaluation is {row.state} already; there is nothing to cancel.", state=row.state)
        store.add_log(session, row.id, f"cancelled after {row.done} of {row.n} samples")
    queue.cancel_evaluation(row.id, row.run_number)
    return get_evaluation(row.id)


def resume_evaluation(evaluation_id: UUID | str) -> EvaluationOut:
    """Queue a failed or cancelled evaluation again; it goes on after its finished chunks.

    Raises:
        NotFound: no such evaluation.
        Conflict: it waits, runs or succeeded.
    """
    with writing() as session:
        row = load_evaluation(session, evaluation_id)
        fresh: dict[str, Any] = {"state": "queued", "stage": "waiting", "error": None, "finished_at": None}
        if not store.move_state(session, row.id, ENDED, run_number=row.run_number + 1, **fresh):
            raise Conflict(
                f"This evaluation is {row.state}; only failed and cancelled ones can be resumed.", state=row.state
            )
        store.add_log(session, row.id, f"resumed with {row.done} of {row.n} samples done")
        session.refresh(row)
    hand_over(row, queue.enqueue_evaluation)
    return get_evaluation(row.id)


def margins(evaluation_id: UUID | str, limit: int = MAX_MARGINS, offset: int = 0) -> Page[MarginRow]:
    """Per-sample rows by index; of an unfinished evaluation those stored so far."""
    check_page(limit, offset, MAX_MARGINS)
    with reading() as session:
        evaluation = load_evaluation(session, evaluation_id)
        total = results.count_results(session, evaluation.id)
        columns = results.result_columns(session, evaluation.id, limit, offset)
    eps = eps_of(evaluation)
    items = [show_margin(row, eps) for row in _split_columns(columns)]
    return Page(items=items, total=total, limit=limit, offset=offset)


def margins_table(evaluation_id: UUID | str) -> pa.Table:
    """Every stored row as a table with the columns of `MarginRow`; missing values are null."""
    with reading() as session:
        evaluation = load_evaluation(session, evaluation_id)
        columns = results.result_columns(session, evaluation.id)
    eps = eps_of(evaluation)
    rows = [show_margin(row, eps).model_dump() for row in _split_columns(columns)]
    schema = pa.schema([pa.field(name, kind) for name, kind in MARGIN_TYPES.items()])
    return pa.Table.from_pylist(rows, schema=schema)


def log_tail(evaluation_id: UUID | str, lines: int = 50) -> list[dict[str, Any]]:
    """The last `lines` of the log, oldest first: `at` (UTC) and `text`."""
    with reading() as session:
        row = load_evaluation(session, evaluation_id)
        return [{"at": at, "text": text} for at, text in store.log_tail(session, row.id, lines)]


def requeue_waiting() -> None:
    """Hand every waiting evaluation to the queue again: a process may have died between writing it down and that."""
    with reading() as session:
        waiting = store.evaluations_in(session, ["queued"])
    for row in waiting:
        queue.enqueue_evaluation(row.id, row.run_number, row.priority)


def _split_columns(columns: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """Rows by name from columns by name."""
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))
