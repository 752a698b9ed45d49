"""Attack noise on made-up repeats, against what a plain loop says."""

import numpy as np
import pytest

from backend.analysis.flips import Counts
from backend.analysis.noise import count_flips, count_within, measure_noise
from backend.errors import InvalidRequest, NotComparable
from tests.analysis.fabrication import INF, make

EPS = 0.1


def test_measure_noise_by_hand_of_every_kind_of_sample() -> None:
    #        steady, moved, changes its verdict, wrong, missed once, missed always
    first = make([0.2, 0.20, 0.11, 0.0, 0.3, INF])
    second = make([0.2, 0.25, 0.09, 0.0, INF, INF])
    noise = measure_noise([first, second], EPS)
    np.testing.assert_allclose(noise.low, [0.2, 0.2, 0.09, 0.0, 0.3, INF])
    np.testing.assert_allclose(noise.high, [0.2, 0.25, 0.11, 0.0, INF, INF])
    np.testing.assert_allclose(noise.spread, [0.0, 0.2, 1 - 0.09 / 0.11, 0.0, 1.0, 0.0])
    np.testing.assert_allclose(noise.ratio, [1.0, 1.25, 0.11 / 0.09, 1.0, INF, 1.0])
    assert noise.changed.tolist() == [False, False, True, False, False, False]
    assert noise.floor == pytest.approx(np.quantile([0.0, 0.2, 1 - 0.09 / 0.11, 1.0], 0.95))
    assert not measure_noise([first, second]).changed.any()


def test_measure_noise_joins_three_runs_by_id_whatever_their_order() -> None:
    ids = ["a", "b", "c", "d"]
    runs = [
        make([0.1, 0.2, 0.3, 0.4], ids=ids),
        make([0.4, 0.3, 0.21, 0.1], ids=ids[::-1], labels=[3, 2, 1, 0], predictions=[3, 2, 1, 0]),
        make([0.2, 0.31], ids=["b", "c"], labels=[1, 2], predictions=[1, 2]),
    ]
    noise = measure_noise(runs)
    assert (noise.runs, noise.sample_ids.tolist()) == (3, ["b", "c"])
    np.testing.assert_allclose(noise.high, [0.21, 0.31])
    np.testing.assert_allclose(noise.low, [0.2, 0.3])


def test_measure_noise_without_a_margin_to_compare_has_no_floor() -> None:
    assert measure_noise([make([0.0, INF]), make([0.0, INF])]).floor is None


def test_measure_noise_of_one_run_or_of_strangers_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="at least two"):
        measure_noise([make([0.1])])
    with pytest.raises(NotComparable):
        measure_noise([make([0.1], ids=["a"]), make([0.1], ids=["b"])])


def test_count_flips_between_two_seeds_are_robust_ones_alone() -> None:
    first, second = make([0.2, 0.2, 0.05, 0.05, 0.0]), make([0.2, 0.05, 0.2, 0.05, 0.0])
    assert count_flips(first, second, EPS) == Counts(1, 1, 1, 2)


def test_count_within_counts_held_samples_whose_slack_is_below_the_floor() -> None:
    #                 broken, just held, slack 0.2, far, not found, wrong
    outcomes = make([0.09, 0.101, 0.125, 0.5, INF, 0.0])
    assert (count_within(outcomes, EPS, 0.1).count, count_within(outcomes, EPS, 0.1).n) == (1, 4)
    assert count_within(outcomes, EPS, 0.21).count == 2
    assert count_within(outcomes, EPS, 0.0).count == 0
