"""Whether small dense margin predicts losses: the numbers, the population, the refusals."""

import time

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from backend.analysis.pairing import Pair, pair
from backend.analysis.thin_ice import WITNESS_REASON, compare_auroc, predictive
from backend.errors import InvalidRequest, NotComparable
from tests.analysis.fabrication import INF, draw_pair, make, make_pair


def losing(count: int, kept: int) -> Pair:
    """`count` lost samples with small dense margins, `kept` others with larger ones, and ten never right."""
    dense = [0.01 + 0.0001 * i for i in range(count)] + [0.1 + 0.001 * i for i in range(kept)] + [0.0] * 10
    return make_pair(dense, [0.0] * count + [0.1] * kept + [0.0] * 10)


def test_predictive_clean_equals_scikit_learn_among_what_dense_gets_right() -> None:
    joined = draw_pair(600, 3)
    prediction = predictive(joined, bootstrap=200)
    is_right = joined.dense.correct
    is_lost = (~joined.pruned.correct)[is_right]
    margin = joined.dense.margin[is_right]
    safety = np.where(np.isinf(margin), 1e9, margin)
    assert prediction.n == is_right.sum() < joined.n
    assert prediction.positives == is_lost.sum() >= 20
    assert prediction.censored == np.isinf(margin).sum() > 0
    assert prediction.value == pytest.approx(roc_auc_score(is_lost, -safety))
    assert prediction.average_precision == pytest.approx(average_precision_score(is_lost, -safety))
    false_rates, true_rates, _ = roc_curve(is_lost, -safety, drop_intermediate=False)
    assert prediction.fpr_at_95_tpr == pytest.approx(false_rates[true_rates >= 0.95 - 1e-9].min())
    assert prediction.low < prediction.value < prediction.high
    assert prediction.reason is None


def test_predictive_robust_uses_what_dense_holds_at_eps() -> None:
    joined, eps = draw_pair(800, 4), 0.03
    prediction = predictive(joined, population="robust", eps=eps, bootstrap=100)
    is_held = joined.dense.margin > eps
    is_lost = joined.pruned.margin[is_held] <= eps
    safety = np.minimum(joined.dense.margin[is_held], 1e9)
    assert (prediction.n, prediction.positives) == (is_held.sum(), is_lost.sum())
    assert prediction.n < joined.dense.correct.sum()
    assert prediction.value == pytest.approx(roc_auc_score(is_lost, -safety))


def test_predictive_baselines_equal_scikit_learn_and_carry_a_paired_advantage() -> None:
    joined = draw_pair(600, 3)
    generator = np.random.default_rng(0)
    noisy = {
        "logit_gap": joined.dense.logit_gap + generator.normal(0, 0.1, joined.n),
        "max_probability": generator.random(joined.n),
        "loss": generator.random(joined.n) - joined.dense.margin.clip(max=1),
    }
    dense = make(joined.dense.margin, **noisy)
    prediction = predictive(pair(dense, joined.pruned), bootstrap=300)
    is_right = dense.correct
    is_lost = (~joined.pruned.correct)[is_right]
    signs = {"logit_gap": -1, "max_probability": -1, "loss": 1}
    assert [baseline.name for baseline in prediction.baselines] == list(signs)
    for baseline in prediction.baselines:
        score = signs[baseline.name] * noisy[baseline.name][is_right]
        assert baseline.value == pytest.approx(roc_auc_score(is_lost, score))
        assert baseline.advantage.value == pytest.approx(prediction.value - baseline.value)
        assert baseline.advantage.low < baseline.advantage.value < baseline.advantage.high
        assert baseline.low < baseline.value < baseline.high
    assert prediction.baselines[1].advantage.low > 0.2, "a random score is far worse, surely"


def test_predictive_of_a_perfect_predictor_is_one_with_an_honest_low_end() -> None:
    prediction = predictive(losing(20, 100))
    assert (prediction.value, prediction.high) == (1.0, 1.0)
    assert prediction.low == pytest.approx(0.025 ** (1 / 20))
    assert prediction.average_precision == pytest.approx(1.0)
    assert prediction.fpr_at_95_tpr == 0.0


@pytest.mark.parametrize(
    ("count", "kept", "reason"),
    [
        (0, 50, "No sample is lost."),
        (1, 50, "Too few lost samples (1, at least 20 needed) to say whether a small dense margin predicts losses."),
        (12, 50, "Too few lost samples (12, at least 20 needed) to say whether a small dense margin predicts losses."),
        (19, 50, "Too few lost samples (19, at least 20 needed) to say whether a small dense margin predicts losses."),
        (25, 0, "Every sample is lost, so there are no kept samples to compare them with."),
    ],
)
def test_predictive_without_power_has_a_reason_and_no_numbers(count: int, kept: int, reason: str) -> None:
    prediction = predictive(losing(count, kept))
    assert prediction.reason == reason
    assert (prediction.n, prediction.positives) == (count + kept, count)
    numbers = (prediction.value, prediction.low, prediction.high)
    assert numbers == (None, None, None)
    assert (prediction.average_precision, prediction.fpr_at_95_tpr, prediction.baselines) == (None, None, ())


def test_predictive_from_witnesses_has_a_reason() -> None:
    joined = losing(30, 60)
    witnesses = make(joined.dense.margin, kind="witness", eps=0.1)
    assert predictive(pair(witnesses, joined.pruned)).reason == WITNESS_REASON


def test_predictive_with_pruned_witnesses_at_their_eps_still_answers() -> None:
    eps = 0.05
    joined = draw_pair(500, 9)
    shown = joined.pruned.margin
    witness = np.where((shown > eps), INF, np.where(shown > 0, eps, 0.0))
    pruned = make(witness, kind="witness", eps=eps)
    robust = predictive(pair(joined.dense, pruned), population="robust", eps=eps, bootstrap=50)
    assert robust.value == predictive(joined, population="robust", eps=eps, bootstrap=50).value


def test_predictive_with_the_same_seed_repeats_whatever_the_row_order() -> None:
    joined = draw_pair(400, 5)
    order = np.random.default_rng(1).permutation(joined.n)
    shuffled = pair(joined.dense.take(order), joined.pruned)
    assert predictive(joined, bootstrap=50, seed=7) == predictive(shuffled, bootstrap=50, seed=7)
    assert predictive(joined, bootstrap=50, seed=7).low != predictive(joined, bootstrap=50, seed=8).low


def test_predictive_is_unchanged_by_a_change_of_unit() -> None:
    joined = draw_pair(400, 5)
    scaled = make_pair(joined.dense.margin * 255, joined.pruned.margin * 255)
    one, other = predictive(joined, bootstrap=50), predictive(scaled, bootstrap=50)
    assert (one.value, one.low, one.high) == (other.value, other.low, other.high)


def test_predictive_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    # Margins of lost and kept samples are exponential with rates a and b: AUROC is a / (a + b), exactly.
    generator, truth, inside = np.random.default_rng(2), 3 / 4, 0
    for repeat in range(150):
        lost, kept = generator.exponential(1 / 3, 60), generator.exponential(1.0, 240)
        joined = make_pair(np.concatenate([lost, kept]) + 1e-9, [0.0] * 60 + [1.0] * 240)
        prediction = predictive(joined, bootstrap=200, seed=repeat)
        inside += prediction.low <= truth <= prediction.high
    assert 0.88 <= inside / 150 <= 0.99


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"population": "robust"}, "The robust population needs an eps."),
        ({"population": "all"}, "The population must be clean or robust; got 'all'."),
        ({"population": "robust", "eps": -1.0}, "eps must be a finite number >= 0; got -1.0."),
    ],
)
def test_predictive_with_a_bad_question_is_refused(arguments: dict, sentence: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        predictive(losing(20, 20), **arguments)
    assert caught.value.message == sentence


def test_predictive_at_full_size_stays_interactive() -> None:
    joined = draw_pair(2000, 1)
    started = time.process_time()
    predictive(joined, bootstrap=1000)
    assert time.process_time() - started < 1.0, "0.16 s when measured; the machine may be busy"


def test_compare_auroc_equals_the_difference_of_both() -> None:
    pruned, control = draw_pair(900, 6, noise=0.03), draw_pair(900, 6, noise=0.06, shift=0.0)
    assert np.array_equal(pruned.dense.margin, control.dense.margin)
    result = compare_auroc(pruned, control, bootstrap=300)
    first, second = predictive(pruned, bootstrap=2), predictive(control, bootstrap=2)
    assert (result.pruned, result.control) == (first.value, second.value)
    assert (result.positives, result.control_positives) == (first.positives, second.positives)
    assert result.difference.value == pytest.approx(first.value - second.value)
    assert result.difference.low < result.difference.value < result.difference.high


def test_compare_auroc_of_a_pair_with_itself_is_exactly_zero() -> None:
    joined = draw_pair(400, 8)
    difference = compare_auroc(joined, joined, bootstrap=100).difference
    assert (difference.value, difference.low, difference.high) == (0.0, 0.0, 0.0)


def test_compare_auroc_is_tighter_than_two_independent_intervals() -> None:
    pruned, control = draw_pair(900, 6, noise=0.03), draw_pair(900, 6, noise=0.031, shift=0.009)
    paired = compare_auroc(pruned, control, bootstrap=300).difference
    alone = predictive(pruned, bootstrap=300)
    assert paired.high - paired.low < (alone.high - alone.low) * np.sqrt(2)


def test_compare_auroc_uses_shared_samples_only() -> None:
    pruned, control = draw_pair(900, 6), draw_pair(900, 7)
    half = np.arange(0, 900, 2)
    cut = pair(control.dense.take(half), control.pruned.take(half))
    assert compare_auroc(pruned, cut, bootstrap=20).difference.n <= 450


def test_compare_auroc_without_power_names_the_side() -> None:
    dense = [0.01] * 30 + [0.1] * 60
    pruned, control = make_pair(dense, [0.0] * 30 + [0.1] * 60), make_pair(dense, [0.0] * 8 + [0.1] * 82)
    result = compare_auroc(pruned, control)
    assert result.difference.value is None
    few = "too few lost samples (8, at least 20 needed) to say whether a small dense margin predicts losses."
    assert result.difference.reason == f"For the control, {few}"
    assert (result.pruned, result.positives, result.control_positives) == (None, 30, 8)


def test_compare_auroc_without_shared_samples_is_not_comparable() -> None:
    with pytest.raises(NotComparable):
        compare_auroc(make_pair([0.1], [0.1], ids=["a"]), make_pair([0.1], [0.1], ids=["b"]))
