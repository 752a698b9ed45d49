"""Dense against pruned margins: only measured ones are numbers."""

import numpy as np
import pytest
from hypothesis import given
from scipy import stats

from backend.analysis.margins import EXCLUSIONS, correlate
from backend.analysis.pairing import Pair, pair
from tests.analysis.fabrication import INF, draw_pair, make, make_pair, pairs

# each way to be left out, once; then the measured ones
LEFT_OUT_DENSE = [0.0, 0.0, 0.3, INF, INF, 0.3, 0.0, INF]
LEFT_OUT_PRUNED = [0.0, 0.3, 0.0, INF, 0.3, INF, INF, 0.0]
REASONS = [1, 2, 2, 1, 1, 1]


def with_measured(dense: list[float], pruned: list[float]) -> Pair:
    return make_pair(LEFT_OUT_DENSE + dense, LEFT_OUT_PRUNED + pruned)


def kendall_by_hand(x: list[float], y: list[float]) -> float:
    agree = ties_x = ties_y = pairs_seen = 0
    for i in range(len(x)):
        for j in range(i):
            product = np.sign(x[i] - x[j]) * np.sign(y[i] - y[j])
            agree += product
            ties_x += x[i] == x[j]
            ties_y += y[i] == y[j]
            pairs_seen += 1
    return float(agree / np.sqrt((pairs_seen - ties_x) * (pairs_seen - ties_y)))


def test_correlate_uses_measured_margins_and_counts_the_others_by_reason() -> None:
    dense = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.8, 1.0]
    pruned = [0.2, 0.1, 0.3, 0.3, 0.6, 0.5, 0.9, 0.7, 0.8, 1.1]
    result = correlate(with_measured(dense, pruned))
    ranks = [stats.rankdata(values) for values in (dense, pruned)]
    assert result.n == 10
    assert result.excluded == dict(zip(EXCLUSIONS, REASONS, strict=True))
    assert result.spearman.value == pytest.approx(np.corrcoef(*ranks)[0, 1])
    assert result.kendall.value == pytest.approx(kendall_by_hand(dense, pruned))
    for estimate in (result.spearman, result.kendall):
        assert -1 <= estimate.low < estimate.value < estimate.high <= 1


@given(pairs())
def test_correlate_counts_every_sample_once(joined: Pair) -> None:
    result = correlate(joined)
    assert result.n + sum(result.excluded.values()) == joined.n


def test_correlate_mirrors_when_sides_swap() -> None:
    joined = draw_pair(300, 1)
    one, other = correlate(joined), correlate(pair(joined.pruned, joined.dense))
    assert one.spearman.value == pytest.approx(other.spearman.value)
    assert one.kendall.value == pytest.approx(other.kendall.value)


def test_correlate_of_equal_margins_is_one() -> None:
    dense = list(np.linspace(0.1, 1, 20))
    result = correlate(make_pair(dense, dense))
    assert result.spearman.value == pytest.approx(1.0)
    assert result.spearman.low > 0.99
    assert result.spearman.high <= 1.0


def test_correlate_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    # For a bivariate normal with correlation r, Kendall's tau is 2/pi asin(r) and Spearman's 6/pi asin(r/2).
    generator, r, inside = np.random.default_rng(3), 0.7, np.zeros(2)
    for _ in range(300):
        x = generator.normal(size=80)
        y = r * x + np.sqrt(1 - r * r) * generator.normal(size=80)
        result = correlate(make_pair(np.exp(x), np.exp(y)))
        truths = (6 / np.pi * np.arcsin(r / 2), 2 / np.pi * np.arcsin(r))
        for place, (estimate, truth) in enumerate(zip((result.spearman, result.kendall), truths, strict=True)):
            inside[place] += estimate.low <= truth <= estimate.high
    assert ((inside / 300 > 0.91) & (inside / 300 < 0.99)).all()


@pytest.mark.parametrize(
    ("dense", "pruned", "reason"),
    [
        ([0.1], [0.2], "Too few samples have a measured margin on both sides (1, at least 10 needed)."),
        ([0.1] * 9, [0.2] * 9, "Too few samples have a measured margin on both sides (9, at least 10 needed)."),
        ([0.1] * 12, list(np.linspace(0.1, 1, 12)), "All dense margins are equal, so they cannot be ranked."),
        (list(np.linspace(0.1, 1, 12)), [0.1] * 12, "All pruned margins are equal, so they cannot be ranked."),
    ],
)
def test_correlate_without_enough_has_a_reason(dense: list[float], pruned: list[float], reason: str) -> None:
    result = correlate(make_pair(dense, pruned))
    assert (result.spearman.value, result.kendall.value) == (None, None)
    assert result.spearman.reason == result.kendall.reason == reason


def test_correlate_of_witnesses_has_a_reason() -> None:
    witnesses = make([0.1] * 20, kind="witness", eps=0.1)
    result = correlate(pair(make([0.1] * 20), witnesses))
    assert result.spearman.reason == "The pruned distances are witnesses at a fixed eps, which only bound the margins."
