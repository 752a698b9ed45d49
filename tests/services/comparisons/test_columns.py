"""The columns of a pair against its samples as rows."""

from base64 import b64decode
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from backend.errors import NotFound
from backend.services import comparisons
from tests.services.fabrication import evaluate
from tests.services.families.fabrication import N, evaluate_pair

BYTES_PER_SAMPLE = 48


def read(column: str, dtype: str) -> list[Any]:
    values: list[Any] = np.frombuffer(b64decode(column), dtype).tolist()
    return values


def test_pair_columns_hold_every_sample_in_the_order_of_the_rows(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    dense, pruned = (evaluate(family[name], dataset, measured[name]) for name in ("dense", "pruned-95"))
    found, rows = comparisons.pair_columns(dense.id, pruned.id), comparisons.paired_samples(dense.id, pruned.id)
    assert (found.n, found.norm, found.dataset_id) == (N, "Linf", dataset.id)
    assert read(found.index, "<i4") == [row.index for row in rows]
    assert read(found.label, "<i4") == [row.label for row in rows]
    assert read(found.logit_gap, "<f8") == [row.dense_logit_gap for row in rows]
    for side in ("dense", "pruned"):
        sent = getattr(found, side)
        assert (sent.kind, sent.eps) == ("minimum", None)
        assert read(sent.prediction, "<i4") == [getattr(row, f"{side}_prediction") for row in rows]
        margins = [getattr(row, f"{side}_margin") for row in rows]
        assert None in margins and 0.0 in margins
        assert read(sent.margin, "<f8") == [np.inf if margin is None else margin for margin in margins]
    columns = [found.index, found.label, found.thinness, found.logit_gap]
    columns += [column for side in (found.dense, found.pruned) for column in (side.prediction, side.margin)]
    assert sum(len(b64decode(column)) for column in columns) == BYTES_PER_SAMPLE * N


def test_columns_version_is_another_for_another_evaluation(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    dense, pruned, again = (
        evaluate(family[name], dataset, measured[name]) for name in ("dense", "pruned-95", "pruned-95")
    )
    version = comparisons.columns_version(dense.id, pruned.id)
    assert version == comparisons.pair_columns(dense.id, pruned.id).version
    assert version != comparisons.columns_version(dense.id, again.id)


def test_pair_columns_of_an_unknown_evaluation_are_not_found(ready: Path) -> None:
    with pytest.raises(NotFound):
        comparisons.pair_columns(uuid4(), uuid4())
