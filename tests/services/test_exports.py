"""Files of rows: read back they are the same, and no cell runs as a formula."""

import csv
import io
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from backend.errors import InvalidRequest
from backend.services import comparisons, evaluations, exports
from tests.services.fabrication import add_checkpoint, add_dataset, evaluate, make_pixels, measure


def read_csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


def test_margins_csv_read_back_gives_every_digit(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    measured = measure(make_pixels(60)[1], 1)
    done = evaluate(add_checkpoint(dataset.id, "net"), dataset, measured)
    rows = read_csv(exports.margins_csv(done.id))
    assert len(rows) == 60
    for row in rows:
        margin = measured.margin[int(row["index"])]
        assert row["margin"] == ("" if np.isinf(margin) else repr(float(margin)))
        assert row["found"] == ("false" if np.isinf(margin) else "true")
        assert float(row["logit_gap"]) == measured.logit_gap[int(row["index"])]


def test_margins_parquet_read_back_is_the_table(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    done = evaluate(add_checkpoint(dataset.id, "net"), dataset, measure(make_pixels(60)[1], 1))
    assert pq.read_table(io.BytesIO(exports.margins_parquet(done.id))).equals(evaluations.margins_table(done.id))


def test_margins_table_columns_are_those_of_the_schema() -> None:
    from backend.schemas.comparisons import PairedSample
    from backend.schemas.evaluations import MarginRow

    assert list(evaluations.MARGIN_TYPES) == list(MarginRow.model_fields)
    assert list(exports.SAMPLE_TYPES) == list(PairedSample.model_fields)


def test_samples_csv_and_parquet_hold_the_paired_samples(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    _, labels = make_pixels(60)
    dense = evaluate(add_checkpoint(dataset.id, "dense"), dataset, measure(labels, 1))
    pruned = evaluate(add_checkpoint(dataset.id, "pruned", role="pruned"), dataset, measure(labels, 2))
    expected = comparisons.paired_samples(dense.id, pruned.id, set="S10")
    assert expected
    rows = read_csv(exports.samples_csv(expected))
    assert [int(row["index"]) for row in rows] == [sample.index for sample in expected]
    table = pq.read_table(io.BytesIO(exports.samples_parquet(expected)))
    assert table.to_pylist() == [sample.model_dump() for sample in expected]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_write_csv_formula_is_defused(text: str) -> None:
    assert next(csv.reader(io.StringIO(exports.write_csv(["a"], [[text]]).decode(), newline=""))) == ["a"]
    written = list(csv.reader(io.StringIO(exports.write_csv(["a"], [[text]]).decode(), newline="")))[1][0]
    assert written == f"'{text}"


def test_write_csv_numbers_keep_their_sign_and_quotes_are_escaped() -> None:
    content = exports.write_csv(["x", "text", "flag", "none"], [[-0.1, 'say "hi", twice', True, None]])
    assert content == b'x,text,flag,none\r\n-0.1,"say ""hi"", twice",true,\r\n'


def test_texts_parquet_reads_columns_of_numbers_and_leaves_the_others() -> None:
    headings = ["Name", "n", "Robust (%)", "", "n"]
    rows = [["a", "2,000", "43.96", "1.0 [0.5, 2.0]", "–"], ["b", "500", "−1.5", "x", ""], ["c", "–", "", "", ""]]
    table = pq.read_table(io.BytesIO(exports.texts_parquet(headings, rows)))
    assert table.to_pydict() == {
        "Name": ["a", "b", "c"],
        "n": [2000, 500, None],
        "Robust (%)": [43.96, -1.5, None],
        "column 4": ["1.0 [0.5, 2.0]", "x", None],
        "n (5)": [None, None, None],
    }
    assert [str(kind) for kind in table.schema.types] == ["string", "int64", "double", "string", "string"]


def test_texts_parquet_keeps_what_is_no_number_as_text() -> None:
    column = ["1,23", "12345678901234567890123", "1.5"]
    table = pq.read_table(io.BytesIO(exports.texts_parquet(["x"], [[cell] for cell in column])))
    assert table["x"].to_pylist() == column


def test_texts_parquet_of_a_ragged_table_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="Row 1 has 1 cells under 2 headings"):
        exports.texts_parquet(["a", "b"], [["1", "2"], ["3"]])
