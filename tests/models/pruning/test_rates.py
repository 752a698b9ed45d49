"""Keep rates: what layers cost, ties of shortcuts, and totals met exactly."""

import math
from collections.abc import Callable, Mapping

import pytest
import torch
from torch import nn

from models.architectures.builders import build_architecture
from models.pruning.rates import allot, count_multiplications, find_shortcut_ties
from models.training.masks import find_prunable_weights


def share_by(rates: Mapping[str, float]) -> Callable[[float], dict[str, float]]:
    """Give keep shares sigmoid(rate + shift)."""
    return lambda shift: {name: 1 / (1 + math.exp(-rate - shift)) for name, rate in rates.items()}


def test_multiplications_are_weights_times_positions() -> None:
    network = build_architecture("small-cnn", 10, 1).train()
    counts = count_multiplications(network, (1, 28, 28))
    assert counts == {
        "conv1.weight": 25 * 32 * 14 * 14,
        "conv2.weight": 9 * 32 * 64 * 7 * 7,
        "conv3.weight": 9 * 64 * 112 * 4 * 4,
        "linear.weight": 1792 * 10,
    }
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize(
    ("architecture", "shortcut", "first"),
    [
        ("resnet18", "layer2.0.shortcut.0.weight", "layer2.0.conv1.weight"),
        ("resnet18-torchvision", "layer4.0.downsample.0.weight", "layer4.0.conv1.weight"),
        ("wrn-28-4", "block1.layer.0.convShortcut.weight", "block1.layer.0.conv1.weight"),
    ],
)
def test_shortcuts_are_tied_to_the_first_convolution_of_their_block(
    architecture: str, shortcut: str, first: str
) -> None:
    with torch.device("meta"):
        names = list(find_prunable_weights(build_architecture(architecture, 10, 3)))
    ties = find_shortcut_ties(names)
    assert len(ties) == 3
    assert ties[shortcut] == first


def test_chains_without_shortcuts_have_no_ties() -> None:
    assert find_shortcut_ties(list(find_prunable_weights(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))))) == {}


@pytest.mark.parametrize("target", [0.01, 0.05, 0.1, 0.5, 0.9])
def test_allotted_weights_meet_the_total_exactly(target: float) -> None:
    sizes = {"a": 800, "b": 18_432, "c": 64_512, "d": 17_920}
    kept = allot(
        share_by({"a": 2.0, "b": 0.0, "c": -1.0, "d": 0.3}), sizes, {n: float(s) for n, s in sizes.items()}, target
    )
    assert sum(kept.values()) == round(target * 101_664)
    shares = [kept[name] / sizes[name] for name in ("a", "d", "b", "c")]
    assert shares == sorted(shares, reverse=True)


def test_allotted_weights_at_rates_that_fit_are_those_of_the_rates() -> None:
    rates = {"a": 0.0, "b": math.log(0.25 / 0.75)}
    assert allot(share_by(rates), {"a": 10, "b": 40}, {"a": 10.0, "b": 40.0}, 0.3) == {"a": 5, "b": 10}


def test_left_over_weights_go_to_the_largest_remainder() -> None:
    # Shares near 1/2 of 3, 3 and 2 weights: 1.5, 1.5 - and 1 whole ones; one is left for the larger remainder.
    kept = allot(
        share_by({"a": 0.0, "b": -0.01, "c": 0.0}), {"a": 3, "b": 3, "c": 2}, {"a": 3.0, "b": 3.0, "c": 2.0}, 0.5
    )
    assert kept == {"a": 2, "b": 1, "c": 1}


def test_allotted_channels_cost_as_much_as_the_target_affords_and_no_more() -> None:
    sizes, costs = {"a": 4, "b": 8}, {"a": 400.0, "b": 80.0}
    kept = allot(share_by({"a": 0.0, "b": 0.0}), sizes, costs, 0.5)
    # 240 in all: two of 100 and four of 10.
    assert kept == {"a": 2, "b": 4}
    tight = allot(share_by({"a": 0.0, "b": 0.0}), sizes, costs, 0.6)
    spent = tight["a"] * 100 + tight["b"] * 10
    assert spent <= 288 < spent + 10


def test_allotment_keeps_a_group_of_every_layer() -> None:
    assert allot(share_by({"a": 0.0, "b": 0.0}), {"a": 2, "b": 100}, {"a": 2.0, "b": 100.0}, 0.01)["a"] == 1
