"""`run` next to profilers and tracers: flags are the same with them, and they go on afterwards."""

import cProfile
import pstats
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from backend import attacks
from tests.attacks.foreign_networks import Changed, Optimising
from tests.attacks.linear_oracle import build_problem

PROBLEM = build_problem(4, (1, 4, 4), samples=3)
FLAG = "optimises-at-inference"


@contextmanager
def profile_calls() -> Iterator[Callable[[], set[str]]]:
    """The standard profiler, whose object `sys.getprofile` gives on Python 3.11 and which is not callable."""
    profile = cProfile.Profile()
    profile.enable()
    try:
        yield lambda: {name for _, _, name in pstats.Stats(profile).stats}  # type: ignore[attr-defined]
    finally:
        profile.disable()


@contextmanager
def hook_calls(install: Callable[[Any], None], before: Any) -> Iterator[Callable[[], set[str]]]:
    """A function of our own that hears of every call."""
    heard: set[str] = set()

    def hear(frame: FrameType, event: str, _: Any) -> None:
        heard.add(frame.f_code.co_name)

    install(hear)
    try:
        yield lambda: heard
    finally:
        install(before)


LISTENERS: dict[str, Callable[[], AbstractContextManager[Callable[[], set[str]]]]] = {
    "cprofile": profile_calls,
    "setprofile": lambda: hook_calls(sys.setprofile, sys.getprofile()),
    "settrace": lambda: hook_calls(sys.settrace, sys.gettrace()),
}


@pytest.mark.parametrize("listen", LISTENERS.values(), ids=LISTENERS)
@pytest.mark.parametrize(("build", "is_flagged"), [(Changed, False), (Optimising, True)])
def test_run_under_a_profiler_raises_the_same_flags_and_lets_it_go_on(
    build: Callable[[nn.Module], nn.Module],
    is_flagged: bool,
    listen: Callable[[], AbstractContextManager[Callable[[], set[str]]]],
) -> None:
    def heard_afterwards() -> None:
        pass

    with listen() as names:
        result = attacks.run("margin", build(PROBLEM.network), PROBLEM.images, PROBLEM.predictions)
        heard_afterwards()
    assert (FLAG in result.flags) == is_flagged
    assert {"evaluate", "heard_afterwards"} <= names()


class Recording(Changed):
    """Differentiates through `torch.autograd.backward`; notes its thread, and whether gradients are on."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__(inner)
        self.passes: list[tuple[str, bool]] = []

    def change(self, logits: Tensor) -> Tensor:
        self.passes.append((threading.current_thread().name, torch.is_grad_enabled()))
        with torch.enable_grad():
            torch.autograd.backward(torch.ones(1, requires_grad=True).square().sum())
        return logits


def test_run_watches_one_pass_in_a_thread_of_its_own_and_reports_progress_in_the_callers() -> None:
    network, reporters = Recording(PROBLEM.network), set()
    result = attacks.run(
        "margin",
        network,
        PROBLEM.images,
        PROBLEM.predictions,
        on_step=lambda *_: reporters.add(threading.current_thread().name),
    )
    own = threading.current_thread().name
    assert FLAG in result.flags
    assert reporters == {own}
    assert [is_on for name, is_on in network.passes if name != own] == [False]


def test_run_error_of_the_watched_pass_reaches_the_caller() -> None:
    class Fragile(Changed):
        def change(self, logits: Tensor) -> Tensor:
            if threading.current_thread() is not threading.main_thread():
                raise KeyboardInterrupt("in the watched pass")
            return logits

    with pytest.raises(KeyboardInterrupt, match="in the watched pass"):
        attacks.run("margin", Fragile(PROBLEM.network), PROBLEM.images, PROBLEM.predictions)
