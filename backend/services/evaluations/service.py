"""Evaluations: queue, follow, cancel, resume, read the rows."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import pyarrow as pa
from sqlalchemy.orm import Session

from backend.errors import Conflict
from backend.jobs import kinds
from backend.jobs.drafts import queue_evaluations
from backend.schemas import Page
from backend.schemas.evaluations import EvaluationIn, EvaluationOut, MarginRow
from backend.services.evaluations.measurements import eps_of, summarise
from backend.services.evaluations.views import show_evaluation, show_margin
from backend.services.shared.arguments import MAX_MARGINS, check_page, read_id
from backend.services.shared.forecasts import UNKNOWN, forecast_waiting
from backend.services.shared.jobs import Jobs
from backend.store import checkpoints, results
from backend.store import evaluations as store
from backend.store.database import reading
from backend.store.discarded import discard_evaluation
from backend.store.tables import Evaluation

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


def show_all(session: Session, rows: Sequence[Evaluation]) -> list[EvaluationOut]:
    """Rows as callers see them; the checkpoints' names and the queue are asked for once."""
    names = checkpoints.names_of(session, [row.checkpoint_id for row in rows])
    places = store.queue_positions(session) if any(row.state == "queued" for row in rows) else {}
    forecasts = forecast_waiting(session, rows)
    return [
        show_evaluation(
            row,
            checkpoint_name=names[row.checkpoint_id],
            chunks=store.chunks_of(session, row.id) if row.state == "running" else [],
            queue_position=places.get(row.id),
            forecast=forecasts.get(row.id, UNKNOWN),
            summary=summarise(row),
        )
        for row in rows
    ]


DEPENDANTS = {
    "evidence": "evidence of its own that waits or runs",
    "replays": "replays of its adversarials on other networks",
    "repeats": "repeats of it with other seeds",
    "prunings": "prunings that train on its margins",
    "transfers": "unfinished evaluations that try its adversarials",
}


def refuse_needed(session: Session, row: Evaluation) -> None:
    """Keep an evaluation that something else needs.

    The files of its adversarials stay in any case: their names are hashes of their content, and others may share them.
    """
    found = {name: count for name, count in store.count_dependants(session, row.id).items() if count}
    if found:
        words = ", ".join(f"{DEPENDANTS[name]} ({count:,})" for name, count in found.items())
        raise Conflict(f"This evaluation cannot be deleted; needed by: {words}. Cancel or delete those first.", **found)


def drop_with(session: Session, row: Evaluation) -> None:
    """Drop the looks that rest on an evaluation, and note its deletion where it was shipped."""
    store.drop_looks(session, row)
    discard_evaluation(session, row)


JOBS = Jobs(kinds.EVALUATION, show_all, check_delete=refuse_needed, before_delete=drop_with)
load_evaluation, get_evaluation = JOBS.load, JOBS.get
cancel_evaluation, resume_evaluation, delete_evaluation = JOBS.cancel, JOBS.resume, JOBS.delete


def list_evaluations(
    limit: int = 50,
    offset: int = 0,
    *,
    checkpoint_id: UUID | str | None = None,
    state: str | None = None,
    repeat_of: UUID | str | None = None,
) -> Page[EvaluationOut]:
    """A page of evaluations, newest first: of one checkpoint, in one state, or queued together as repeats."""
    conditions = []
    if checkpoint_id is not None:
        conditions.append(Evaluation.checkpoint_id == read_id(checkpoint_id, "checkpoint"))
    if repeat_of is not None:
        conditions.append(Evaluation.repeat_of == read_id(repeat_of, "evaluation"))
    return JOBS.page(limit, offset, *conditions, state=state)


def queue_evaluation(request: EvaluationIn, purpose: str = "user") -> EvaluationOut:
    """Check a request, write it down and queue it; with `repeat` once for each seed, and the first is returned.

    Raises: as `jobs.drafts.queue_evaluations`.
    """
    return get_evaluation(queue_evaluations(request, purpose)[0].id)


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


def _split_columns(columns: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """Rows by name from columns by name."""
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))
