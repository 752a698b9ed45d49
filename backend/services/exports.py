"""Rows as files: CSV and Parquet. Text that a spreadsheet would run as a formula is defused."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

from backend.errors import InvalidRequest
from backend.schemas.comparisons import PairedSample
from backend.services.evaluations.service import margins_table

NOTHING = ("", "–", "—", "-")
NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?(e[+-]?\d{1,3})?", re.ASCII)
INT64_DIGITS = 18
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


def texts_parquet(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """A table of a page as Parquet: a column that holds numbers alone as int64 or float64, any other as text.

    A dash or nothing is null. Empty headings are numbered, equal ones told apart.

    Raises:
        InvalidRequest: a row has more or fewer cells than there are headings.
    """
    for place, row in enumerate(rows):
        if len(row) != len(headings):
            raise InvalidRequest(f"Row {place} has {len(row)} cells under {len(headings)} headings.", row=place)
    names: list[str] = []
    for place, heading in enumerate(headings):
        name = heading.strip() or f"column {place + 1}"
        names.append(name if name not in names else f"{name} ({place + 1})")
    return _write_parquet(pa.table([_type_texts([row[place] for row in rows]) for place in range(len(names))], names))


def _type_texts(cells: Sequence[str]) -> pa.Array:
    texts = [None if cell.strip() in NOTHING else cell.strip() for cell in cells]
    plain = [None if text is None else text.replace("−", "-") for text in texts]
    numbers = [text for text in plain if text is not None]
    if not numbers or not all(NUMBER.fullmatch(text) for text in numbers):
        return pa.array(texts, pa.string())
    read = [None if text is None else text.replace(",", "") for text in plain]
    is_whole = all(text is None or (text.lstrip("+-").isdigit() and len(text) < INT64_DIGITS) for text in read)
    if is_whole:
        return pa.array([None if text is None else int(text) for text in read], pa.int64())
    return pa.array([None if text is None else float(text) for text in read], pa.float64())


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
