"""Caveats of margins: gains beyond belief, and verdicts that contradict them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.analysis.caveats import GAIN_RATIO, count_overestimated, find_gain
from backend.analysis.flips import name_sets
from backend.analysis.pairing import judge_at, pair
from backend.errors import InvalidRequest
from tests.analysis.fabrication import make, make_pair

INF = float("inf")


@given(st.floats(0.1, 10.0), st.integers(1, 60))
def test_find_gain_of_scaled_constant_margins_is_told_by_the_ratio(factor: float, n: int) -> None:
    gain = find_gain(make_pair([0.1] * n, [0.1 * factor] * n), bootstrap=20)
    if factor > GAIN_RATIO * (1 + 1e-9):
        assert gain is not None and gain.n == n and gain.pruned.value == pytest.approx(factor * 0.1)
    elif factor < GAIN_RATIO * (1 - 1e-9):
        assert gain is None


def test_find_gain_with_overlapping_intervals_is_none() -> None:
    generator = np.random.default_rng(0)
    dense, pruned = generator.uniform(0.01, 1, 8), generator.uniform(0.01, 1.6, 8)
    assert np.median(pruned) > GAIN_RATIO * np.median(dense), "the ratio alone would tell a gain"
    assert find_gain(make_pair(list(dense), list(pruned))) is None


def test_find_gain_needs_margins_and_samples_that_both_get_right() -> None:
    assert find_gain(make_pair([0.0] * 20, [0.5] * 20)) is None
    assert find_gain(make_pair([0.1] * 20, [0.0] * 20)) is None
    assert find_gain(make_pair([INF] * 20, [INF] * 20)) is None
    kept = find_gain(make_pair([0.1] * 20 + [0.0] * 5, [0.0] * 12 + [0.3] * 13))
    assert kept is not None and (kept.n, kept.pruned.value) == (8, 0.3)
    found = find_gain(make_pair([0.1] * 20, [INF] * 20))
    assert found is not None and found.pruned.value is None


def test_count_overestimated_counts_broken_among_the_robust() -> None:
    margins = make([0.0, 0.05, 0.1, 0.2, 0.3, INF, 0.4])
    witnesses = make([0.0, 0.1, 0.1, 0.1, INF, 0.1, INF], kind="witness", eps=0.1)
    found = count_overestimated(margins, witnesses)
    assert (found.robust, found.broken, found.share) == (4, 2, 0.5)
    assert count_overestimated(make([0.05]), make([0.1], kind="witness", eps=0.1)).share == 0.0
    with pytest.raises(InvalidRequest):
        count_overestimated(margins, margins)
    with pytest.raises(InvalidRequest):
        count_overestimated(witnesses, witnesses)


def test_judge_at_moves_only_witnesses_of_two_different_eps() -> None:
    dense = make([0.0, 0.1, INF, 0.1], kind="witness", eps=0.1)
    pruned = make([0.02, 0.02, INF, INF], kind="witness", eps=0.02)
    two = pair(dense, pruned)
    for eps in (0.1, 0.02):
        assert name_sets(judge_at(two, eps), eps).tolist() == ["S00", "S00", "S11", "S01"]
    for unmoved in (two, pair(dense, dense), pair(make([0.05, 0.2, INF, 0.1]), pruned)):
        assert judge_at(unmoved, 0.05) is unmoved
    with pytest.raises(InvalidRequest):
        name_sets(judge_at(two, 0.05), 0.05)
