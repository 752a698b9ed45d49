"""Questions about evaluations, their chunks and their log, and the write that ends a chunk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import sqlalchemy
from sqlalchemy import Dialect, and_, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler

from backend.schemas import ACTIVE
from backend.schemas.evidence import LOOKS
from backend.store.jobs import leave_out, lock_job, move_state
from backend.store.prunings import DENSE_MARGINS
from backend.store.results import Columns, bounds_of
from backend.store.tables import Attempt, Chunk, Evaluation, Evidence, LogLine, Pruning, Result, Table, now

IMPORTED = "imported"
"""In place of the worker that attacked a chunk: it was one of another machine."""

TRANSFER = "transfer"
"""In the record of an evaluation: the one of the parent whose adversarials it tries, if any."""


def succeeded_evaluations(
    session: Session, checkpoint_ids: Sequence[UUID], preset: str | None = None
) -> list[Evaluation]:
    """Finished evaluations of the given checkpoints (with that preset), newest first and without their `indices`."""
    question = select(Evaluation).options(*leave_out(Evaluation)).where(Evaluation.state == "succeeded")
    question = question.where(Evaluation.checkpoint_id.in_(checkpoint_ids))
    if preset is not None:
        question = question.where(Evaluation.preset == preset)
    return list(session.scalars(question.order_by(Evaluation.created_at.desc(), Evaluation.id.desc())))


def count_evaluations(session: Session, evaluation_ids: Sequence[UUID]) -> int:
    """How many of these are in the store."""
    return session.scalar(select(func.count()).select_from(Evaluation).where(Evaluation.id.in_(evaluation_ids))) or 0


def indices_of(session: Session, evaluation_ids: Sequence[UUID]) -> dict[UUID, list[int]]:
    """Rows of the data set that each evaluation is of."""
    question = select(Evaluation.id, Evaluation.indices).where(Evaluation.id.in_(evaluation_ids))
    return {row.id: row.indices for row in session.execute(question)}


def whole_evaluation(
    session: Session, checkpoint_id: UUID, dataset_id: UUID, size: int, *, norm: str, presets: Sequence[str]
) -> Evaluation | None:
    """The newest finished one of a checkpoint on all `size` samples of a data set, without its `indices`."""
    question = select(Evaluation).where(
        Evaluation.checkpoint_id == checkpoint_id,
        Evaluation.dataset_id == dataset_id,
        Evaluation.state == "succeeded",
        Evaluation.n == size,
        Evaluation.norm == norm,
        Evaluation.preset.in_(presets),
    )
    newest = question.options(*leave_out(Evaluation)).order_by(Evaluation.created_at.desc(), Evaluation.id.desc())
    return session.scalars(newest.limit(1)).first()


def queue_positions(session: Session) -> dict[UUID, int]:
    """The place in the queue of each evaluation that waits: 1 for the next to run."""
    waiting = select(Evaluation.id).where(Evaluation.state == "queued")
    ordered = session.scalars(waiting.order_by(Evaluation.priority, Evaluation.created_at, Evaluation.id))
    return {id: place for place, id in enumerate(ordered, 1)}


def count_dependants(session: Session, evaluation_id: UUID) -> dict[str, int]:
    """How many rows need this evaluation, by what they are; those that are deleted with it are no dependants.

    Evidence that waits or runs is about to write; a replay elsewhere refers to it; repeats are listed under the first
    of them; a pruning trains on its margins; an unfinished evaluation tries its adversarials.
    """
    named = str(evaluation_id)
    is_look_from = and_(Evidence.source_evaluation_id == evaluation_id, Evidence.kind.in_(LOOKS))
    questions = {
        "evidence": select(Evidence).where(
            or_(Evidence.evaluation_id == evaluation_id, is_look_from), Evidence.state.in_(ACTIVE)
        ),
        "replays": select(Evidence).where(Evidence.source_evaluation_id == evaluation_id, Evidence.kind.not_in(LOOKS)),
        "repeats": select(Evaluation).where(Evaluation.repeat_of == evaluation_id, Evaluation.id != evaluation_id),
        "prunings": select(Pruning).where(Pruning.record[(DENSE_MARGINS, "evaluation_id")].as_string() == named),
        "transfers": select(Evaluation).where(
            Evaluation.record[(TRANSFER, "evaluation_id")].as_string() == named, Evaluation.state != "succeeded"
        ),
    }
    return {name: session.scalar(question.with_only_columns(func.count())) or 0 for name, question in questions.items()}


def drop_looks(session: Session, row: Evaluation) -> None:
    """Delete the boundary slices and restored layers of pairs with this evaluation as the dense side."""
    session.execute(delete(Evidence).where(Evidence.source_evaluation_id == row.id, Evidence.kind.in_(LOOKS)))


@dataclass(frozen=True)
class Pace:
    """How many seconds a sample of an evaluation took."""

    evaluation_id: UUID
    preset: str
    checkpoint_id: UUID
    seconds: float


def paces_of(session: Session, limit: int = 200) -> list[Pace]:
    """The paces of the newest evaluations with a chunk that was attacked here, newest first."""
    seconds, samples = func.sum(Chunk.seconds), func.sum(Chunk.samples)
    question = select(Evaluation.id, Evaluation.preset, Evaluation.checkpoint_id, seconds / samples)
    question = question.join(Chunk, Chunk.evaluation_id == Evaluation.id).where(Chunk.worker_id != IMPORTED)
    question = question.group_by(Evaluation.id)
    newest = question.order_by(Evaluation.created_at.desc(), Evaluation.id.desc()).limit(limit)
    return [Pace(*row) for row in session.execute(newest)]


def keep_summary(session: Session, evaluation_id: UUID, summary: dict[str, Any]) -> None:
    """Write down what the rows of a succeeded evaluation come to; they never change again."""
    move_state(session, Evaluation, evaluation_id, ["succeeded"], summary=summary)


def finished_chunks(session: Session, evaluation_id: UUID) -> set[int]:
    return set(session.scalars(select(Chunk.number).where(Chunk.evaluation_id == evaluation_id)))


def chunks_of(session: Session, evaluation_id: UUID) -> list[Chunk]:
    return list(session.scalars(select(Chunk).where(Chunk.evaluation_id == evaluation_id).order_by(Chunk.number)))


def insert_new(session: Session, table: type[Table], rows: list[dict[str, Any]]) -> None:
    """Insert rows whose key is not there yet (a step may run twice; the first writer wins)."""
    insert_columns(session, table, as_columns(rows))


def as_columns(rows: Sequence[Mapping[str, Any]]) -> Columns:
    """Rows that all have the same names, by these names."""
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def insert_columns(session: Session, table: type[Table], columns: Columns) -> None:
    """As `insert_new`. SQLite's driver gets all rows at once: SQLAlchemy's work on each takes three times as long."""
    if not columns:
        return
    bare = table.__table__  # by the class SQLAlchemy would send one statement a row
    assert isinstance(bare, sqlalchemy.Table)
    connection = session.connection()
    dialect = connection.dialect
    insert = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
    statement = insert(bare).on_conflict_do_nothing()
    names = list(columns)
    compiled = statement.compile(dialect=dialect, column_keys=names)
    if not isinstance(compiled, SQLCompiler) or compiled.positiontup is None or set(compiled.positiontup) != set(names):
        rows = zip(*columns.values(), strict=True)
        session.execute(statement, [dict(zip(names, row, strict=True)) for row in rows])
        return
    bound = [_bind(bare.c[name], columns[name], dialect) for name in compiled.positiontup]
    connection.exec_driver_sql(compiled.string, list(zip(*bound, strict=True)))


def _bind(column: sqlalchemy.Column[Any], values: list[Any], dialect: Dialect) -> list[Any]:
    """The values as the driver takes them."""
    process = column.type.dialect_impl(dialect).bind_processor(dialect)
    return values if process is None else [process(value) for value in values]


def store_chunk(
    session: Session,
    chunk: dict[str, Any],
    attempts: Columns,
    results: Columns,
    *,
    of_run: int | None = None,
) -> Literal["stored", "known", "stopped"]:
    """Write a chunk's rows and its progress in the caller's transaction.

    "known": the chunk was stored before (a step may run twice), nothing is written. "stopped": the evaluation no longer
    runs (cancelled by its owner), or no longer in run `of_run`; nothing is written.
    """
    evaluation_id = chunk["evaluation_id"]
    locked = lock_job(session, Evaluation, evaluation_id)
    if locked is None or locked.state != "running" or of_run not in (None, locked.run_number):
        return "stopped"
    if session.get(Chunk, (evaluation_id, chunk["number"])) is not None:
        return "known"
    store_chunks(session, [chunk], attempts, results)
    done = select(func.coalesce(func.sum(Chunk.samples), 0)).where(Chunk.evaluation_id == evaluation_id)
    move_state(session, Evaluation, evaluation_id, ["running"], done=done.scalar_subquery())
    return "stored"


def store_chunks(session: Session, chunks: list[dict[str, Any]], attempts: Columns, results: Columns) -> None:
    """Write the rows of some chunks of an evaluation that nobody else writes."""
    insert_new(session, Chunk, [chunk | {"finished_at": now()} for chunk in chunks])
    insert_columns(session, Attempt, attempts)
    insert_columns(session, Result, results | bounds_of(results, attempts))


def add_log(session: Session, evaluation_id: UUID, text: str) -> None:
    session.add(LogLine(evaluation_id=evaluation_id, text=text))


def log_tail(session: Session, evaluation_id: UUID, lines: int = 50) -> list[tuple[datetime, str]]:
    """The last lines, oldest first."""
    newest = select(LogLine).where(LogLine.evaluation_id == evaluation_id).order_by(LogLine.id.desc()).limit(lines)
    return [(line.at, line.text) for line in reversed(session.scalars(newest).all())]
