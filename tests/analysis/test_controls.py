"""Flips beyond a control, on shared samples."""

import numpy as np
import pytest
from hypothesis import given
from scipy import stats

from backend.analysis.controls import compare_control, compare_losses
from backend.analysis.pairing import Pair, pair
from backend.errors import NotComparable
from tests.analysis.fabrication import draw_pair, make, make_pair, pairs

# ten right, two wrong; pruning loses 0-5 and repairs 10; the control loses 4-6
DENSE = [0.1] * 10 + [0.0] * 2
PRUNED = [0.0] * 6 + [0.1] * 4 + [0.2, 0.0]
CONTROL = [0.1] * 4 + [0.0] * 3 + [0.1] * 3 + [0.0, 0.0]


def test_compare_control_equals_the_hand_count() -> None:
    beyond = compare_control(make_pair(DENSE, PRUNED), make_pair(DENSE, CONTROL))
    assert (beyond.shared, beyond.undecided) == (12, 0)
    lost, gained = beyond.lost, beyond.gained
    assert (lost.n, lost.pruned.count, lost.control.count) == (10, 6, 3)
    assert (lost.both, lost.only_pruned, lost.only_control) == (2, 4, 1)
    assert lost.difference.value == pytest.approx(0.3)
    assert lost.p_value == pytest.approx(stats.binomtest(4, 5).pvalue)
    assert (gained.n, gained.pruned.count, gained.control.count) == (2, 1, 0)
    few = "too few lost samples (6, at least 20 needed) to say whether a small dense margin predicts losses."
    assert beyond.auroc.difference.reason == f"For the pruned model, {few}"


def test_compare_control_at_eps_uses_what_dense_holds_there() -> None:
    beyond = compare_control(
        make_pair([0.3, 0.3, 0.05], [0.1, 0.3, 0.3]), make_pair([0.3, 0.3, 0.05], [0.3, 0.3, 0.05]), eps=0.1
    )
    assert (beyond.lost.n, beyond.lost.only_pruned, beyond.lost.only_control) == (2, 1, 0)
    assert (beyond.gained.n, beyond.gained.only_pruned) == (1, 1)


def test_compare_control_with_itself_has_no_difference() -> None:
    joined = draw_pair(300, 1)
    beyond = compare_control(joined, joined, bootstrap=50)
    assert beyond.lost.difference.value == 0.0
    assert (beyond.lost.only_pruned, beyond.lost.only_control, beyond.lost.p_value) == (0, 0, 1.0)


@given(pairs(least=2), pairs(least=2))
def test_compare_control_counts_sum_and_mirror(first: Pair, second: Pair) -> None:
    one, other = compare_control(first, second, bootstrap=2), compare_control(second, first, bootstrap=2)
    assert one.shared == min(first.n, second.n)
    assert one.lost.n + one.gained.n + one.undecided == one.shared
    for excess in (one.lost, one.gained):
        assert excess.pruned.count == excess.both + excess.only_pruned
        assert excess.control.count == excess.both + excess.only_control
    assert (one.lost.only_pruned, one.lost.only_control) == (other.lost.only_control, other.lost.only_pruned)


def test_compare_control_as_noise_floor_leaves_clean_flips_at_none() -> None:
    joined = draw_pair(300, 1)
    generator = np.random.default_rng(0)
    again = make(joined.dense.margin * generator.uniform(0.98, 1.02, joined.n))
    floor = pair(joined.dense, again)
    assert compare_control(joined, floor, bootstrap=20).lost.control.count == 0
    assert compare_control(joined, floor, eps=0.05, bootstrap=20).lost.control.count > 0


def test_compare_control_shows_more_loss_than_the_control() -> None:
    pruned, control = draw_pair(900, 6, noise=0.03), draw_pair(900, 6, noise=0.001, shift=0.001)
    beyond = compare_control(pruned, control, bootstrap=20)
    assert beyond.lost.difference.low > 0
    assert beyond.lost.p_value < 1e-6


def test_compare_control_without_shared_samples_is_not_comparable() -> None:
    with pytest.raises(NotComparable, match="The comparison and its control share no samples"):
        compare_control(make_pair([0.1], [0.1], ids=["a"]), make_pair([0.1], [0.1], ids=["b"]))


@given(pairs(least=2), pairs(least=2))
def test_compare_losses_are_those_of_the_whole_comparison(first: Pair, second: Pair) -> None:
    for eps in (None, 0.02):
        assert compare_losses(first, second, eps=eps) == compare_control(first, second, eps=eps, bootstrap=2).lost
