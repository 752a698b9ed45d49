"""Intervals and tests against closed forms, brute force and simulated coverage."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from backend.analysis.statistics import find_middle, holm, mcnemar, median, paired_difference, wilson
from backend.errors import InvalidRequest
from tests.analysis.fabrication import INF


@pytest.mark.parametrize(("count", "n"), [(0, 10), (1, 10), (5, 10), (10, 10), (121, 1687), (1, 1)])
def test_wilson_equals_scipys_interval(count: int, n: int) -> None:
    expected = stats.binomtest(count, n).proportion_ci(0.95, method="wilson")
    share = wilson(count, n)
    assert share.value == count / n
    assert share.low == pytest.approx(expected.low, abs=1e-12)
    assert share.high == pytest.approx(expected.high, abs=1e-12)


def test_wilson_at_eight_of_ten_equals_the_hand_computed_interval() -> None:
    # z = 1.96: centre (0.8 + 0.19208) / 1.38416 = 0.71674, half 1.96 / 1.38416 * sqrt(0.016 + 0.009604) = 0.22658
    share = wilson(8, 10)
    assert (round(share.low, 3), round(share.high, 3)) == (0.490, 0.943)


def test_wilson_without_samples_has_no_numbers() -> None:
    share = wilson(0, 0)
    assert (share.value, share.low, share.high) == (None, None, None)


@pytest.mark.parametrize(("count", "n"), [(-1, 5), (6, 5), (1, 0)])
def test_wilson_with_impossible_counts_is_refused(count: int, n: int) -> None:
    with pytest.raises(InvalidRequest, match="0 <= count <= n"):
        wilson(count, n)


def test_wilson_with_a_confidence_outside_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="The confidence must lie between 0 and 1"):
        wilson(1, 2, confidence=1.0)


def test_wilson_covers_the_truth_about_as_often_as_it_says() -> None:
    # Exact coverage, summed over the binomial, averaged over shares (single ones may fall to 0.93).
    for n in (30, 200):
        intervals = [wilson(k, n) for k in range(n + 1)]
        coverage = []
        for truth in np.linspace(0.05, 0.95, 37):
            mass = stats.binom.pmf(np.arange(n + 1), n, truth)
            is_inside = np.array([share.low <= truth <= share.high for share in intervals])
            coverage.append(mass[is_inside].sum())
        assert 0.945 < np.mean(coverage) < 0.96
        assert min(coverage) > 0.91


def test_mcnemar_equals_the_sum_over_the_binomial() -> None:
    for first, second in itertools.product(range(8), repeat=2):
        n = first + second
        masses = [math.comb(n, k) / 2**n for k in range(n + 1)]
        expected = sum(mass for mass in masses if mass <= masses[first] * (1 + 1e-12))
        assert mcnemar(first, second) == pytest.approx(expected)
    assert mcnemar(0, 0) == 1.0


def test_holm_equals_the_worked_example() -> None:
    # 0.01 x 4, max(0.04, 0.02 x 3) = 0.06, max(0.06, 0.03 x 2) = 0.06, max(0.06, 0.04) = 0.06
    assert holm(np.array([0.03, 0.01, 0.04, 0.02])) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm(np.array([0.9, 0.8])).tolist() == [1.0, 1.0]
    assert holm(np.array([])).tolist() == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_equals_the_definition(p_values: list[float]) -> None:
    corrected = holm(np.array(p_values))
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    for place, index in enumerate(order):
        expected = max((len(p_values) - j) * p_values[order[j]] for j in range(place + 1))
        assert corrected[index] == pytest.approx(min(1.0, expected))


@pytest.mark.parametrize(
    ("values", "middle"),
    [
        ([3.0, 1.0, 2.0], 2.0),
        ([3.0, 1.0, 2.0, 10.0], 2.5),
        ([1.0, INF, 2.0], 2.0),
        ([1.0, INF], None),
        ([1.0, INF, INF], None),
        ([], None),
    ],
    ids=str,
)
def test_find_middle_is_the_mean_of_both_middles_and_none_where_one_is_not_found(
    values: list[float], middle: float | None
) -> None:
    assert find_middle(values) == middle
    assert median(np.array(values)).value == middle


def test_median_with_known_values_is_their_median() -> None:
    estimate = median(np.array([3.0, 1.0, 2.0, 10.0]))
    assert estimate.value == 2.5
    assert estimate.low is not None and estimate.high is not None
    assert 1.0 <= estimate.low <= 2.5 <= estimate.high <= 10.0


def test_median_never_averages_what_was_not_found() -> None:
    estimate = median(np.array([1.0, 2.0, 3.0, INF, INF]))
    assert estimate.value == 3.0
    assert estimate.high is None, "resamples with a censored median leave the upper end open"
    assert estimate.reason is None


@pytest.mark.parametrize("values", [[1.0, INF], [1.0, INF, INF], [INF]], ids=str)
def test_median_that_is_not_found_is_none_with_a_reason(values: list[float]) -> None:
    estimate = median(np.array(values), of="margins")
    assert estimate.value is None and estimate.high is None
    censored = values.count(INF)
    assert estimate.reason == (
        f"The median lies beyond every radius tried: {censored} of {len(values)} margins were not found."
    )


def test_median_of_nothing_says_so() -> None:
    assert median(np.array([]), of="margins").reason == "There is no median, because there are no margins."


def test_median_with_a_nan_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="without NaN"):
        median(np.array([1.0, np.nan]))


def test_median_with_the_same_seed_repeats_and_in_blocks_stays_close() -> None:
    values = np.random.default_rng(1).exponential(1.0, 501)
    assert median(values, seed=3) == median(values, seed=3)
    assert median(values[::-1], seed=3) == median(values, seed=3)
    # The bootstrap distribution of a median is known: rank k is it with a binomial probability.
    estimate = median(values, seed=3, resamples=20_000)
    ordered = np.sort(values)
    below = stats.binom.sf(250, 501, np.arange(1, 502) / 501)
    assert estimate.low == pytest.approx(ordered[np.searchsorted(below, 0.025)], rel=0.02)
    assert estimate.high == pytest.approx(ordered[np.searchsorted(below, 0.975)], rel=0.02)


def test_paired_difference_has_the_plain_difference_inside() -> None:
    estimate = paired_difference(36, 12, 2, 0)
    assert estimate.value == pytest.approx(0.2)
    assert estimate.low is not None and estimate.high is not None
    assert 0 < estimate.low < 0.2 < estimate.high < 0.4


@pytest.mark.parametrize(
    ("cells", "phi_numerator"),
    [((20, 12, 2, 16), 296 - 25), ((6, 2, 2, 0), -4), ((8, 4, 3, 2), 0)],
    ids=["positive, corrected by n/2", "negative, not corrected", "small, set to 0"],
)
def test_paired_difference_equals_newcombes_method_10(cells: tuple[int, ...], phi_numerator: float) -> None:
    a, b, c, d = cells
    n = sum(cells)
    phi = phi_numerator / math.sqrt((a + b) * (c + d) * (a + c) * (b + d))
    first = stats.binomtest(a + b, n).proportion_ci(method="wilson")
    second = stats.binomtest(a + c, n).proportion_ci(method="wilson")
    p, q = (a + b) / n, (a + c) / n
    down, up = p - first.low, second.high - q
    low = (p - q) - math.sqrt(down**2 - 2 * phi * down * up + up**2)
    up, down = first.high - p, q - second.low
    high = (p - q) + math.sqrt(up**2 - 2 * phi * up * down + down**2)
    estimate = paired_difference(*cells)
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=1e-12)


def test_paired_difference_without_any_flip_still_has_a_width() -> None:
    estimate = paired_difference(0, 0, 0, 50)
    assert estimate.value == 0.0
    assert estimate.low is not None and estimate.low < -0.01
    assert estimate.high is not None and estimate.high > 0.01


def test_paired_difference_of_nothing_says_so() -> None:
    assert paired_difference(0, 0, 0, 0).reason == "There are no shared samples to compare."


@given(*[st.integers(0, 60)] * 4)
def test_paired_difference_is_antisymmetric_and_bounded(both: int, first: int, second: int, neither: int) -> None:
    one, other = paired_difference(both, first, second, neither), paired_difference(both, second, first, neither)
    if both + first + second + neither == 0:
        assert one.value is None
        return
    assert one.value == pytest.approx(-other.value)
    assert one.low == pytest.approx(-other.high)
    assert -1 <= one.low <= one.value + 1e-12
    assert one.value - 1e-12 <= one.high <= 1


def test_paired_difference_covers_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    for cells in ([0.3, 0.1, 0.05, 0.55], [0.02, 0.06, 0.02, 0.9], [0.01, 0.01, 0.01, 0.97]):
        truth = cells[1] - cells[2]
        tables = generator.multinomial(300, cells, size=1500)
        inside = 0
        for both, first, second, neither in tables.tolist():
            estimate = paired_difference(both, first, second, neither)
            inside += estimate.low <= truth <= estimate.high
        assert 0.935 < inside / len(tables) < 0.985
