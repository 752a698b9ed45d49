"""The row of a data set as callers see it."""

from backend.eps import parse_eps
from backend.schemas.datasets import DatasetOut
from backend.store.tables import Dataset


def show_dataset(row: Dataset) -> DatasetOut:
    """A data set; the default eps as a number and as its exact text."""
    return DatasetOut(
        id=row.id,
        slug=row.slug,
        name=row.name,
        split=row.split,
        size=row.size,
        classes=[str(name) for name in row.classes],
        shape=[int(size) for size in row.shape],
        default_norm="L2" if row.default_norm == "L2" else "Linf",
        default_eps=float(parse_eps(row.default_eps)),
        default_eps_text=row.default_eps,
        source=row.source,
        created_at=row.created_at,
    )
