"""The samples of a comparison as columns: what a browser needs to cut a pair at any eps by itself."""

from base64 import b64encode
from hashlib import sha256
from uuid import UUID

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from backend.analysis.outcomes import FloatArray, Outcomes
from backend.schemas.comparisons import ColumnsOfSide, PairColumns
from backend.services.comparisons import numbers
from backend.services.comparisons.sides import Sides, load_sides
from backend.services.evaluations.measurements import load_indices
from backend.store.database import reading

LAYOUT = 1  # counts up where a column or its type changes


def pair_columns(dense_id: UUID | str, pruned_id: UUID | str) -> PairColumns:
    """The shared samples by dense margin, as `paired_samples` lists them, 48 bytes a sample.

    Both evaluations have succeeded, so the columns of a version never change: best-known bounds, which do, are not
    among them.

    Raises:
        as `compare`, but for eps.
    """
    with reading() as session:
        sides = load_sides(session, dense_id, pruned_id)
        dataset_id, norm = sides.dense.dataset_id, sides.dense.norm
    joined = numbers.join(sides.dense_key, sides.pruned_key)
    order = np.argsort(joined.dense.margin, kind="stable")
    dense, pruned = joined.dense.take(order), joined.pruned.take(order)
    indices = load_indices(sides.dense_key)
    return PairColumns(
        version=_name_version(sides),
        n=joined.n,
        norm=norm,
        dataset_id=dataset_id,
        index=encode([indices[str(sample)] for sample in dense.sample_ids], "<i4"),
        label=encode(dense.labels, "<i4"),
        dense=show_side(dense),
        pruned=show_side(pruned),
        thinness=encode(find_thinness(dense), "<f8"),
        logit_gap=encode(dense.logit_gap, "<f8"),
    )


def columns_version(dense_id: UUID | str, pruned_id: UUID | str) -> str:
    """The version of the columns, without reading them."""
    with reading() as session:
        return _name_version(load_sides(session, dense_id, pruned_id))


def find_thinness(outcomes: Outcomes) -> FloatArray:
    """The distance to sort by: the margin; for samples already wrong that of the prediction, where it was found."""
    is_replaced = (outcomes.margin == 0) & np.isfinite(outcomes.margin_pred)
    thinness: FloatArray = np.where(is_replaced, outcomes.margin_pred, outcomes.margin)
    return thinness


def encode(values: ArrayLike, dtype: DTypeLike) -> str:
    """The bytes of a column in base64; what was not found is an infinite double."""
    return b64encode(np.asarray(values, dtype=dtype).tobytes()).decode("ascii")


def _name_version(sides: Sides) -> str:
    ends = (sides.dense_key.finished_at, sides.pruned_key.finished_at)
    return sha256("|".join([str(LAYOUT), *(end.isoformat() for end in ends)]).encode()).hexdigest()[:16]


def show_side(outcomes: Outcomes) -> ColumnsOfSide:
    return ColumnsOfSide.model_validate(
        {
            "kind": outcomes.kind,
            "eps": outcomes.eps,
            "prediction": encode(outcomes.predictions, "<i4"),
            "margin": encode(outcomes.margin, "<f8"),
        }
    )
