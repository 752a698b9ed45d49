"""Questions about data sets and the samples in them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from backend.store.tables import Dataset, DatasetSample, Sample

SLICE = 5_000  # values per statement stay under SQLite's limit of 32,766 variables


def find_dataset(session: Session, id_or_slug: str | UUID) -> Dataset | None:
    """By UUID or by slug; None when there is none."""
    try:
        found = session.get(Dataset, UUID(str(id_or_slug)))
    except ValueError:
        found = None
    return found or session.scalar(select(Dataset).where(Dataset.slug == str(id_or_slug)))


def page_of_datasets(session: Session, limit: int, offset: int) -> tuple[list[Dataset], int]:
    total = session.scalar(select(func.count()).select_from(Dataset)) or 0
    rows = session.scalars(select(Dataset).order_by(Dataset.created_at.desc(), Dataset.id.desc()))
    return list(rows.all()[offset : offset + limit]), total


def add_dataset(session: Session, dataset: Dataset, content_ids: Sequence[str], labels: Sequence[int]) -> None:
    """Insert a data set and its samples; samples known from another data set are shared."""
    session.add(dataset)
    session.flush()
    known = sample_numbers(session, content_ids)
    fresh = [{"content_id": content} for content in content_ids if content not in known]
    for start in range(0, len(fresh), SLICE):
        session.execute(insert(Sample), fresh[start : start + SLICE])
    known |= sample_numbers(session, [row["content_id"] for row in fresh])
    rows = [
        {"dataset_id": dataset.id, "index": index, "sample_id": known[content], "label": int(label)}
        for index, (content, label) in enumerate(zip(content_ids, labels, strict=True))
    ]
    for start in range(0, len(rows), SLICE):
        session.execute(insert(DatasetSample), rows[start : start + SLICE])


def sample_numbers(session: Session, content_ids: Sequence[str]) -> dict[str, int]:
    """Row number of each known content id."""
    known: dict[str, int] = {}
    for start in range(0, len(content_ids), SLICE):
        part = content_ids[start : start + SLICE]
        found = session.execute(select(Sample.content_id, Sample.id).where(Sample.content_id.in_(part)))
        known.update({row.content_id: row.id for row in found})
    return known


def dataset_rows(session: Session, dataset_id: UUID) -> list[tuple[int, int, str, int]]:
    """(index, sample number, content id, label) of every sample, by index."""
    question = (
        select(DatasetSample.index, DatasetSample.sample_id, Sample.content_id, DatasetSample.label)
        .join(Sample, Sample.id == DatasetSample.sample_id)
        .where(DatasetSample.dataset_id == dataset_id)
        .order_by(DatasetSample.index)
    )
    return [(row[0], row[1], row[2], row[3]) for row in session.execute(question)]


def first_indices(session: Session, dataset_id: UUID, n: int) -> list[int]:
    """Indices of the first n samples in id order, so that smaller sets are nested in larger ones."""
    question = (
        select(DatasetSample.index)
        .join(Sample, Sample.id == DatasetSample.sample_id)
        .where(DatasetSample.dataset_id == dataset_id)
        .order_by(Sample.content_id)
        .limit(n)
    )
    return list(session.scalars(question))
