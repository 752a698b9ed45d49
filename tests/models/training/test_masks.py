"""Masks: what is prunable, exact zeros, and what sparsity is measured."""

import pytest
import torch
from torch import nn

from models.training.masks import apply_masks, find_prunable_weights, measure_sparsity


def build_network() -> nn.Sequential:
    """Build one layer of each kind; conv and linear alone are prunable."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 2 * 2, 3), nn.LayerNorm(3)
    )


def half_mask(weight: torch.Tensor) -> torch.Tensor:
    """Keep every second weight in memory order."""
    return (torch.arange(weight.numel()) % 2 == 0).reshape(weight.shape)


def test_prunable_weights_are_conv_and_linear_weights_under_state_dict_names() -> None:
    network = build_network()
    weights = find_prunable_weights(network)
    assert list(weights) == ["0.weight", "4.weight"]
    assert weights["4.weight"] is network.get_parameter("4.weight")


def test_prunable_weights_of_a_bare_layer_and_of_shared_layers_are_counted_once() -> None:
    layer = nn.Linear(2, 2)
    assert list(find_prunable_weights(layer)) == ["weight"]
    assert list(find_prunable_weights(nn.Sequential(layer, nn.ReLU(), layer))) == ["0.weight"]
    tied = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    tied[1].weight = tied[0].weight
    assert list(find_prunable_weights(tied)) == ["0.weight"]


def test_apply_masks_zeroes_the_masked_weights_and_nothing_else() -> None:
    network = build_network()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    mask = half_mask(before["4.weight"])
    apply_masks(network, {"4.weight": mask})
    after = network.state_dict()
    assert torch.equal(after["4.weight"][mask], before["4.weight"][mask])
    assert after["4.weight"][~mask].count_nonzero() == 0
    assert not torch.signbit(after["4.weight"][~mask]).any()
    assert all(torch.equal(after[key], before[key]) for key in before if key != "4.weight")


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        ({"1.weight": torch.ones(2, dtype=torch.bool)}, "1.weight.*0.weight, 4.weight"),
        ({"4.weight": torch.ones(8, 3, dtype=torch.bool)}, r"\(3, 8\)"),
        ({"4.weight": torch.ones(3, 8)}, "float32"),
    ],
    ids=["batch-norm", "shape", "dtype"],
)
def test_apply_masks_with_unfit_mask_is_refused(masks: dict[str, torch.Tensor], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        apply_masks(build_network(), masks)


def test_measured_sparsity_counts_zeros_per_layer_and_in_total() -> None:
    network = build_network()
    with torch.no_grad():
        network.get_parameter("0.weight").flatten()[:9] = 0.0
        network.get_parameter("4.weight").flatten()[:6] = -0.0
        network.get_parameter("1.weight").zero_()
        network.get_parameter("4.bias").zero_()
    sparsity = measure_sparsity(network)
    assert [(layer.name, layer.zeros, layer.size) for layer in sparsity.layers] == [
        ("0.weight", 9, 18),
        ("4.weight", 6, 24),
    ]
    assert [layer.share for layer in sparsity.layers] == [0.5, 0.25]
    assert (sparsity.zeros, sparsity.size, sparsity.share) == (15, 42, 15 / 42)


def test_measured_sparsity_without_prunable_weights_is_zero() -> None:
    assert measure_sparsity(nn.ReLU()).share == 0.0
