"""Questions about per-sample rows."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, distinct, func, or_, select, update
from sqlalchemy.orm import Session, aliased

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
    "best_known",
    "best_known_found",
    "best_known_series",
    "best_known_source",
)
Columns = dict[str, list[Any]]
"""Values by the names of their columns, all of one length."""
SOURCE_LENGTH = 200  # of `result.best_known_source`
FALLBACKS = 1  # series of the attempts of fallback attacks in an evaluation's own run; 0 is its primary run


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


def rows_of(session: Session, evaluation_id: UUID) -> list[Result]:
    """Every result of an evaluation, by index."""
    question = select(Result).where(Result.evaluation_id == evaluation_id)
    return list(session.scalars(question.order_by(Result.index)))


def own_attempts(session: Session, evaluation_id: UUID) -> list[Attempt]:
    """Every attempt of an evaluation's own run: its primary run and its fallback attacks."""
    question = select(Attempt).where(Attempt.evaluation_id == evaluation_id, Attempt.series <= FALLBACKS)
    return list(session.scalars(question.order_by(Attempt.sample_id, Attempt.series, Attempt.attack)))


def margins_of(session: Session, evaluation_id: UUID) -> list[tuple[int, float | None]]:
    """(index, margin) of every result, by index; None where nothing was found."""
    question = select(Result.index, Result.margin).where(Result.evaluation_id == evaluation_id).order_by(Result.index)
    return [(index, margin) for index, margin in session.execute(question)]


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


def rows_of_sample(session: Session, evaluation_ids: Sequence[UUID], content_id: str) -> list[Result]:
    """The rows of one sample in some evaluations; none of those that do not hold it."""
    question = select(Result).join(Sample, Sample.id == Result.sample_id)
    return list(
        session.scalars(question.where(Sample.content_id == content_id, Result.evaluation_id.in_(evaluation_ids)))
    )


def lacks_adversarial(result: Result) -> bool:
    """Whether an adversarial was found that is not kept: an imported evaluation may come without."""
    return result.correct and result.found and result.shard is None


def keep_adversarial(session: Session, evaluation_id: UUID, sample_number: int, shard: str) -> bool:
    """Add to a result the only adversarial of a shard, unless it has one; gives whether it was added."""
    question = update(Result).where(
        Result.evaluation_id == evaluation_id, Result.sample_id == sample_number, Result.shard.is_(None)
    )
    changed = session.execute(question.values(shard=shard, shard_row=0))
    assert isinstance(changed, CursorResult)
    return changed.rowcount == 1


def count_attempts(session: Session, evaluation_id: UUID, attack: str) -> tuple[int, int]:
    """(found, tried) of one attack over the samples that the network gets right."""
    of_attack = (
        select(func.count())
        .select_from(Attempt)
        .join(Result, (Result.evaluation_id == Attempt.evaluation_id) & (Result.sample_id == Attempt.sample_id))
        .where(Attempt.evaluation_id == evaluation_id, Attempt.attack == attack, Result.correct)
    )
    return session.scalar(of_attack.where(Attempt.found)) or 0, session.scalar(of_attack) or 0


def count_fallbacks(session: Session, evaluation_id: UUID, eps: float) -> tuple[int, int]:
    """(broken within eps, tried) by the fallback attacks of an evaluation's own run, of samples that the network gets
    right.
    """
    of_fallbacks = (
        select(func.count(distinct(Attempt.sample_id)))
        .join(Result, (Result.evaluation_id == Attempt.evaluation_id) & (Result.sample_id == Attempt.sample_id))
        .where(Attempt.evaluation_id == evaluation_id, Attempt.series == FALLBACKS, Result.correct)
    )
    broken = of_fallbacks.where(Attempt.found, Attempt.distance <= eps)
    return session.scalar(broken) or 0, session.scalar(of_fallbacks) or 0


def attempts_of(session: Session, evaluation_id: UUID, sample_number: int) -> list[Attempt]:
    question = select(Attempt).where(Attempt.evaluation_id == evaluation_id, Attempt.sample_id == sample_number)
    return list(session.scalars(question.order_by(Attempt.series, Attempt.attack)))


def bounds_of(results: Columns, attempts: Columns) -> Columns:
    """The columns of the best-known bounds of new results: the primary run's margin, or what a fallback attack of the
    run found.
    """
    nearest = _find_nearest(attempts)
    rows = zip(*(results[name] for name in ("sample_id", "found", "margin", "attack")), strict=True) if results else ()
    bounds = [
        bound_of({"found": found, "margin": margin, "attack": attack}, nearest.get(sample))
        for sample, found, margin, attack in rows
    ]
    return {name: [bound[name] for bound in bounds] for name in bounds[0]} if bounds else {}


def _find_nearest(attempts: Columns) -> dict[int, dict[str, Any]]:
    """The nearest found attempt of the fallback attacks by sample."""
    nearest: dict[int, dict[str, Any]] = {}
    names = ("sample_id", "series", "found", "distance", "attack")
    for sample, series, found, distance, attack in zip(*(attempts.get(name, ()) for name in names), strict=True):
        if series == 0 or not found or distance is None:
            continue
        if sample not in nearest or distance < nearest[sample]["distance"]:
            nearest[sample] = {"series": series, "distance": distance, "source": attack}
    return nearest


def bound_of(row: Mapping[str, Any], nearest: Mapping[str, Any] | None) -> dict[str, Any]:
    """The columns of a sample's best-known bound.

    Args:
        row: what the primary run says: found, margin, attack.
        nearest: series, distance and source of the nearest attempt beyond the primary run; None without any.
    """
    if nearest is None or (row["found"] and nearest["distance"] >= row["margin"]):
        series, distance, found, source = 0, row["margin"], row["found"], row["attack"]
    else:
        series, distance, found, source = nearest["series"], nearest["distance"], True, nearest["source"]
    return {
        "best_known": distance,
        "best_known_found": found,
        "best_known_series": series,
        "best_known_source": source[:SOURCE_LENGTH],
    }


def lower_bound(session: Session, attempt: dict[str, Any], source: str) -> bool:
    """Make a found attempt's distance the sample's best-known bound where it is the smallest; gives whether it was."""
    if not attempt["found"] or attempt["distance"] is None:
        return False
    question = update(Result).where(
        Result.evaluation_id == attempt["evaluation_id"],
        Result.sample_id == attempt["sample_id"],
        or_(Result.best_known.is_(None), Result.best_known > attempt["distance"]),
    )
    bound = {
        "best_known": attempt["distance"],
        "best_known_found": True,
        "best_known_series": attempt["series"],
        "best_known_source": source[:SOURCE_LENGTH],
    }
    changed = session.execute(question.values(**bound))
    assert isinstance(changed, CursorResult)
    return changed.rowcount == 1


def count_bounds(session: Session, evaluation_id: UUID, series: int) -> int:
    """Samples whose best-known bound was set by that series."""
    question = select(func.count()).select_from(Result)
    return (
        session.scalar(question.where(Result.evaluation_id == evaluation_id, Result.best_known_series == series)) or 0
    )


def lowered_bounds(session: Session, evaluation_id: UUID) -> dict[str, tuple[float, int, str]]:
    """(best-known bound, its series, its source) by content id, of the samples where it is below the primary run's."""
    question = (
        select(Sample.content_id, Result.best_known, Result.best_known_series, Result.best_known_source)
        .join(Sample, Sample.id == Result.sample_id)
        .where(Result.evaluation_id == evaluation_id, Result.best_known_series > 0, Result.best_known.is_not(None))
    )
    return {row[0]: (row[1], row[2], row[3]) for row in session.execute(question) if row[1] is not None}


def nearest_fallbacks(session: Session, evaluation_id: UUID) -> dict[str, float]:
    """Smallest distance at which the fallback attacks of an evaluation's own run broke a sample, by content id."""
    question = (
        select(Sample.content_id, func.min(Attempt.distance))
        .join(Sample, Sample.id == Attempt.sample_id)
        .where(Attempt.evaluation_id == evaluation_id, Attempt.series == FALLBACKS, Attempt.found)
        .group_by(Sample.content_id)
    )
    return {row[0]: row[1] for row in session.execute(question) if row[1] is not None}


def results_of(session: Session, evaluation_id: UUID, indices: Sequence[int]) -> dict[int, Result]:
    """Rows by index, of the given rows of the data set that the evaluation has."""
    question = select(Result).where(Result.evaluation_id == evaluation_id, Result.index.in_(indices))
    return {row.index: row for row in session.scalars(question)}


def series_outcomes(session: Session, evaluation_id: UUID, series: int) -> dict[str, bool]:
    """Whether an adversarial was found, by content id, of the samples that a series with one attempt each tried."""
    question = (
        select(Sample.content_id, Attempt.found)
        .join(Sample, Sample.id == Attempt.sample_id)
        .where(Attempt.evaluation_id == evaluation_id, Attempt.series == series)
    )
    return {row[0]: row[1] for row in session.execute(question)}


def shards_of(session: Session, evaluation_id: UUID, sample_numbers: Sequence[int]) -> dict[int, tuple[str, int]]:
    """(shard, row in it) of the primary run's adversarials, by sample number; samples without one are left out."""
    question = select(Result.sample_id, Result.shard, Result.shard_row).where(
        Result.evaluation_id == evaluation_id, Result.sample_id.in_(sample_numbers), Result.shard.is_not(None)
    )
    found = session.execute(question)
    return {number: (shard, row) for number, shard, row in found if shard is not None and row is not None}


def adversarial_indices(session: Session, evaluation_id: UUID) -> set[int]:
    """Rows of the data set of which an evaluation's primary run has an adversarial."""
    question = select(Result.index).where(Result.evaluation_id == evaluation_id, Result.shard.is_not(None))
    return set(session.scalars(question))


def replayable_indices(session: Session, evaluation_id: UUID, source_evaluation_id: UUID) -> list[int]:
    """Rows of an evaluation, by index, whose samples have an adversarial in another one's primary run."""
    other = aliased(Result)
    question = (
        select(Result.index)
        .join(other, other.sample_id == Result.sample_id)
        .where(
            Result.evaluation_id == evaluation_id,
            other.evaluation_id == source_evaluation_id,
            other.shard.is_not(None),
        )
    )
    return list(session.scalars(question.order_by(Result.index)))


def attempts_of_series(
    session: Session, evaluation_id: UUID, series: int, limit: int, offset: int
) -> tuple[list[tuple[Attempt, int, str]], int]:
    """(attempt, index, content id) by index, and how many there are in all."""
    question = (
        select(Attempt, Result.index, Sample.content_id)
        .join(Result, (Result.evaluation_id == Attempt.evaluation_id) & (Result.sample_id == Attempt.sample_id))
        .join(Sample, Sample.id == Attempt.sample_id)
        .where(Attempt.evaluation_id == evaluation_id, Attempt.series == series)
    )
    total = session.scalar(select(func.count()).select_from(question.subquery())) or 0
    rows = session.execute(question.order_by(Result.index, Attempt.attack).limit(limit).offset(offset))
    return [(row[0], row[1], row[2]) for row in rows], total


def bound_place(session: Session, result: Result) -> tuple[str, int] | None:
    """(shard, row in it) of the adversarial that set a sample's best-known bound; None where none is kept."""
    if result.best_known_series == 0:
        return None if result.shard is None or result.shard_row is None else (result.shard, result.shard_row)
    question = select(Attempt.artefact, Attempt.shard_row).where(
        Attempt.evaluation_id == result.evaluation_id,
        Attempt.sample_id == result.sample_id,
        Attempt.series == result.best_known_series,
        Attempt.distance == result.best_known,
        Attempt.artefact.is_not(None),
    )
    found = session.execute(question.limit(1)).first()
    return None if found is None or found[0] is None or found[1] is None else (found[0], found[1])
