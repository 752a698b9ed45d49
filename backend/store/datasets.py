"""Questions about data sets and the samples in them."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from backend.errors import NotFound
from backend.store.evaluations import insert_new
from backend.store.tables import Checkpoint, Dataset, DatasetSample, Evaluation, Pruning, Sample

SLICE = 5_000  # values per statement stay under SQLite's limit of 32,766 variables


def find_dataset(session: Session, id_or_slug: str | UUID) -> Dataset | None:
    """By UUID or by slug; None when there is none, or it is still being written down."""
    try:
        found = session.get(Dataset, UUID(str(id_or_slug)))
    except ValueError:
        found = None
    found = found or session.scalar(select(Dataset).where(Dataset.slug == str(id_or_slug)))
    return found if found is not None and found.size else None


def need_dataset(session: Session, id_or_slug: str | UUID) -> Dataset:
    """The same; NotFound names some of those there are."""
    found = find_dataset(session, id_or_slug)
    if found is None:
        known = [row.slug for row in page_of_datasets(session, 20, 0)[0]]
        raise NotFound(f"There is no data set {str(id_or_slug)!r}. Known: {', '.join(known) or 'none'}.", known=known)
    return found


def all_datasets(session: Session) -> Sequence[Dataset]:
    """Every data set that has arrived whole, newest first."""
    newest = select(Dataset).where(Dataset.size > 0).order_by(Dataset.created_at.desc(), Dataset.id.desc())
    return session.scalars(newest).all()


def page_of_datasets(session: Session, limit: int, offset: int) -> tuple[list[Dataset], int]:
    total = session.scalar(select(func.count()).select_from(Dataset).where(Dataset.size > 0)) or 0
    newest = select(Dataset).where(Dataset.size > 0).order_by(Dataset.created_at.desc(), Dataset.id.desc())
    return list(session.scalars(newest.limit(limit).offset(offset))), total


def add_dataset(session: Session, dataset: Dataset, content_ids: Sequence[str], labels: Sequence[int]) -> None:
    """Insert a small data set and its samples in one transaction; samples known from another data set are shared."""
    session.add(dataset)
    session.flush()
    for start in range(0, len(content_ids), SLICE):
        part = content_ids[start : start + SLICE]
        add_samples(session, part)
        numbers = sample_numbers(session, part)
        add_rows(session, dataset.id, start, [numbers[content] for content in part], labels[start : start + SLICE])


# A large data set is written in many short transactions, so that nobody waits long: first its row with the size 0 and
# a name of its own, which no question above finds; then, slice by slice, what is in it; last, its size and its slug.


def add_arriving(session: Session, dataset: Dataset) -> None:
    """Insert the row of a data set that nobody is to see yet; remember its slug and size, they are cleared."""
    dataset.slug, dataset.size = f"~{secrets.token_hex(16)}", 0  # no slug of a user begins like that
    session.add(dataset)


def add_samples(session: Session, content_ids: Sequence[str]) -> None:
    """Number samples by content; those that have a number keep it. In order, so that two writers never deadlock."""
    insert_new(session, Sample, [{"content_id": content} for content in sorted(set(content_ids))])


def add_rows(session: Session, dataset_id: UUID, start: int, sample_ids: Sequence[int], labels: Sequence[int]) -> None:
    """Insert the rows `start`, `start` + 1, ... of a data set."""
    rows = [
        {"dataset_id": dataset_id, "index": start + offset, "sample_id": sample, "label": int(label)}
        for offset, (sample, label) in enumerate(zip(sample_ids, labels, strict=True))
    ]
    session.execute(insert(DatasetSample), rows)


def show_arrived(session: Session, dataset_id: UUID, slug: str, size: int) -> None:
    """From here on the data set is found."""
    session.execute(update(Dataset).where(Dataset.id == dataset_id).values(slug=slug, size=size))


def forget_arriving(session: Session, dataset_id: UUID) -> None:
    """Delete a data set that did not arrive whole, with its rows."""
    session.execute(delete(Dataset).where(Dataset.id == dataset_id, Dataset.size == 0))


def lost_arrivals(session: Session, before: datetime) -> list[UUID]:
    """Data sets whose writer began before that moment and never ended (it was killed)."""
    return list(session.scalars(select(Dataset.id).where(Dataset.size == 0, Dataset.created_at < before)))


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


def count_dependants(session: Session, dataset_id: UUID) -> dict[str, int]:
    """How many rows need this data set, by what they are; a pruning needs both that of its parent and its own."""
    questions = {
        "checkpoints": select(Checkpoint).where(Checkpoint.dataset_id == dataset_id),
        "evaluations": select(Evaluation).where(Evaluation.dataset_id == dataset_id),
        "prunings": select(Pruning).where(
            or_(Pruning.dataset_id == dataset_id, Pruning.training_dataset_id == dataset_id)
        ),
    }
    return {name: session.scalar(question.with_only_columns(func.count())) or 0 for name, question in questions.items()}


def is_file_used(session: Session, file: str) -> bool:
    """Whether any data set keeps its images in this artefact."""
    return session.scalar(select(Dataset.id).where(Dataset.file == file).limit(1)) is not None


def slugs_of(session: Session, dataset_ids: Sequence[UUID]) -> dict[UUID, str]:
    question = select(Dataset.id, Dataset.slug).where(Dataset.id.in_(dataset_ids))
    return {row.id: row.slug for row in session.execute(question)}


def count_shared(session: Session, dataset_id: UUID, other_id: UUID) -> int:
    """How many different samples both data sets have, by content."""
    here, there = (
        select(DatasetSample.sample_id).where(DatasetSample.dataset_id == one) for one in (dataset_id, other_id)
    )
    return session.scalar(select(func.count()).select_from(here.intersect(there).subquery())) or 0


def spread_indices(session: Session, dataset_id: UUID, n: int) -> list[int]:
    """Rows of the n smallest sample ids: hashes, so a fixed draw over a data set that may be sorted by class."""
    question = (
        select(DatasetSample.index)
        .join(Sample, Sample.id == DatasetSample.sample_id)
        .where(DatasetSample.dataset_id == dataset_id)
        .order_by(Sample.content_id)
        .limit(n)
    )
    return list(session.scalars(question))
