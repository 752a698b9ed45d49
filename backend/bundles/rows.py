"""The rows of one evaluation as columns, and their Parquet files.

Positions count from 0 in the order of the chunks. A missing value is null; numbers are stored as float32 where that is
exact, which it is for everything that was computed in float32.
"""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from backend.errors import UnreadableBundle

NAME = pa.dictionary(pa.int32(), pa.string())
RESULTS = pa.schema(
    [
        pa.field("index", pa.int32(), nullable=False),
        pa.field("label", pa.int32(), nullable=False),
        pa.field("prediction", pa.int32(), nullable=False),
        pa.field("found", pa.bool_(), nullable=False),
        pa.field("margin", pa.float64()),
        pa.field("kind", NAME, nullable=False),
        pa.field("margin_pred", pa.float64()),
        pa.field("attack", NAME, nullable=False),
        pa.field("adversarial_prediction", pa.int32()),
        pa.field("logit_gap", pa.float64(), nullable=False),
        pa.field("max_probability", pa.float64(), nullable=False),
        pa.field("loss", pa.float64(), nullable=False),
        pa.field("survives_8bit", pa.bool_()),
        pa.field("adversarial", pa.int32()),
    ]
)
"""`adversarial` is the row in `adversarials`, null where none is in the bundle."""

ATTEMPTS = pa.schema(
    [
        pa.field("position", pa.int32(), nullable=False),
        pa.field("series", pa.int8(), nullable=False),
        pa.field("attack", NAME, nullable=False),
        pa.field("found", pa.bool_(), nullable=False),
        pa.field("distance", pa.float64()),
        pa.field("kind", NAME, nullable=False),
        pa.field("adversarial", pa.int32()),
    ]
)
"""`adversarial` is set for fallback attacks only: the primary run's adversarials belong to the results."""


Columns = dict[str, list[Any]]
"""The values of a table by the names of its columns."""


@dataclass(frozen=True)
class BundledRows:
    """`results` has one row a sample (schema RESULTS), `attempts` one a sample and attack (schema ATTEMPTS);
    `adversarials` is float32 (K, C, H, W) in [0, 1]."""

    results: pa.Table
    attempts: pa.Table
    adversarials: NDArray[np.float32]


def pack_table(table: pa.Table) -> bytes:
    """A table as Parquet, floats as float32 where nothing is lost."""
    columns = [_narrow(column) for column in table.columns]
    narrowed = pa.table(columns, names=table.column_names)
    floats = [field.name for field in narrowed.schema if pa.types.is_floating(field.type)]
    stream = io.BytesIO()
    pq.write_table(
        narrowed,
        stream,
        compression="zstd",
        compression_level=15,
        use_dictionary=[field.name for field in narrowed.schema if field.name not in floats],
        use_byte_stream_split=floats,
        store_schema=False,
    )
    return stream.getvalue()


def _narrow(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_float64(column.type):
        return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
    narrow = column.cast(pa.float32(), safe=False)
    return narrow if narrow.cast(pa.float64()).equals(column) else column


def unpack_table(content: bytes, schema: pa.Schema, what: str) -> pa.Table:
    """The table of a Parquet file in the types of `schema`.

    Raises:
        UnreadableBundle: no Parquet, other columns, or nulls where none may be.
    """
    try:
        found = pq.read_table(pa.BufferReader(content))
        if found.column_names != schema.names:
            raise UnreadableBundle(f"{what} has the columns {found.column_names}, expected {schema.names}.")
        table = pa.table([found[field.name].cast(field.type) for field in schema], schema=schema)
        table.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableBundle(f"{what} cannot be read: {str(error)[:200]}.") from error
    empty = [field.name for field in schema if not field.nullable and table[field.name].null_count]
    if empty:
        raise UnreadableBundle(f"{what} has no value in some rows of {', '.join(empty)}.")
    return table


def check_rows(rows: BundledRows, *, n: int, classes: int, what: str) -> None:
    """Refuse rows that no run could have written; whether they are true of the network, a worker finds out.

    Raises:
        UnreadableBundle: names the rule that is broken.
    """
    results, attempts, images = rows.results, rows.attempts, rows.adversarials
    held = len(images)
    index, label = _numbers(results, "index"), _numbers(results, "label")
    prediction = _numbers(results, "prediction")
    found, margin = results["found"].to_numpy(), _floats(results, "margin")
    position = _numbers(attempts, "position")
    distance, is_found = _floats(attempts, "distance"), attempts["found"].to_numpy()
    kept = np.concatenate([_numbers(results, "adversarial"), _numbers(attempts, "adversarial")])
    kept = kept[kept >= 0]
    names = [*results["attack"].unique().to_pylist(), *attempts["attack"].unique().to_pylist()]
    kinds = {*results["kind"].unique().to_pylist(), *attempts["kind"].unique().to_pylist()}
    series = _numbers(attempts, "series")
    rules = [
        (len(results) == n, f"it does not have {n:,} results"),
        (len(np.unique(index)) == n and bool((index >= 0).all()), "a row of the data set appears twice"),
        (_within(label, classes) and _within(prediction, classes), "a label or prediction is no class"),
        (bool((np.isfinite(margin) == found).all()), "a margin is missing or too many"),
        (bool((margin[found] >= 0).all()), "a margin is negative"),
        (bool((margin[found & (label != prediction)] == 0).all()), "a wrong sample has a margin other than 0"),
        (bool((margin[found & (label == prediction)] > 0).all()), "a right sample has the margin 0"),
        (all(_is_finite(results, name) for name in ("logit_gap", "max_probability", "loss")), "a score is not finite"),
        (_within(position, n), "an attempt is about no sample"),
        (bool((np.isfinite(distance) == is_found).all()), "a distance is missing or too many"),
        (bool((distance[is_found] >= 0).all()), "a distance is negative"),
        (set(series.tolist()) <= {0, 1}, "an attempt is neither of the primary run nor a fallback attack"),
        (len(np.unique(kept)) == len(kept) and _within(kept, held), "adversarials and rows do not fit"),
        (len(kept) == held, "an adversarial belongs to no sample"),
        (kinds <= {"minimum", "witness"}, "a kind of distance is unknown"),
        (all(len(name) <= 60 for name in names), "the name of an attack is too long"),
        (bool(np.isfinite(images).all() and (images >= 0).all() and (images <= 1).all()), "a pixel is outside [0, 1]"),
        (not _has_twice(position, series, attempts), "an attempt appears twice"),
    ]
    for holds, complaint in rules:
        if not holds:
            raise UnreadableBundle(f"{what} contradicts itself: {complaint}.")


def _has_twice(position: NDArray[np.int64], series: NDArray[np.int64], attempts: pa.Table) -> bool:
    attack = np.unique(attempts["attack"].cast(pa.string()).to_numpy(), return_inverse=True)[1]
    keys = np.stack([position, series, attack])
    return len(np.unique(keys, axis=1).T) < len(position)


def list_columns(table: pa.Table) -> Columns:
    """As `table.to_pydict()`, in a fraction of the time: without a scalar of Arrow for each value."""
    return {name: _list_values(table[name]) for name in table.column_names}


def _list_values(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_dictionary(column.type):
        return _list_values(column.cast(pa.string()))
    if not column.null_count:
        return list(column.to_numpy().tolist())
    filled = column.fill_null(pa.scalar(0).cast(column.type)).to_numpy().tolist()
    is_missing = column.is_null().to_numpy().tolist()
    return [None if missing else value for value, missing in zip(filled, is_missing, strict=True)]


def _numbers(table: pa.Table, name: str) -> NDArray[np.int64]:
    """A whole-number column; -1 where it is null."""
    column = table[name].cast(pa.int64()).fill_null(-1)
    return np.asarray(column.to_numpy(), dtype=np.int64)


def _floats(table: pa.Table, name: str) -> NDArray[np.float64]:
    """A column of numbers; NaN where it is null."""
    return np.asarray(table[name].fill_null(float("nan")).to_numpy(), dtype=np.float64)


def _is_finite(table: pa.Table, name: str) -> bool:
    return bool(np.isfinite(_floats(table, name)).all())


def _within(values: NDArray[np.int64], limit: int) -> bool:
    return bool(((values >= 0) & (values < limit)).all())
