"""Masked networks from end to end: flagged, and their verdicts right where the gradients lead anywhere at all."""

from collections.abc import Callable
from functools import cache

import pytest
import torch
from torch import Tensor, nn

from backend import attacks
from backend.attacks import AttackResult
from backend.attacks.network.precise import build_precise
from tests.attacks.digit_networks import pick_right
from tests.attacks.masked_networks import CONTROLS, VARIANTS, choose_eps

COUNT = 60
BASES = ("digits-linear-layers", "digits-batch-norm")
# Whole attacks on both bases take a minute: the second one is for those who have it.
ATTACKED = [pytest.param(base, marks=[pytest.mark.slow] if base == BASES[1] else []) for base in BASES]
MOST_MISSED = 1

# Their gradients lead to the adversarial examples, if not as well as they should: no precise copy is needed.
FOLLOWED = ("logits-times-10000", "softmax", "quantised-straight-through")
# Without a precise copy attacks stand still.
BLOCKED = ("softmax-of-30-logits", "quantised")


@cache
def attack(base: str, build: Callable[[nn.Module], nn.Module]) -> AttackResult:
    """Margins of a masked network on sixty digits that the base classifies rightly."""
    network = CONTROLS[base]()
    images, labels = pick_right(network, COUNT)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return attacks.run("margin", build(network).eval(), images, labels)


def decide_truth(base: str, variant: str) -> tuple[Tensor, float]:
    """Which samples are broken within eps, bool (B,), by a network with the same decisions and sound gradients."""
    truth = VARIANTS[variant].truth
    assert truth is not None
    margins = attack(base, truth).distance
    eps = choose_eps(margins)
    return margins <= eps, eps


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("base", ATTACKED)
def test_run_flags_a_masked_network(base: str, variant: str) -> None:
    masked = VARIANTS[variant]
    raised = set(attack(base, masked.build).flags)
    assert masked.raised <= raised
    assert raised <= masked.raised | masked.allowed


@pytest.mark.parametrize("base", BASES)
def test_run_raises_no_flag_for_a_sound_network(base: str) -> None:
    network = CONTROLS[base]()
    images, labels = pick_right(network, COUNT)
    assert attacks.run("margin", network, images, labels).flags == ()


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CONTROLS if name not in BASES])
def test_run_raises_no_flag_for_the_shipped_networks(name: str, slice_images: tuple[Tensor, Tensor]) -> None:
    images, labels = (column[:COUNT] for column in slice_images)
    assert attacks.run("margin", CONTROLS[name](), images, labels).flags == ()


@pytest.mark.parametrize("variant", FOLLOWED)
@pytest.mark.parametrize("base", ATTACKED)
def test_margins_of_a_masked_network_with_gradients_give_the_right_verdict(base: str, variant: str) -> None:
    is_broken, eps = decide_truth(base, variant)
    found = attack(base, VARIANTS[variant].build).distance <= eps
    assert int((is_broken & ~found).sum()) <= MOST_MISSED


@pytest.mark.parametrize("variant", BLOCKED)
@pytest.mark.parametrize("base", ATTACKED)
def test_margins_along_the_precise_copy_give_the_right_verdict_on_the_network_itself(base: str, variant: str) -> None:
    is_broken, eps = decide_truth(base, variant)
    network = CONTROLS[base]()
    images, labels = pick_right(network, COUNT)
    masked = VARIANTS[variant].build(network).eval()
    points = attacks.run("margin", build_precise(masked, images[:8]).network, images, labels).adversarial
    with torch.no_grad():
        found = (masked(points).argmax(1) != labels) & ((points - images).flatten(1).abs().amax(1) <= eps)
    assert int((is_broken & ~found).sum()) <= MOST_MISSED
