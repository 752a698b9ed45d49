"""The official checks, called by us, raise the flag of each harmful network and none for a sound one."""

import logging
import sys
from collections.abc import Callable

import pytest
import torch
from pyautoattack import AutoAttack, checks
from torch import nn

from backend import attacks
from backend.attacks.network.batches import Batches
from backend.attacks.network.classifier import Classifier
from backend.attacks.presets.autoattack_checks import Alarm, does_warn, inspect_network
from tests.attacks import foreign_networks as foreign
from tests.attacks.linear_oracle import LinearProblem, build_problem
from tests.attacks.short_recipe import shorten_ours

PROBLEM = build_problem(10, (1, 6, 6), samples=6)

VARIANTS: dict[str, tuple[Callable[[nn.Module], nn.Module], set[str]]] = {
    "sound": (nn.Sequential, set()),
    "dropout": (foreign.DropoutAtInference, {"randomised"}),
    "softmax": (foreign.Softmax, {"probabilities"}),
    "optimising": (foreign.Optimising, {"optimises-at-inference"}),
    "sound-again": (foreign.LargeLogits, set()),
}


def inspect(network: nn.Module, problem: LinearProblem = PROBLEM, version: str = "standard") -> set[str]:
    official = AutoAttack(network, norm="Linf", eps=0.1, seed=0, device="cpu", version=version)
    return inspect_network(Classifier(network), problem.images, problem.predictions, Batches(4), official)


@pytest.mark.parametrize(("build", "expected"), VARIANTS.values(), ids=VARIANTS)
def test_inspect_network_raises_the_flag_of_each_check(
    build: Callable[[nn.Module], nn.Module], expected: set[str]
) -> None:
    torch.manual_seed(0)
    assert inspect(build(PROBLEM.network)) == expected


@pytest.mark.parametrize(("classes", "expected"), [(2, True), (3, True), (9, True), (10, False)])
@pytest.mark.parametrize("version", ["standard", "plus"])
def test_inspect_network_counts_classes(classes: int, expected: bool, version: str) -> None:
    problem = build_problem(classes, (1, 4, 4), samples=2)
    assert inspect(problem.network, problem, version) == ({"few-classes"} if expected else set())


def test_inspect_network_puts_traces_and_counts_back() -> None:
    """The official check never empties its counts: every network after an optimising one would be one."""
    calls = []

    def trace(frame: object, event: str, argument: object) -> None:
        calls.append(event)

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        assert inspect(foreign.Optimising(PROBLEM.network)) == {"optimises-at-inference"}
        assert sys.gettrace() is trace
    finally:
        sys.settrace(before)
    assert set(checks.funcs.values()) == {0}
    checks.funcs["grad"] = 3  # as the official loop leaves it behind
    assert inspect(PROBLEM.network) == set()


def test_inspect_network_without_samples_says_nothing() -> None:
    official = AutoAttack(PROBLEM.network, norm="Linf", eps=0.1, seed=0, device="cpu")
    none = PROBLEM.images[:0], PROBLEM.predictions[:0]
    assert inspect_network(Classifier(foreign.Softmax(PROBLEM.network)), *none, Batches(4), official) == set()


def test_does_warn_reads_no_text() -> None:
    def check(is_bad: bool, logger: Alarm) -> None:
        if is_bad:
            logger.warning("")

    assert does_warn(check, True)
    assert not does_warn(check, False)


def test_run_takes_the_official_flags_and_says_nothing(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One blind image of 130 is enough for the official check of zero gradients; a share as small is none to ours."""
    problem = build_problem(4, (1, 4, 4), samples=130)
    images = problem.images.clone()
    images[:, 0, 0, 0] = 0.5
    images[0, 0, 0, 0] = 0.9
    network = foreign.Blind(problem.network)
    with torch.no_grad():
        labels = network(images).argmax(1)
    assert "zero-gradients" not in attacks.run("margin", network, images, labels).flags
    shorten_ours(monkeypatch, 4)
    with caplog.at_level(logging.DEBUG):
        result = attacks.run("autoattack", network, images, labels, eps=0.1, batch_size=130)
    assert result.found[1:].any()
    assert "zero-gradients" in result.flags
    assert "zero gradient" not in caplog.text
