"""Dense against pruned margins: only measured ones are numbers."""

import numpy as np
import pytest
from hypothesis import given
from scipy import stats

from backend.analysis.margins import EXCLUSIONS, bin_by_set, correlate, find_medians, measure_change, trace_ecdfs
from backend.analysis.pairing import Pair, pair
from backend.errors import InvalidRequest
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


def test_measure_change_equals_scipy_on_measured_margins_only() -> None:
    generator = np.random.default_rng(0)
    dense = generator.uniform(0.1, 1, 30)
    pruned = dense - generator.uniform(-0.02, 0.08, 30)
    pruned[:3] = dense[:3]
    result = measure_change(with_measured(list(dense), list(pruned)))
    change = pruned - dense
    assert result.values == pytest.approx(change)
    assert result.sample_ids.tolist() == [f"s{i:05d}" for i in range(8, 38)]
    assert result.median.value == pytest.approx(np.median(change))
    assert result.wilcoxon_p == pytest.approx(stats.wilcoxon(change[3:]).pvalue)
    assert (result.n_used, result.grew, result.shrank) == (27, (change > 0).sum(), (change < 0).sum())
    assert sum(result.excluded.values()) == 8
    assert result.reason is None


def test_measure_change_p_equals_the_exact_enumeration() -> None:
    dense = np.full(10, 1.0)
    steps = np.array([1, -2, 3, 4, -5, 6, 7, 8, 9, 10]) / 64
    observed = sum(rank for rank, step in enumerate(np.sort(np.abs(steps)), 1) if step in steps)
    ranks = np.arange(1, 11)
    totals = np.array([sum(r for b, r in enumerate(ranks) if mask >> b & 1) for mask in range(1024)])
    extreme = np.abs(totals - 27.5) >= abs(observed - 27.5) - 1e-9
    assert observed == 48
    assert measure_change(make_pair(dense, dense + steps)).wilcoxon_p == pytest.approx(extreme.mean())


def test_measure_change_without_change_has_a_reason() -> None:
    result = measure_change(make_pair([0.3] * 20, [0.3] * 20))
    assert (result.wilcoxon_p, result.n_used) == (None, 0)
    assert result.reason == "Too few measured margins changed for a test (0, at least 10 needed)."
    assert result.median.value == 0.0


def test_measure_change_of_witnesses_has_no_median() -> None:
    witnesses = make([0.1] * 20, kind="witness", eps=0.1)
    result = measure_change(pair(witnesses, witnesses))
    assert (result.median.value, result.wilcoxon_p) == (None, None)
    assert result.reason == "The dense and pruned distances are witnesses at a fixed eps, which only bound the margins."


@given(pairs())
def test_bin_by_set_holds_every_sample_once_in_common_bins(joined: Pair) -> None:
    dense, pruned = bin_by_set(joined, side="dense"), bin_by_set(joined, side="pruned")
    assert np.array_equal(dense.edges, pruned.edges)
    for histogram in (dense, pruned):
        everything = sum(int(counts.sum()) for counts in histogram.counts.values())
        assert everything + sum(histogram.zero.values()) + sum(histogram.not_found.values()) == joined.n
    assert dense.zero["S11"] == dense.zero["S10"] == 0
    assert pruned.zero["S11"] == pruned.zero["S01"] == 0


def test_bin_by_set_equals_the_hand_count() -> None:
    joined = make_pair([0.1, 0.9, INF, 0.0, 1.0], [0.0, 0.9, 0.2, 0.4, 0.0])
    histogram = bin_by_set(joined, count=2)
    assert histogram.edges.tolist() == [0.0, 0.5, 1.0]
    assert {name: counts.tolist() for name, counts in histogram.counts.items()} == {
        "S11": [0, 1],
        "S10": [1, 1],
        "S01": [0, 0],
        "S00": [0, 0],
    }
    assert (histogram.not_found["S11"], histogram.zero["S01"]) == (1, 1)


def test_bin_by_set_of_own_prediction_gives_wrong_samples_a_distance() -> None:
    joined = make_pair([0.0, 0.2], [0.3, 0.2])
    assert bin_by_set(joined, measure="margin_pred").counts["S01"].sum() == 1
    assert bin_by_set(joined, measure="margin").counts["S01"].sum() == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"count": 0}, "A histogram needs at least one bin; got 0."),
        ({"side": "left"}, "side must be dense or pruned, and measure margin or margin_pred; got 'left', 'margin'."),
        ({"measure": "loss"}, "side must be dense or pruned, and measure margin or margin_pred; got 'dense', 'loss'."),
    ],
)
def test_bin_by_set_with_a_bad_question_is_refused(arguments: dict, sentence: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        bin_by_set(make_pair([0.1], [0.1]), **arguments)
    assert caught.value.message == sentence


def test_trace_ecdfs_end_below_one_by_the_share_not_found() -> None:
    curves = trace_ecdfs(make_pair([0.1, 0.2, 0.2, INF, 0.3], [0.1, 0.1, 0.1, 0.1, 0.0]))
    assert set(curves) == {"S11", "S10"}
    assert curves["S11"].x.tolist() == [0.1, 0.2]
    assert curves["S11"].share.tolist() == [0.25, 0.75]
    assert (curves["S11"].n, curves["S11"].not_found) == (4, 1)


def test_find_medians_by_set_never_average_zero_or_not_found() -> None:
    medians = find_medians(make_pair([0.1, 0.2, INF, 0.3, 0.0], [0.1, 0.1, 0.1, 0.0, 0.4]))
    assert medians["S11"].value == 0.2
    assert medians["S10"].value == 0.3
    assert medians["S01"].reason == "There is no median, because there are no margins above 0."
