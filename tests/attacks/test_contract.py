"""What every preset of the catalogue promises, in every norm, on linear networks whose margins are known exactly.

A preset is asked for what its kind promises. A margin is the distance of the boundary, hardly more. A verdict names
nothing broken that is not broken within eps, and breaks what lies within half of eps; only the presets of `COMPLETE`,
whose figures are reported, have to break everything within eps. Adding a row to the catalogue adds its cases here.
"""

from functools import cache

import numpy as np
import pytest
import torch

from backend import attacks
from backend.attacks import AttackResult
from backend.attacks.catalogue import PRESETS
from tests.attacks.foreign_networks import Constant
from tests.attacks.linear_oracle import LinearProblem, build_problem

# All but the longest official recipes, which test_autoattack holds against the official code with fewer steps.
CASES = [(name, norm) for name, preset in PRESETS.items() for norm in preset.norms]
CASES = [case for case in CASES if case[0] != "autoattack-plus" and case != ("autoattack", "L1")]
# What takes the official recipes seconds, one of them does.
QUICK_CASES = [case for case in CASES if not PRESETS[case[0]].is_foreign or case == ("autoattack", "Linf")]
COMPLETE = ("fast", "autoattack")
SHAPE = (1, 6, 6)
TOLERANCE = 1e-5
SURE = 0.5  # share of eps within which every verdict has to break a sample


@cache
def pose_problem() -> LinearProblem:
    """Four classes; half of the samples can be broken within `choose_eps`."""
    return build_problem(4, SHAPE, samples=12)


def choose_eps(norm: str) -> float:
    return float(np.median(pose_problem().margins[norm]))


@cache
def evaluate(preset: str, norm: str) -> AttackResult:
    """The problem with the labels of the last three samples moved by one, so that those are wrong already."""
    problem = pose_problem()
    # The official code takes as long for five samples as for twelve; its batches are cut in test_autoattack.
    size = 12 if PRESETS[preset].is_foreign else 5
    return attacks.run(
        preset, problem.network, problem.images, give_labels(), norm=norm, eps=choose_eps(norm), batch_size=size
    )


def give_labels() -> torch.Tensor:
    labels = pose_problem().predictions.clone()
    labels[-3:] = (labels[-3:] + 1) % 4
    return labels


@pytest.mark.parametrize(("preset", "norm"), CASES)
def test_run_known_answer_found_where_it_must_be(preset: str, norm: str) -> None:
    result, exact = evaluate(preset, norm), torch.from_numpy(pose_problem().margins[norm])[:-3]
    found, distance = result.found[:-3], result.distance[:-3]
    if PRESETS[preset].promises == "margin":
        assert found.all()
        assert (distance / exact).max() < 1.03
        assert (distance / exact).mean() < 1.005
        return
    eps = choose_eps(norm)
    within = found & (distance <= eps)
    sure = exact <= eps * (0.999 if preset in COMPLETE else SURE)
    assert sure.any()
    assert within[sure].all()
    assert not within[exact > eps * 1.001].any()
    if PRESETS[preset].goes_beyond_eps:
        assert found.all(), "what lies beyond eps is met, and said to lie there"
    else:
        assert torch.equal(within, found)


@pytest.mark.parametrize(("preset", "norm"), CASES)
def test_run_distance_is_never_below_the_true_one(preset: str, norm: str) -> None:
    result, exact = evaluate(preset, norm), torch.from_numpy(pose_problem().margins[norm])
    assert (result.distance[:-3] >= exact[:-3] * (1 - TOLERANCE)).all()
    assert (result.margin_pred >= exact * (1 - TOLERANCE)).all()
    for attempt in result.attempts:
        assert (attempt.distance[:-3] >= exact[:-3] * (1 - TOLERANCE)).all()


@pytest.mark.parametrize(("preset", "norm"), CASES)
def test_run_adversarials_are_what_they_claim(preset: str, norm: str) -> None:
    problem, result = pose_problem(), evaluate(preset, norm)
    broken = result.found[:-3]
    points = result.adversarial[:-3][broken]
    assert result.adversarial.dtype == torch.float32
    assert 0.0 <= float(result.adversarial.min()) <= float(result.adversarial.max()) <= 1.0
    with torch.no_grad():
        predicted = problem.network(points).argmax(1)
    assert (predicted != problem.predictions[:-3][broken]).all()
    assert torch.equal(predicted, result.adversarial_prediction[:-3][broken])
    moved = (points - problem.images[:-3][broken]).flatten(1).double()
    length = moved.abs().amax(1) if norm == "Linf" else moved.square().sum(1).sqrt()
    torch.testing.assert_close(length, result.distance[:-3][broken].double(), rtol=1e-5, atol=1e-7)
    untouched = ~result.found
    assert torch.equal(result.adversarial[untouched], problem.images[untouched])
    assert torch.isinf(result.distance[untouched]).all()
    rounded = torch.from_numpy(np.round(points.numpy().astype(np.float64) * 255) / 255).float()
    with torch.no_grad():
        survives = problem.network(rounded).argmax(1) != problem.predictions[:-3][broken]
    assert torch.equal(survives, result.survives_8bit[:-3][broken])


@pytest.mark.parametrize(("preset", "norm"), CASES)
def test_run_already_wrong_is_found_at_zero_with_a_margin_of_its_own(preset: str, norm: str) -> None:
    problem, result = pose_problem(), evaluate(preset, norm)
    assert result.found[-3:].all()
    assert result.distance[-3:].tolist() == [0.0, 0.0, 0.0]
    assert result.attack[-3:] == ["clean"] * 3
    assert torch.equal(result.adversarial[-3:], problem.images[-3:])
    assert result.survives_8bit[-3:].all()
    assert (result.logit_gap[-3:] < 0).all()
    assert (result.margin_pred[-3:] > 0).all()
    assert torch.equal(result.margin_pred[:-3], result.distance[:-3])
    assert torch.equal(result.margin_pred_found, result.margin_pred.isfinite())
    if PRESETS[preset].always_finds:
        exact = torch.from_numpy(problem.margins[norm])[-3:]
        assert (result.margin_pred[-3:] / exact).max() < 1.03
    for attempt in result.attempts:
        assert not attempt.found[-3:].any()


@pytest.mark.parametrize(("preset", "norm"), CASES)
def test_run_attempts_name_the_attack_that_set_the_best(preset: str, norm: str) -> None:
    result = evaluate(preset, norm)
    assert tuple(attempt.attack for attempt in result.attempts) == PRESETS[preset].attacks
    distances = torch.stack([attempt.distance for attempt in result.attempts])[:, :-3]
    assert torch.equal(distances.amin(0), result.distance[:-3])
    for attempt in result.attempts:
        assert attempt.kind == PRESETS[preset].distance_kind
        assert torch.equal(attempt.found, attempt.distance.isfinite())
        assert not (attempt.found & ~attempt.tried).any()
    for row, name in enumerate(result.attack[:-3]):
        best = {attempt.attack: float(attempt.distance[row]) for attempt in result.attempts}
        assert (name == "") == (not bool(result.found[row]))
        assert name == "" or best[name] == float(result.distance[row])


@pytest.mark.parametrize(("preset", "norm"), CASES)
def test_run_clean_columns_match_the_network(preset: str, norm: str) -> None:
    problem, result, labels = pose_problem(), evaluate(preset, norm), give_labels()
    with torch.no_grad():
        logits = problem.network(problem.images).double().numpy()
    rows = np.arange(len(labels))
    others = logits.copy()
    others[rows, labels] = -np.inf
    odds = np.exp(logits - logits.max(1, keepdims=True))
    shares = odds / odds.sum(1, keepdims=True)
    np.testing.assert_array_equal(result.prediction, logits.argmax(1))
    np.testing.assert_allclose(result.logit_gap, logits[rows, labels] - others.max(1), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(result.max_probability, shares.max(1), rtol=1e-4)
    np.testing.assert_allclose(result.loss, -np.log(shares[rows, labels]), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("preset", "norm"), CASES)
def test_run_same_seed_gives_the_same_bits_and_leaves_inputs_alone(preset: str, norm: str) -> None:
    problem = pose_problem()
    images, labels = problem.images.clone(), problem.predictions.clone()
    eps = 1.05 * float(problem.margins[norm].max())
    torch.manual_seed(7)
    expected_draw = torch.rand(3)
    torch.manual_seed(7)
    first, second = (attacks.run(preset, problem.network, images, labels, norm=norm, eps=eps, seed=3) for _ in range(2))
    assert torch.equal(torch.rand(3), expected_draw)
    assert torch.equal(first.adversarial, second.adversarial)
    assert torch.equal(first.distance, second.distance)
    assert first.attack == second.attack
    assert first.found.any()
    assert torch.equal(images, problem.images)
    assert torch.equal(labels, problem.predictions)


@pytest.mark.parametrize(("preset", "norm"), QUICK_CASES)
def test_run_on_a_constant_network_finds_nothing(preset: str, norm: str) -> None:
    images = pose_problem().images[:2]
    result = attacks.run(
        preset, Constant([0.0, 1.0, 0.5]), images, torch.tensor([1, 1]), norm=norm, eps=choose_eps(norm)
    )
    assert result.found.tolist() == [False, False]
    assert torch.isinf(result.distance).all()
    assert torch.isinf(result.margin_pred).all()
    assert result.attack == ["", ""]
    assert torch.equal(result.adversarial, images)
    assert result.survives_8bit.tolist() == [False, False]
    assert "zero-gradients" in result.flags
    assert ("not-found" in result.flags) == PRESETS[preset].always_finds


@pytest.mark.parametrize(("preset", "norm"), CASES)
def test_run_on_two_classes_in_colour_finds_the_known_margin(preset: str, norm: str) -> None:
    problem = build_problem(2, (3, 5, 5), samples=6, seed=1)
    exact = torch.from_numpy(problem.margins[norm])
    eps = 1.05 * float(exact.max())
    result = attacks.run(preset, problem.network, problem.images, problem.predictions, norm=norm, eps=eps)
    is_weak = PRESETS[preset].promises == "verdict" and preset not in COMPLETE
    sure = exact <= eps * (SURE if is_weak else 1.0)
    assert result.found[sure].all(), f"{preset} leaves {int((~result.found[sure]).sum())} samples that it has to break"
    assert (result.distance >= exact * (1 - TOLERANCE)).all()
    if PRESETS[preset].promises == "margin":
        assert (result.distance / exact).max() < 1.01
    assert ("few-classes" in result.flags) == (PRESETS[preset].parameters.get("targets", 0) > 1)
    assert result.settings["classes"] == 2


@pytest.mark.parametrize("norm", PRESETS["margin"].norms)
def test_margin_on_a_network_that_is_always_wrong_is_all_clean(norm: str) -> None:
    problem = pose_problem()
    result = attacks.run("margin", problem.network, problem.images, (problem.predictions + 1) % 4, norm=norm)
    assert result.distance.tolist() == [0.0] * 12
    assert result.attack == ["clean"] * 12
    exact = torch.from_numpy(problem.margins[norm])
    assert (result.margin_pred / exact).max() < 1.03
    assert "not-found" not in result.flags
