"""The recipe for a preset of one's own, executed: its rows registered, run by name, held to the contract, removed."""

from collections.abc import Callable, Iterator

import pytest
import torch

from backend import attacks
from backend.attacks.catalogue import ATTACKS, PRESETS, register_preset, remove_preset
from tests.attacks import test_contract, test_engine, test_exact_margins
from tests.attacks.linear_oracle import build_problem
from tests.attacks.toy_preset.rows import ATTACK, PRESET

CONTRACT = [check for name, check in vars(test_contract).items() if name.startswith("test_run_")]


@pytest.fixture(scope="module")
def toy() -> Iterator[str]:
    """The preset's name while it is in the catalogue."""
    register_preset(PRESET, ATTACK)
    yield PRESET.name
    remove_preset(PRESET.name)
    assert PRESET.name not in PRESETS and ATTACK.name not in ATTACKS


@pytest.mark.parametrize("norm", PRESET.norms)
@pytest.mark.parametrize("check", CONTRACT)
def test_toy_preset_keeps_the_contract(check: Callable[[str, str], None], norm: str, toy: str) -> None:
    check(toy, norm)


def test_toy_preset_contract_is_the_whole_one() -> None:
    assert len(CONTRACT) >= 9


def test_toy_preset_reports_progress_as_the_others(toy: str) -> None:
    test_engine.test_run_reports_progress_before_every_pass(toy)


def test_toy_preset_says_nothing_that_exact_margins_contradict(toy: str) -> None:
    test_exact_margins.test_verdicts_at_eps_agree_with_exact_margins(toy)


def test_toy_preset_runs_by_name_and_says_what_it_did(toy: str) -> None:
    problem = build_problem(4, (1, 6, 6), samples=8)
    eps = 1.1 * float(problem.margins["Linf"].max())
    result = attacks.run(toy, problem.network, problem.images, problem.predictions, eps=eps)
    assert result.attack == ["toy-pgd"] * 8
    assert (result.kind, result.flags, result.steps) == ("witness", (), 40)
    assert (result.distance.double() <= eps).all()
    assert result.settings["attacks"] == {"toy-pgd": {"steps": 40}}
    assert torch.equal(result.primary.distance, result.distance)
