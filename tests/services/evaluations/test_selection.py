"""Which rows of a data set an evaluation is of: the first n, a range, a random draw, or a list."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from backend.errors import InvalidRequest
from backend.services.comparisons.controls import has_samples_of
from backend.store.database import reading, writing
from backend.store.tables import Evaluation
from tests.services.fabrication import add_checkpoint, add_dataset, queue


def test_queue_evaluation_smaller_sets_are_nested_in_larger_ones(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    checkpoint = add_checkpoint(dataset.id, "net")
    wanted = (10, 25, {"draw": 10, "seed": 3}, {"draw": 25, "seed": 3})
    queued = [queue(checkpoint, dataset, samples) for samples in wanted]
    with reading() as session:
        rows = [session.get_one(Evaluation, one.id) for one in queued]
        lists = [row.indices for row in rows]
    assert lists[0] == list(range(10)) and lists[1] == list(range(25))
    assert lists[3] == np.random.default_rng(3).permutation(60)[:25].tolist() and lists[2] == lists[3][:10]
    assert [one.selection for one in queued] == ["first", "first", "seed 3", "seed 3"]
    assert [has_samples_of(wide, narrow) for wide, narrow in product(rows, rows)] == [
        set(narrow) <= set(wide) for wide, narrow in product(lists, lists)
    ]


def test_queue_evaluation_range_takes_its_rows(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    checkpoint = add_checkpoint(dataset.id, "net")
    head, middle = queue(checkpoint, dataset, "0-9"), queue(checkpoint, dataset, "10-29")
    with reading() as session:
        assert session.get_one(Evaluation, head.id).indices == list(range(10))
        assert session.get_one(Evaluation, middle.id).indices == list(range(10, 30))
    assert (head.selection, head.explicit, middle.selection, middle.explicit) == ("first", False, "picked", True)


def test_queue_evaluation_explicit_rows_keep_their_order(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    checkpoint = add_checkpoint(dataset.id, "net")
    queued, again = queue(checkpoint, dataset, [7, 3, 5]), queue(checkpoint, dataset, [3, 5, 7])
    with writing() as session:
        row = session.get(Evaluation, queued.id)
        assert row is not None and row.explicit and row.indices == [7, 3, 5]
    assert queued.record.samples == again.record.samples


def test_queue_evaluation_too_many_samples_says_the_size(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    with pytest.raises(InvalidRequest, match=r"1\.\.60") as refused:
        queue(add_checkpoint(dataset.id, "net"), dataset, 2000)
    assert refused.value.details == {"size": 60, "samples": 2000}
