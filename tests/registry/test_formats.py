"""Every wrapper and prefix leads to the same state; masked formats are applied or refused, never ignored."""

import argparse
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from backend.errors import InvalidRequest, RejectedCheckpoint, UnreadableCheckpoint, UnsafeCheckpoint
from backend.registry.formats import find_state
from tests.registry.fabrication import with_prefix


def assert_same(found: dict[str, Tensor], network: nn.Module) -> None:
    wanted = network.state_dict()
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


@pytest.mark.parametrize("wrapper", ["state_dict", "net", "model", "last", "best", "model_state_dict"])
def test_find_state_wrapper_is_taken_off(network: nn.Module, wrapper: str) -> None:
    content = {"epoch": 3, wrapper: network.state_dict(), "optimizer": {"state": {}}, "acc": 0.5}
    found = find_state(content)
    assert_same(found.tensors, network)
    assert found.warnings == []


def test_find_state_bare_and_nested_wrappers_are_taken(network: nn.Module) -> None:
    assert_same(find_state(network.state_dict()).tensors, network)
    assert_same(find_state({"model": {"state_dict": network.state_dict()}}).tensors, network)
    assert_same(find_state(argparse.Namespace(net=network.state_dict())).tensors, network)


@pytest.mark.parametrize(
    "prefix",
    [
        "module.",
        "module.basic_model.",
        "basic_model.",
        "module.model.",
        "model.",
        "module.module.",
        "module.model.basic_model.",
        "network.",
    ],
)
def test_find_state_prefix_is_stripped_repeatedly(network: nn.Module, prefix: str) -> None:
    assert_same(find_state({"state_dict": with_prefix(network, prefix)}).tensors, network)


def test_find_state_prefix_inside_a_key_stays() -> None:
    found = find_state({"block.module.weight": torch.zeros(2), "module.head.model.weight": torch.ones(2)})
    assert sorted(found.tensors) == ["block.module.weight", "head.model.weight"]


def test_find_state_keys_that_collide_are_refused() -> None:
    with pytest.raises(RejectedCheckpoint, match="are both 'w'"):
        find_state({"module.w": torch.zeros(2), "model.w": torch.ones(2)})


def test_find_state_best_and_last_takes_best_and_says_so(network: nn.Module) -> None:
    other = {name: torch.zeros_like(tensor) for name, tensor in network.state_dict().items()}
    found = find_state({"last": other, "best": network.state_dict()})
    assert_same(found.tensors, network)
    assert "best, last" in found.warnings[0] and "'best' were used" in found.warnings[0]


@pytest.mark.parametrize("content", [{}, {"epoch": 3, "acc": 0.5}, {"state_dict": {}}, {"net": {"net": {"net": {}}}}])
def test_find_state_without_weights_is_unreadable(content: dict[str, Any]) -> None:
    with pytest.raises(UnreadableCheckpoint, match="holds no weights"):
        find_state(content)


def test_find_state_numbers_next_to_tensors_are_refused_by_name(network: nn.Module) -> None:
    with pytest.raises(RejectedCheckpoint, match="holds epoch"):
        find_state({**network.state_dict(), "epoch": 3})


def test_find_state_tensor_larger_than_its_storage_is_unsafe() -> None:
    with pytest.raises(UnsafeCheckpoint, match="'w' declares"):
        find_state({"state_dict": {"w": torch.zeros(1).expand(1000, 1000)}})


def test_find_state_torch_prune_gives_the_product(network: nn.Module) -> None:
    wanted = {}
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            prune.l1_unstructured(module, "weight", amount=0.9)
            wanted[f"{name}.weight"] = module.weight.detach()
    state = network.state_dict()
    assert "conv1.weight_orig" in state and "conv1.weight" not in state
    found = find_state(state).tensors
    assert not [name for name in found if name.endswith(("_orig", "_mask"))]
    assert all(torch.equal(found[name], weight) for name, weight in wanted.items())
    assert (found["conv2.weight"] == 0).float().mean() > 0.89


def test_find_state_torch_prune_mask_of_another_shape_is_refused() -> None:
    with pytest.raises(RejectedCheckpoint, match=r"'a\.weight_mask' has shape"):
        find_state({"a.weight_orig": torch.ones(2, 2), "a.weight_mask": torch.ones(2)})


def test_find_state_torch_prune_original_without_mask_keeps_its_name() -> None:
    assert list(find_state({"a.weight_orig": torch.ones(2)}).tensors) == ["a.weight_orig"]


@pytest.mark.parametrize("ending", ["aux_weight", "mask_weight", "popup_scores"])
def test_find_state_extra_key_without_its_weight_is_refused(network: nn.Module, ending: str) -> None:
    state = {**network.state_dict(), f"conv9.{ending}": torch.ones(1)}
    with pytest.raises(RejectedCheckpoint, match=rf"'conv9\.{ending}' has no weight: 'conv9\.weight' is missing"):
        find_state(state, keep_rate=0.1 if ending == "popup_scores" else None)


@pytest.mark.parametrize("ending", ["aux_weight", "mask_weight", "popup_scores"])
def test_find_state_extra_key_of_another_shape_is_refused(network: nn.Module, ending: str) -> None:
    state = {**network.state_dict(), f"conv1.{ending}": torch.ones(3), "conv1.mask": torch.ones(3)}
    with pytest.raises(RejectedCheckpoint, match=r"shape \(3,\), which does not fit the weight \(32, 1, 5, 5\)"):
        find_state(state, keep_rate=0.1 if ending == "popup_scores" else None)


def test_find_state_keep_rate_without_scores_is_said(network: nn.Module) -> None:
    assert "no scores" in find_state(network.state_dict(), keep_rate=0.1).warnings[0]


def test_find_state_hydra_with_keep_rate_keeps_the_largest_scores() -> None:
    weight = torch.arange(1.0, 11.0).reshape(2, 5)
    scores = torch.tensor([[5.0, -4.0, 3.0, -2.0, 1.0], [-10.0, 9.0, -8.0, 7.0, -6.0]])
    found = find_state({"a.weight": weight, "a.popup_scores": scores}, keep_rate=0.35)
    # int(0.65 * 10) = 6 weights go: those with |score| 1..6.
    assert torch.equal(found.tensors["a.weight"], torch.tensor([[0.0] * 5, [6.0, 7.0, 8.0, 9.0, 0.0]]))
    assert list(found.tensors) == ["a.weight"]
    assert "keep rate 0.35" in found.warnings[0]


@pytest.mark.parametrize("rate", [0.0, 1.5, float("nan")])
def test_find_state_hydra_with_impossible_keep_rate_is_refused(rate: float) -> None:
    with pytest.raises(InvalidRequest, match="keep_rate"):
        find_state({"a.weight": torch.ones(2), "a.popup_scores": torch.ones(2)}, keep_rate=rate)


def test_find_state_normalisation_buffers_are_taken_out(network: nn.Module) -> None:
    state = {
        **with_prefix(network, "module.basic_model."),
        "module.normalize.mean": torch.tensor([0.25]).view(1, 1, 1),
        "module.normalize.std": torch.tensor([0.5]).view(1, 1, 1),
    }
    found = find_state(state)
    assert_same(found.tensors, network)
    assert found.normalization == ((0.25,), (0.5,))


def test_find_state_dead_block_of_hydra_is_left_out_and_said() -> None:
    found = find_state({"block1.w": torch.ones(1), "sub_block1.w": torch.ones(1), "sub_block1.v": torch.ones(1)})
    assert list(found.tensors) == ["block1.w"]
    assert "2 tensors under 'sub_block1.'" in found.warnings[0]
