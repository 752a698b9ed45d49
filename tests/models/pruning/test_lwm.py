"""LWM as part of a training: what is masked when, and structured masks by hand."""

import pytest
import torch

from models.pruning.lwm import MagnitudeSearch
from models.pruning.structured import find_channel_masks, find_filter_masks
from models.training.masks import find_prunable_weights, measure_sparsity
from tests.models.small_networks import build_stripe_network, take_clean_steps

WEIGHTS = {
    "first": torch.tensor([[1.0, -9.0], [2.0, 3.0], [0.5, 0.5]]),
    "middle": torch.tensor([[[1.0, 1.0], [-4.0, 0.0]], [[-2.0, -2.0], [9.0, 0.0]]]),
    "last": torch.tensor([[1.0, 5.0, 3.0], [-1.0, 0.0, -2.0]]),
}


def test_filter_masks_remove_the_weakest_rows_but_no_class() -> None:
    masks = find_filter_masks(WEIGHTS, 0.5)
    # Mean |w|: first 5, 2.5, 0.5 (round(1.5) = 2 of 3 go), middle 1.5, 3.75.
    assert masks["first"].tolist() == [[True, True], [False, False], [False, False]]
    assert masks["middle"].tolist() == [[[False, False], [False, False]], [[True, True], [True, True]]]
    assert bool(masks["last"].all())


def test_channel_masks_remove_the_weakest_inputs_but_none_of_the_image() -> None:
    masks = find_channel_masks(WEIGHTS, 0.34)
    assert bool(masks["first"].all())
    # Inputs of the middle layer: (1 + 1 + 2 + 2) / 4 and (4 + 9) / 4; of the last: 1, 2.5, 2.5.
    assert masks["middle"].tolist() == [[[False, False], [True, True]], [[False, False], [True, True]]]
    assert masks["last"].tolist() == [[False, True, True], [False, True, True]]
    assert {name: mask.dtype for name, mask in masks.items()} == dict.fromkeys(WEIGHTS, torch.bool)


@pytest.mark.parametrize("find_masks", [find_filter_masks, find_channel_masks], ids=["filter", "channel"])
def test_structured_masks_at_the_full_rate_keep_one_group(find_masks: type) -> None:
    masks = find_masks({"a": torch.ones(4, 4), "b": torch.ones(4, 4), "c": torch.ones(4, 4)}, 1.0)
    assert int(masks["b"].sum()) == 4


def test_structured_masks_never_give_a_group_back() -> None:
    before = {"first": torch.ones(3, 2, dtype=torch.bool), "last": torch.tensor([[True, False, True]] * 2)}
    weights = {"first": WEIGHTS["first"], "last": torch.tensor([[1.0, 5.0, 3.0], [1.0, 0.0, 2.0]])}
    assert find_channel_masks(weights, 0.34, before)["last"].tolist() == [[True, False, True]] * 2


@pytest.mark.parametrize(
    ("scope", "zeros"),
    [("layerwise", [27, 480, 20]), ("filter", [27, 480, 0]), ("channel", [0, 480, 20])],
)
def test_magnitude_search_at_half_holds_the_exact_count(scope: str, zeros: list[int]) -> None:
    network, search = build_stripe_network(), MagnitudeSearch(0.5, scope)
    search.start(network)
    assert not search.is_settled
    take_clean_steps(network, search, 3)
    assert [layer.zeros for layer in measure_sparsity(network).layers] == zeros
    assert search.is_settled
    masks = search.find_masks()
    assert [int((~masks[name]).sum()) for name in find_prunable_weights(network)] == zeros


def test_magnitude_search_over_all_layers_holds_the_total_count() -> None:
    network, search = build_stripe_network(), MagnitudeSearch(0.9, "global")
    search.start(network)
    take_clean_steps(network, search, 2)
    assert measure_sparsity(network).zeros == round(0.9 * (54 + 960 + 40))


def test_magnitude_search_with_a_ramp_grows_nested_masks_to_the_final_sparsity() -> None:
    search = MagnitudeSearch(0.99, mask_share=0.5)
    shares: dict[int, float] = {}
    masks: dict[str, torch.Tensor] = {}
    search.start(build_stripe_network(40))
    for step in range(400):
        # Other weights at each step, as training moves them: only the search's memory keeps its masks nested.
        torch.manual_seed(step)
        search.network[4].reset_parameters()
        search.before_step(step, 400)
        renewed = search.find_masks()
        if masks is not renewed:
            assert all(not (renewed[name] & ~mask).any() for name, mask in masks.items())
            shares[step] = 1 - renewed["4.weight"].double().mean().item()
            assert search.is_settled == (step == 200)
        masks = renewed
    assert list(shares) == [0, 50, 100, 150, 200]
    expected = [0.0, 0.99 * (1 - 27 / 64), 0.99 * 7 / 8, 0.99 * 63 / 64, 0.99]
    assert list(shares.values()) == pytest.approx(expected, abs=1e-4)


def test_magnitude_search_of_an_unknown_scope_lists_what_exists() -> None:
    with pytest.raises(ValueError, match=r"'row'.*layerwise, global, filter, channel"):
        MagnitudeSearch(0.5, "row")
