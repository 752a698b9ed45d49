"""Questions about per-sample rows."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.store.tables import Attempt, Result, Sample

COLUMNS = (
    "index",
    "label",
    "prediction",
    "correct",
    "found",
    "margin",
    "kind",
    "margin_pred",
    "attack",
    "adversarial_prediction",
    "logit_gap",
    "max_probability",
    "loss",
    "survives_8bit",
)


def result_columns(
    session: Session, evaluation_id: UUID, limit: int | None = None, offset: int = 0
) -> dict[str, list[Any]]:
    """Results of an evaluation as columns, by index; `sample_id` is the content id, missing values are None."""
    fields = [getattr(Result, name) for name in COLUMNS]
    question = (
        select(Sample.content_id, *fields)
        .join(Sample, Sample.id == Result.sample_id)
        .where(Result.evaluation_id == evaluation_id)
        .order_by(Result.index)
    )
    rows = session.execute(question.limit(limit).offset(offset)).all()
    names = ("sample_id", *COLUMNS)
    columns = zip(*rows, strict=True) if rows else [[] for _ in names]
    return {name: list(column) for name, column in zip(names, columns, strict=True)}


def count_results(session: Session, evaluation_id: UUID) -> int:
    return session.scalar(select(func.count()).select_from(Result).where(Result.evaluation_id == evaluation_id)) or 0


def find_result(session: Session, evaluation_id: UUID, index: int) -> tuple[Result, str] | None:
    """The row of one sample by its index in the data set."""
    question = (
        select(Result, Sample.content_id)
        .join(Sample, Sample.id == Result.sample_id)
        .where(Result.evaluation_id == evaluation_id, Result.index == index)
    )
    row = session.execute(question).first()
    return None if row is None else (row[0], row[1])


def count_attempts(session: Session, evaluation_id: UUID, attack: str) -> tuple[int, int]:
    """(found, tried) of one attack over the samples that the network gets right."""
    of_attack = (
        select(func.count())
        .select_from(Attempt)
        .join(Result, (Result.evaluation_id == Attempt.evaluation_id) & (Result.sample_id == Attempt.sample_id))
        .where(Attempt.evaluation_id == evaluation_id, Attempt.attack == attack, Result.correct)
    )
    return session.scalar(of_attack.where(Attempt.found)) or 0, session.scalar(of_attack) or 0


def attempts_of(session: Session, evaluation_id: UUID, sample_number: int) -> list[Attempt]:
    question = select(Attempt).where(Attempt.evaluation_id == evaluation_id, Attempt.sample_id == sample_number)
    return list(session.scalars(question.order_by(Attempt.stage, Attempt.attack)))
