"""P(lost | dense margin) and the threshold picker."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from backend.analysis.bins import bin_losses, threshold, threshold_curve
from backend.analysis.flips import count_sets
from backend.analysis.pairing import Pair, pair
from backend.analysis.thin_ice import WITNESS_REASON
from backend.errors import InvalidRequest
from tests.analysis.fabrication import INF, draw_pair, make, make_pair, pairs

# dense margins 1, 2, 3, 4, one wrong, one not found; lost: 1, 2 and 4
DENSE = [1.0, 2.0, 3.0, 4.0, 0.0, INF]
PRUNED = [0.0, 0.0, 3.0, 0.0, 1.0, INF]


def test_bin_losses_with_edges_equal_the_hand_count() -> None:
    table = bin_losses(make_pair(DENSE, PRUNED), edges=[0.0, 2.0, 4.0])
    assert table.reason is None
    shown = [(each.kind, each.low, each.high, each.n, each.lost.count, each.lost.value) for each in table.bins]
    assert shown == [
        ("not held", None, None, 1, 0, None),
        ("measured", 0.0, 2.0, 2, 2, 1.0),
        ("measured", 2.0, 4.0, 2, 1, 0.5),
        ("not found", None, None, 1, 0, 0.0),
    ]
    expected = stats.binomtest(1, 2).proportion_ci(method="wilson")
    assert (table.bins[2].lost.low, table.bins[2].lost.high) == pytest.approx((expected.low, expected.high))
    assert [each.label for each in table.bins] == ["already wrong", "0 to 2", "2 to 4", "not found"]


def test_bin_losses_with_margins_outside_the_edges_add_end_bins() -> None:
    measured = [each for each in bin_losses(make_pair(DENSE, PRUNED), edges=[2.0, 3.0]).bins if each.kind == "measured"]
    assert [(each.low, each.high, each.n) for each in measured] == [(1.0, 2.0, 2), (2.0, 3.0, 1), (3.0, 4.0, 1)]


def test_bin_losses_by_default_are_ten_equal_bins() -> None:
    joined = draw_pair(1000, 2)
    measured = [each for each in bin_losses(joined).bins if each.kind == "measured"]
    sizes = [each.n for each in measured]
    assert len(sizes) == 10
    assert max(sizes) - min(sizes) <= 1
    assert measured[0].lost.value > 0.3 > 0.05 > measured[-1].lost.value
    assert [left.high for left in measured[:-1]] == [right.low for right in measured[1:]]


def test_bin_losses_of_few_samples_are_fewer_bins() -> None:
    dense = np.linspace(0.1, 1.0, 59)
    assert len(bin_losses(make_pair(dense, dense)).bins) == 2
    assert len(bin_losses(make_pair([0.3] * 5, [0.3] * 5), count=10).bins) == 1, "equal margins share a bin"


def test_bin_losses_robust_keep_what_dense_does_not_hold_apart() -> None:
    table = bin_losses(make_pair(DENSE, PRUNED), population="robust", eps=2.5, count=1)
    assert [(each.label, each.n, each.lost.count) for each in table.bins] == [
        ("not held by the dense model", 3, 0),
        ("3 to 4", 2, 1),
        ("not found", 1, 0),
    ]


@given(pairs(), st.integers(1, 10))
def test_bin_losses_hold_every_sample_and_every_loss_once(joined: Pair, count: int) -> None:
    bins = bin_losses(joined, count=count).bins
    assert sum(each.n for each in bins) == joined.n
    assert sum(each.lost.count for each in bins) == count_sets(joined).n10
    measured = [each for each in bins if each.kind == "measured"]
    assert len(measured) <= count
    for place, each in enumerate(measured):
        margin = joined.dense.margin
        is_above = margin >= each.low if place == 0 else margin > each.low
        assert each.n == (is_above & (margin <= each.high) & (margin > 0)).sum() > 0


def test_bin_losses_of_witnesses_have_a_reason() -> None:
    witnesses = make([0.1, 0.1], kind="witness", eps=0.1)
    table = bin_losses(pair(witnesses, witnesses))
    assert (table.bins, table.reason) == ((), WITNESS_REASON)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"count": 0}, "The number of bins must be from 1 to 10; got 0."),
        ({"count": 11}, "The number of bins must be from 1 to 10; got 11."),
        ({"edges": [1.0]}, "There must be at least two bin edges: finite, increasing numbers."),
        ({"edges": [1.0, 1.0]}, "There must be at least two bin edges: finite, increasing numbers."),
        ({"edges": [0.0, INF]}, "There must be at least two bin edges: finite, increasing numbers."),
    ],
)
def test_bin_losses_with_bad_bins_are_refused(arguments: dict, sentence: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        bin_losses(make_pair(DENSE, PRUNED), **arguments)
    assert caught.value.message == sentence


def test_threshold_equals_the_hand_count() -> None:
    picked = threshold(make_pair(DENSE, PRUNED), 3.0)
    assert (picked.precision.count, picked.precision.n) == (2, 3)
    assert (picked.recall.count, picked.recall.n) == (2, 3)
    assert (picked.size.count, picked.size.n) == (3, 5)


def test_threshold_at_zero_flags_nothing_and_its_precision_is_no_number() -> None:
    picked = threshold(make_pair(DENSE, PRUNED), 0.0)
    assert (picked.size.count, picked.precision.value, picked.recall.value) == (0, None, 0.0)


@given(pairs(), st.floats(0, 1.5))
def test_threshold_equals_a_plain_loop(joined: Pair, delta: float) -> None:
    flagged = caught = lost = held = 0
    for dense, pruned in zip(joined.dense.margin, joined.pruned.margin, strict=True):
        if dense > 0:
            held += 1
            lost += pruned == 0
            flagged += dense <= delta
            caught += dense <= delta and pruned == 0
    picked = threshold(joined, delta)
    assert (picked.precision.count, picked.precision.n) == (caught, flagged)
    assert (picked.recall.n, picked.size.n) == (lost, held)


@given(pairs())
def test_threshold_curve_recall_and_size_never_fall(joined: Pair) -> None:
    curve = threshold_curve(joined)
    for left, right in pairwise(curve):
        assert left.delta < right.delta
        assert left.recall.count <= right.recall.count
        assert left.size.count < right.size.count


def test_threshold_curve_by_default_has_at_most_the_points_asked() -> None:
    joined = draw_pair(1000, 2)
    curve = threshold_curve(joined, points=50)
    assert len(curve) == 50
    finite = joined.dense.margin[joined.dense.correct & np.isfinite(joined.dense.margin)]
    assert (curve[0].delta, curve[-1].delta) == (finite.min(), finite.max())


def test_threshold_of_witnesses_has_a_reason() -> None:
    witnesses = make([0.1, 0.1], kind="witness", eps=0.1)
    picked = threshold(pair(witnesses, witnesses), 0.1)
    assert (picked.reason, picked.precision.value) == (WITNESS_REASON, None)


@pytest.mark.parametrize("delta", [-0.1, INF, float("nan")])
def test_threshold_that_is_no_distance_is_refused(delta: float) -> None:
    with pytest.raises(InvalidRequest, match="The threshold on the margin must be a finite number"):
        threshold(make_pair(DENSE, PRUNED), delta)
