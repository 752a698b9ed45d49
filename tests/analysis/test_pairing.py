"""Joining by sample id."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.analysis.flips import summarise
from backend.analysis.pairing import pair, restrict
from backend.errors import NotComparable
from tests.analysis.fabrication import make, make_pair, pairs


def test_pair_with_different_orders_joins_by_id() -> None:
    dense = make([0.1, 0.2, 0.3], ids=["c", "a", "b"], classes=1)
    pruned = make([0.9, 0.7, 0.8, 0.5], ids=["b", "c", "z", "a"], classes=1)
    joined = pair(dense, pruned)
    assert joined.sample_ids.tolist() == ["a", "b", "c"]
    assert joined.dense.margin.tolist() == [0.2, 0.3, 0.1]
    assert joined.pruned.margin.tolist() == [0.5, 0.9, 0.7]
    assert (joined.n, joined.n_dense, joined.n_pruned, joined.relabelled) == (3, 3, 4, 0)


def test_pair_without_shared_samples_is_not_comparable() -> None:
    with pytest.raises(NotComparable) as caught:
        pair(make([0.1], ids=["a"]), make([0.1, 0.2], ids=["b", "c"]))
    assert caught.value.message == (
        "The two evaluations share no samples (they have 1 and 2). "
        "Evaluate both checkpoints on the same data set and split."
    )
    assert caught.value.status == 409


def test_pair_with_another_label_leaves_the_image_out_and_counts_it() -> None:
    dense = make([0.1, 0.2], labels=[0, 1], predictions=[0, 1])
    pruned = make([0.1, 0.2], labels=[0, 5], predictions=[0, 5])
    joined = pair(dense, pruned)
    assert (joined.n, joined.relabelled) == (1, 1)


def test_pair_with_every_label_different_is_not_comparable() -> None:
    with pytest.raises(NotComparable, match="share 1 images, but label every one of them differently"):
        pair(make([0.1], labels=[0], predictions=[0]), make([0.1], labels=[3], predictions=[3]))


@given(pairs(), st.randoms(use_true_random=False))
def test_pair_with_shuffled_rows_changes_nothing(joined, random) -> None:
    order = list(range(joined.n))
    random.shuffle(order)
    shuffled = pair(joined.dense.take(order), joined.pruned)
    assert summarise(shuffled) == summarise(joined)
    assert np.array_equal(shuffled.dense.margin, joined.dense.margin)


def test_restrict_keeps_what_both_have_in_one_order() -> None:
    first = make_pair([0.1, 0.2, 0.3], [0.1, 0.2, 0.3], ids=["a", "b", "c"], classes=1)
    second = make_pair([0.4, 0.5, 0.6], [0.4, 0.5, 0.6], ids=["c", "d", "b"], classes=1)
    one, other = restrict(first, second)
    assert one.sample_ids.tolist() == other.sample_ids.tolist() == ["b", "c"]
    assert other.dense.margin.tolist() == [0.6, 0.4]


def test_restrict_without_shared_samples_is_not_comparable() -> None:
    with pytest.raises(NotComparable, match="The comparison and its control share no samples"):
        restrict(make_pair([0.1], [0.1], ids=["a"]), make_pair([0.1], [0.1], ids=["b"]))
