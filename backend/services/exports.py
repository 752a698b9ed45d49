"""Rows as files: CSV and Parquet. Text that a spreadsheet would run as a formula is defused."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

from backend.schemas.comparisons import PairedSample
from backend.services.evaluations.service import margins_table

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

SAMPLE_TYPES: dict[str, pa.DataType] = {
    "index": pa.int64(),
    "sample_id": pa.string(),
    "label": pa.int64(),
    "set": pa.string(),
    "robust_set": pa.string(),
    "dense_prediction": pa.int64(),
    "pruned_prediction": pa.int64(),
    "dense_margin": pa.float64(),
    "pruned_margin": pa.float64(),
    "dense_margin_pred": pa.float64(),
    "pruned_margin_pred": pa.float64(),
    "dense_found": pa.bool_(),
    "pruned_found": pa.bool_(),
    "dense_logit_gap": pa.float64(),
    "dense_best_known": pa.float64(),
    "pruned_best_known": pa.float64(),
    "has_evidence": pa.bool_(),
    "best_known_set": pa.string(),
}


def margins_csv(evaluation_id: UUID | str) -> bytes:
    """Per-sample rows as UTF-8 CSV with a header; missing values are empty, booleans `true` and `false`."""
    table = margins_table(evaluation_id)
    return write_csv(table.column_names, _rows(table))


def margins_parquet(evaluation_id: UUID | str) -> bytes:
    """Per-sample rows as Parquet; missing values are null."""
    return _write_parquet(margins_table(evaluation_id))


def samples_csv(samples: list[PairedSample]) -> bytes:
    """Samples of a comparison as CSV, in the order given."""
    table = _samples_table(samples)
    return write_csv(table.column_names, _rows(table))


def samples_parquet(samples: list[PairedSample]) -> bytes:
    """The same as Parquet."""
    return _write_parquet(_samples_table(samples))


def write_csv(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows as RFC 4180 CSV, numbers with every digit they need to be read back exactly."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(names)
    writer.writerows([_write_cell(value) for value in row] for row in rows)
    return buffer.getvalue().encode()


def _write_cell(value: Any) -> str:
    """A value as text; text that starts like a formula gets an apostrophe in front, numbers keep their sign."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) else value
    return repr(value)


def _rows(table: pa.Table) -> Iterable[Sequence[Any]]:
    return zip(*(column.to_pylist() for column in table.columns), strict=True)


def _samples_table(samples: list[PairedSample]) -> pa.Table:
    schema = pa.schema([pa.field(name, kind) for name, kind in SAMPLE_TYPES.items()])
    return pa.Table.from_pylist([sample.model_dump() for sample in samples], schema=schema)


def _write_parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()
