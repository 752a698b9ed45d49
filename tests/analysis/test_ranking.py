"""Rank statistics against scikit-learn, brute force and the bootstrap done one resample at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from backend.analysis.ranking import (
    auroc,
    average_precision,
    draw_weights,
    fpr_at_tpr,
    percentile_interval,
    weighted_aurocs,
)
from backend.errors import InvalidRequest

INF = float("inf")


@st.composite
def rankings(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """(scores with ties, positives), at least one of each kind."""
    size = draw(st.integers(2, 40))
    values = st.one_of(st.integers(-3, 3).map(float), st.floats(-5, 5, allow_subnormal=False))
    score = np.array(draw(st.lists(values, min_size=size, max_size=size)))
    is_positive = np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    is_positive[0], is_positive[1] = True, False
    return score, is_positive


def test_auroc_equals_the_hand_count() -> None:
    # pairs (positive, negative): 3>1, 3>2, 2>1, 2=2: 3.5 of 4
    score, is_positive = np.array([3.0, 2.0, 2.0, 1.0]), np.array([True, True, False, False])
    assert auroc(score, is_positive) == 3.5 / 4


def test_auroc_ranks_infinite_scores_at_the_ends() -> None:
    score = np.array([-INF, -INF, 0.0, INF])
    assert auroc(score, np.array([False, True, False, True])) == pytest.approx((0.5 + 0 + 1 + 1) / 4)


@given(rankings())
def test_auroc_equals_brute_force_and_scikit_learn(ranking: tuple[np.ndarray, np.ndarray]) -> None:
    score, is_positive = ranking
    wins = [
        1.0 if positive > negative else 0.5 if positive == negative else 0.0
        for positive in score[is_positive]
        for negative in score[~is_positive]
    ]
    assert auroc(score, is_positive) == pytest.approx(np.mean(wins))
    assert auroc(score, is_positive) == pytest.approx(roc_auc_score(is_positive, score))


@given(rankings())
def test_auroc_is_unchanged_by_a_monotone_map_and_mirrored_by_a_sign(ranking: tuple[np.ndarray, np.ndarray]) -> None:
    score, is_positive = ranking
    ranks = np.unique(score, return_inverse=True)[1].astype(np.float64)
    assert auroc(np.exp(ranks / 7) - 3, is_positive) == pytest.approx(auroc(score, is_positive))
    assert auroc(-score, is_positive) == pytest.approx(1 - auroc(score, is_positive))


@given(rankings())
def test_average_precision_equals_scikit_learn(ranking: tuple[np.ndarray, np.ndarray]) -> None:
    score, is_positive = ranking
    assert average_precision(score, is_positive) == pytest.approx(average_precision_score(is_positive, score))


@given(rankings(), st.sampled_from([0.5, 0.8, 0.95, 1.0]))
def test_fpr_at_tpr_equals_the_roc_curve(ranking: tuple[np.ndarray, np.ndarray], tpr: float) -> None:
    score, is_positive = ranking
    false_rates, true_rates, _ = roc_curve(is_positive, score, drop_intermediate=False)
    expected = false_rates[true_rates >= tpr - 1e-9].min()
    assert fpr_at_tpr(score, is_positive, tpr) == pytest.approx(expected)


def test_average_precision_and_fpr_with_infinite_scores_are_finite() -> None:
    score, is_positive = np.array([-INF, -INF, -0.2, -0.1]), np.array([False, False, False, True])
    assert average_precision(score, is_positive) == 1.0
    assert fpr_at_tpr(score, is_positive) == 0.0


@settings(max_examples=30)
@given(rankings(), st.integers(0, 10_000))
def test_weighted_aurocs_equal_repeated_samples(ranking: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    score, is_positive = ranking
    weights = next(draw_weights(is_positive.astype(np.int64), 3, seed))
    for row, value in zip(weights, weighted_aurocs(score, is_positive, weights), strict=True):
        again = np.repeat(np.arange(len(score)), row)
        assert value == pytest.approx(roc_auc_score(is_positive[again], score[again]))


def test_draw_weights_keep_the_size_of_every_stratum() -> None:
    strata = np.array([0, 2, 0, 2, 2, 5, 0])
    weights = np.concatenate(list(draw_weights(strata, 50, seed=1)))
    assert weights.shape == (50, 7)
    for stratum, size in ((0, 3), (2, 3), (5, 1)):
        assert (weights[:, strata == stratum].sum(axis=1) == size).all()
    assert weights[:, :5].std() > 0.5, "they do resample"


def test_draw_weights_in_blocks_give_every_resample_once() -> None:
    strata = np.zeros(500_000, dtype=np.int64)
    blocks = [weights.shape[0] for weights in draw_weights(strata, 19, seed=0)]
    assert sum(blocks) == 19
    assert len(blocks) > 1


def test_weighted_aurocs_bootstrap_matches_the_known_standard_error() -> None:
    # Hanley and McNeil 1982: for two exponential-like score distributions the error follows from AUROC alone;
    # here the reference is DeLong's variance, computed by placement values.
    generator = np.random.default_rng(5)
    is_positive = np.arange(900) < 150
    score = generator.normal(size=900) + 1.2 * is_positive
    placements_positive = [(score[~is_positive] < s).mean() for s in score[is_positive]]
    placements_negative = [(score[is_positive] > s).mean() for s in score[~is_positive]]
    error = np.sqrt(np.var(placements_positive, ddof=1) / 150 + np.var(placements_negative, ddof=1) / 750)
    resampled = np.concatenate(
        [weighted_aurocs(score, is_positive, w) for w in draw_weights(is_positive.astype(np.int64), 2000, 0)]
    )
    assert resampled.std() == pytest.approx(error, rel=0.08)


def test_percentile_interval_of_a_perfect_ranking_keeps_a_width() -> None:
    low, high = percentile_interval(1.0, np.ones(100), 0.95, 20)
    assert high == 1.0
    assert low == pytest.approx(0.025 ** (1 / 20))
    assert percentile_interval(0.0, np.zeros(100), 0.95, 20) == (0.0, pytest.approx(1 - 0.025 ** (1 / 20)))


@pytest.mark.parametrize("is_positive", [[True, True], [False, False]])
def test_auroc_of_one_kind_only_is_refused(is_positive: list[bool]) -> None:
    with pytest.raises(InvalidRequest, match="A ranking needs positives and negatives; got"):
        auroc(np.array([1.0, 2.0]), np.array(is_positive))


def test_auroc_with_a_nan_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="scores without NaN"):
        auroc(np.array([1.0, np.nan]), np.array([True, False]))
