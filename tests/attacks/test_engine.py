"""`run` as a whole: progress, the example of its docstring, what a result may not depend on."""

import dataclasses
import doctest
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from backend import attacks
from backend.attacks import AttackResult, engine
from backend.attacks.catalogue import FLAGS, PRESETS
from tests.attacks.foreign_networks import Counting, DropoutAtInference
from tests.attacks.linear_oracle import build_problem

PROBLEM = build_problem(4, (1, 6, 6), samples=10, seed=4)


def test_run_docstring_example_holds() -> None:
    runner = doctest.DocTestRunner()
    examples = doctest.DocTestFinder().find(engine.run, "run", globs={"run": engine.run, "nn": nn, "torch": torch})
    for example in examples:
        runner.run(example)
    assert runner.summarize(verbose=False) == doctest.TestResults(failed=0, attempted=6)


def test_attack_result_docstring_names_every_field() -> None:
    assert AttackResult.__doc__
    for field in dataclasses.fields(AttackResult):
        assert field.name in AttackResult.__doc__.replace(",", " ").replace(":", " ").split()


@pytest.mark.parametrize("preset", PRESETS)
def test_run_reports_progress_before_every_pass(preset: str) -> None:
    labels = PROBLEM.predictions.clone()
    labels[:2] = (labels[:2] + 1) % 4
    seen: list[tuple[int, int, str]] = []
    counting = Counting(PROBLEM.network)
    passes = defaultdict(int)
    counting.register_forward_hook(lambda *_: passes.update(all=passes["all"] + 1))
    attacks.run(
        preset,
        counting,
        PROBLEM.images,
        labels,
        eps=1.2 * float(PROBLEM.margins["Linf"].max()),
        batch_size=4,
        on_step=lambda done, total, stage: seen.append((done, total, stage)),
    )
    assert len(seen) == passes["all"]
    done, totals, stages = zip(*seen, strict=True)
    assert set(totals) == {10}
    assert list(done) == sorted(done)
    assert (done[0], done[-1]) == (0, 10)
    assert len(set(done)) >= 3
    names = {PRESETS[preset].attacks[0]} if PRESETS[preset].is_foreign else {preset}
    assert names | {"clean", "flags", "verification"} <= set(stages)
    assert set(stages) <= {"clean", "flags", "verification", "widths", preset, *PRESETS[preset].attacks}


@pytest.mark.parametrize("norm", ["Linf", pytest.param("L2", marks=pytest.mark.slow)])
def test_margin_does_not_depend_on_eps(norm: str, slice_images: tuple[Tensor, Tensor], zoo_network: nn.Module) -> None:
    images, labels = (column[:6] for column in slice_images)
    plain = attacks.run("margin", zoo_network, images, labels, norm=norm)
    for eps in (1e-6, 0.9):
        given = attacks.run("margin", zoo_network, images, labels, norm=norm, eps=eps)
        assert torch.equal(given.adversarial, plain.adversarial)
        assert torch.equal(given.distance, plain.distance)
        assert given.flags == plain.flags
        assert given.settings == plain.settings
        assert (given.forwards, given.backwards) == (plain.forwards, plain.backwards)


def test_margin_of_a_wrong_sample_is_that_of_its_prediction_whatever_the_label() -> None:
    right = attacks.run("margin", PROBLEM.network, PROBLEM.images, PROBLEM.predictions)
    for shift in (1, 2, 3):
        wrong = attacks.run("margin", PROBLEM.network, PROBLEM.images, (PROBLEM.predictions + shift) % 4)
        torch.testing.assert_close(wrong.margin_pred, right.margin_pred, rtol=0, atol=1e-6)
        assert wrong.distance.tolist() == [0.0] * 10
        assert wrong.survives_8bit.sum() >= 9


def test_margin_seed_matters_where_draws_do(slice_images: tuple[Tensor, Tensor], zoo_network: nn.Module) -> None:
    images, labels = (column[:6] for column in slice_images)
    first, second = (attacks.run("margin", zoo_network, images, labels, seed=seed) for seed in (0, 1))
    targeted = [[a.distance for a in result.attempts if "target-" in a.attack] for result in (first, second)]
    assert any(not torch.equal(one, other) for one, other in zip(*targeted, strict=True))
    untargeted = [next(a for a in result.attempts if a.attack == "fmn-untargeted") for result in (first, second)]
    only_run = (
        untargeted[0].found & (first.distance < untargeted[0].distance) & (second.distance < untargeted[1].distance)
    )
    torch.testing.assert_close(untargeted[0].distance[only_run], untargeted[1].distance[only_run], rtol=0, atol=0)
    torch.testing.assert_close(first.distance, second.distance, rtol=0.15, atol=0)


def test_found_at_distance_zero_happens_to_right_samples_of_randomised_networks_alone() -> None:
    torch.manual_seed(0)
    result = attacks.run("margin", DropoutAtInference(PROBLEM.network), PROBLEM.images, PROBLEM.predictions)
    assert "randomised" in result.flags
    for preset in PRESETS:
        sound = attacks.run(preset, PROBLEM.network, PROBLEM.images, PROBLEM.predictions, eps=1.0)
        assert sound.found.all()
        assert (sound.distance > 0).all()


def test_settings_name_what_a_record_needs() -> None:
    result = attacks.run("margin", PROBLEM.network, PROBLEM.images, PROBLEM.predictions, seed=5, batch_size=3)
    assert result.settings["preset"] == "margin"
    assert (result.settings["seed"], result.settings["batch_size"]) == (5, 3)
    assert list(result.settings["attacks"]) == list(PRESETS["margin"].attacks)
    assert result.settings["versions"]["torch"] == torch.__version__
    assert result.steps == PRESETS["margin"].parameters["steps"]


@pytest.mark.parametrize("module", ["backend.attacks", "backend.attacks.catalogue"])
def test_importing_attacks_leaves_torch_out(module: str) -> None:
    script = (
        f"import sys, {module}; print([name for name in sys.modules if name in ('torch', 'numpy', 'pyautoattack')])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


def test_attacks_package_gives_its_names_on_first_use_and_no_others() -> None:
    assert {name: getattr(attacks, name).__name__ for name in attacks.__all__} == {
        "AttackResult": "AttackResult",
        "AttackAttempt": "AttackAttempt",
        "VerifiedExamples": "VerifiedExamples",
        "find_early_flags": "find_early_flags",
        "fmn": "fmn",
        "run": "run",
        "square": "square",
    }
    with pytest.raises(AttributeError, match="has no attribute 'attack'"):
        attacks.attack  # noqa: B018 - the access itself is the test


def test_flags_of_the_catalogue_are_those_of_the_protocol() -> None:
    assert list(FLAGS) == [
        "randomised",
        "probabilities",
        "saturated",
        "zero-gradients",
        "gradient-mismatch",
        "partial-gradients",
        "not-found",
        "masking",
        "optimises-at-inference",
        "few-classes",
        "train-mode",
        "out-of-box",
        "non-finite",
        "apparent-gain",
    ]
