"""The four sets, their rates and who pays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from backend.analysis.flips import Counts, by_class, count_sets, find_lost, name_sets, summarise
from backend.analysis.pairing import Pair, pair
from tests.analysis.fabrication import INF, make_pair, pairs

# right/right, lost, gained, never, right/right but broken by pruning at 0.1, held by dense only, not found
DENSE = [0.3, 0.05, 0.0, 0.0, 0.2, 0.05, INF]
PRUNED = [0.2, 0.0, 0.4, 0.0, 0.1, 0.3, INF]


def test_count_sets_clean_equals_the_hand_count() -> None:
    joined = make_pair(DENSE, PRUNED)
    assert count_sets(joined) == Counts(n11=4, n10=1, n01=1, n00=1)
    assert name_sets(joined).tolist() == ["S11", "S10", "S01", "S00", "S11", "S11", "S11"]


def test_count_sets_at_eps_equals_the_hand_count() -> None:
    joined = make_pair(DENSE, PRUNED)
    assert name_sets(joined, 0.1).tolist() == ["S11", "S00", "S01", "S00", "S10", "S01", "S11"]
    assert count_sets(joined, 0.1) == Counts(n11=2, n10=1, n01=2, n00=2)
    assert find_lost(joined, 0.1).tolist() == [False, False, False, False, True, False, False]


def test_summarise_equals_the_hand_computed_rates() -> None:
    flips = summarise(make_pair(DENSE, PRUNED))
    assert (flips.negative_flip_rate.count, flips.negative_flip_rate.n) == (1, 7)
    assert (flips.positive_flip_rate.count, flips.positive_flip_rate.n) == (1, 7)
    assert (flips.lost_share.count, flips.lost_share.n) == (1, 5)
    assert (flips.churn.count, flips.churn.n) == (2, 7)
    assert (flips.net, flips.mcnemar_p) == (0, 1.0)


def test_summarise_counts_a_change_between_two_wrong_labels_as_churn() -> None:
    joined = make_pair([0.0], [0.0])
    other = make_pair([0.0], [0.0], predictions=[7])
    mixed = Pair(joined.dense, other.pruned, 1, 1, 0)
    assert summarise(mixed).churn.count == 1
    assert summarise(mixed).counts.n00 == 1


def test_summarise_p_equals_the_binomial_test() -> None:
    joined = make_pair([0.1] * 12 + [0.0] * 3 + [0.1] * 5, [0.0] * 12 + [0.1] * 3 + [0.1] * 5)
    flips = summarise(joined)
    assert flips.net == -9
    assert flips.mcnemar_p == pytest.approx(2 * stats.binom.cdf(3, 15, 0.5))


@given(pairs(), st.one_of(st.none(), st.sampled_from([0.0, 0.01, 8 / 255, 0.5])))
def test_count_sets_sum_to_n_and_mirror_when_sides_swap(joined: Pair, eps: float | None) -> None:
    counts = count_sets(joined, eps)
    assert counts.n == joined.n == counts.n11 + counts.n10 + counts.n01 + counts.n00
    swapped = count_sets(pair(joined.pruned, joined.dense), eps)
    assert (swapped.n11, swapped.n10, swapped.n01, swapped.n00) == (counts.n11, counts.n01, counts.n10, counts.n00)
    sets = name_sets(joined, eps)
    assert {name: int((sets == name).sum()) for name in ("S11", "S10", "S01", "S00")} == {
        "S11": counts.n11,
        "S10": counts.n10,
        "S01": counts.n01,
        "S00": counts.n00,
    }


@given(pairs())
def test_count_sets_at_eps_zero_equal_the_clean_ones(joined: Pair) -> None:
    assert count_sets(joined, 0.0) == count_sets(joined)


@given(pairs(), st.floats(0, 1), st.floats(0, 1))
def test_count_sets_hold_fewer_at_a_larger_eps(joined: Pair, one: float, other: float) -> None:
    small, large = sorted([one, other])
    assert count_sets(joined, large).dense <= count_sets(joined, small).dense
    assert count_sets(joined, large).pruned <= count_sets(joined, small).pruned


@given(pairs())
def test_count_sets_equal_a_plain_loop(joined: Pair) -> None:
    tally = dict.fromkeys(["n11", "n10", "n01", "n00"], 0)
    for dense, pruned in zip(joined.dense.margin, joined.pruned.margin, strict=True):
        tally[f"n{int(dense > 0.0315)}{int(pruned > 0.0315)}"] += 1
    # 8/255 is among the margins drawn, and nothing lies between it and 0.0315 but by a rare draw
    near = np.concatenate([joined.dense.margin, joined.pruned.margin])
    if not ((near > 8 / 255) & (near <= 0.0315)).any():
        assert count_sets(joined, 8 / 255) == Counts(**tally)


def test_by_class_finds_who_pays() -> None:
    # Class 0 loses 30 of 40, class 1 loses 2 of 40, class 2 has nothing to lose.
    labels = np.repeat([0, 1, 2], 40)
    dense = [0.1] * 80 + [0.0] * 40
    pruned = [0.0] * 30 + [0.1] * 10 + [0.0] * 2 + [0.1] * 38 + [0.1] * 5 + [0.0] * 35
    sides = []
    for margins in (dense, pruned):
        predictions = np.where(np.array(margins) > 0, labels, labels + 1)
        sides.append(make_pair(margins, margins, labels=labels, predictions=predictions).dense)
    first, second, third = by_class(pair(*sides))
    assert (first.label, first.lost.count, first.lost.n) == (0, 30, 40)
    assert (second.label, second.lost.count, second.lost.n) == (1, 2, 40)
    assert (third.lost.n, third.lost.value, third.gained.count, third.gained.n) == (0, None, 5, 40)
    assert third.p_value is None and third.p_holm is None
    expected = stats.fisher_exact([[30, 10], [2, 38]]).pvalue
    assert first.p_value == pytest.approx(expected)
    assert first.p_holm == pytest.approx(2 * expected), "two classes have a test"
    # Bonferroni over three classes: z = 2.394 instead of 1.960
    wide = stats.binomtest(30, 40).proportion_ci(1 - 0.05 / 3, method="wilson")
    assert (first.lost.low, first.lost.high) == pytest.approx((wide.low, wide.high))


@given(pairs())
def test_by_class_counts_sum_to_the_whole(joined: Pair) -> None:
    rows = by_class(joined)
    whole = count_sets(joined)
    assert sum(row.counts.n10 for row in rows) == whole.n10
    assert sum(row.counts.n01 for row in rows) == whole.n01
    assert sum(row.n for row in rows) == joined.n
