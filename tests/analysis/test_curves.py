"""Robust accuracy at any eps and the median margin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from backend.analysis.curves import accuracy, default_grid, median_margin, robustness_curve
from backend.errors import InvalidRequest
from tests.analysis.fabrication import INF, make, margin_values

MARGINS = [0.0, 0.1, 0.2, 0.2, INF]


def test_robustness_curve_equals_the_hand_count() -> None:
    curve = robustness_curve(make(MARGINS), [0.0, 0.05, 0.1, 0.15, 0.2, 5.0])
    assert curve.accuracy.tolist() == [0.8, 0.8, 0.6, 0.6, 0.2, 0.2]
    assert (curve.n, curve.reason) == (5, None)
    band = stats.binomtest(3, 5).proportion_ci(method="wilson")
    assert (curve.low[2], curve.high[2]) == pytest.approx((band.low, band.high))


@given(st.lists(margin_values, min_size=1, max_size=40))
def test_robustness_curve_falls_from_clean_accuracy_to_the_share_not_found(margins: list[float]) -> None:
    outcomes = make(margins)
    curve = robustness_curve(outcomes)
    assert curve.eps[0] == 0.0
    assert curve.accuracy[0] == outcomes.correct.mean() == accuracy(outcomes).value
    assert curve.accuracy[-1] == np.isinf(outcomes.margin).mean()
    assert (np.diff(curve.accuracy) <= 0).all()
    assert ((curve.low <= curve.accuracy) & (curve.accuracy <= curve.high)).all()


def test_robustness_curve_of_witnesses_stays_at_their_eps() -> None:
    curve = robustness_curve(make([0.0, 0.1, INF, INF], kind="witness", eps=0.1), [0.0, 0.05, 0.1])
    assert curve.eps.tolist() == [0.0, 0.1]
    assert curve.accuracy.tolist() == [0.75, 0.5]
    assert curve.reason is not None and "one fixed eps" in curve.reason


def test_default_grid_reaches_past_every_finite_margin() -> None:
    grid = default_grid([make([0.1, INF]), make([0.4, 0.0])], points=5)
    assert (grid[0], grid[-1], len(grid)) == (0.0, pytest.approx(0.42), 5)
    assert default_grid([make([INF, 0.0])])[-1] == 1.0


@pytest.mark.parametrize(
    ("grid", "sentence"),
    [
        ([], "The grid of a robustness curve must list at least one eps."),
        ([[0.1]], "The grid of a robustness curve must list at least one eps."),
        ([-0.1, 0.1], "eps must be a finite number >= 0; got -0.1."),
        ([0.1, INF], "eps must be a finite number >= 0; got inf."),
        ([0.1, float("nan")], "eps must be a finite number >= 0; got nan."),
    ],
)
def test_robustness_curve_on_a_bad_grid_is_refused(grid: list, sentence: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        robustness_curve(make(MARGINS), grid)
    assert caught.value.message == sentence


def test_robustness_curve_without_samples_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="needs at least one sample"):
        robustness_curve(make([]))


def test_median_margin_keeps_wrong_and_not_found_apart() -> None:
    result = median_margin(make([0.0, 0.0, 0.1, 0.2, 0.3, INF, INF]))
    assert (result.n, result.already_wrong, result.censored) == (5, 2, 2)
    assert result.median.value == 0.3, "rank 3 of 5, the two not found being the largest"


def test_median_margin_mostly_not_found_is_none_with_a_reason() -> None:
    result = median_margin(make([0.0, 0.1, INF, INF]))
    assert result.median.value is None
    assert result.median.reason == ("The median lies beyond every radius tried: 2 of 3 margins were not found.")


def test_median_margin_with_nothing_right_says_so() -> None:
    assert median_margin(make([0.0, 0.0])).median.reason == "There is no median, because there are no margins."


def test_median_margin_of_witnesses_is_none_with_a_reason() -> None:
    result = median_margin(make([0.1, INF], kind="witness", eps=0.1))
    assert result.median.value is None
    assert result.median.reason == "Witnesses at a fixed eps only bound the margin; measure margins to get a median."
