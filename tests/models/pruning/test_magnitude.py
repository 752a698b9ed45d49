"""LWM by hand: which weights go, how many, in ties and along the schedule."""

from collections.abc import Callable

import pytest
import torch

from models.pruning.magnitude import count_zeros, cubic_sparsity, find_global_masks, find_layerwise_masks

FindMasks = Callable[..., dict[str, torch.Tensor]]
WEIGHTS = {"a": torch.tensor([[0.1, -0.2], [3.0, -4.0]]), "b": torch.tensor([-5.0, 0.3, 6.0, -0.7])}


def read_masks(masks: dict[str, torch.Tensor]) -> dict[str, list[bool]]:
    """Flatten masks to lists."""
    return {name: mask.flatten().tolist() for name, mask in masks.items()}


def test_layerwise_masks_at_half_remove_the_two_smallest_of_each_layer() -> None:
    masks = find_layerwise_masks(WEIGHTS, 0.5)
    assert read_masks(masks) == {"a": [False, False, True, True], "b": [True, False, True, False]}
    assert masks["a"].shape == (2, 2)
    assert masks["a"].dtype == torch.bool


def test_global_masks_at_half_remove_the_four_smallest_of_all() -> None:
    assert read_masks(find_global_masks(WEIGHTS, 0.5)) == {
        "a": [False, False, True, True],
        "b": [True, False, True, False],
    }


def test_global_masks_differ_from_layerwise_where_layers_differ_in_scale() -> None:
    weights = {"small": torch.tensor([0.1, 0.2]), "large": torch.tensor([1.0, 2.0])}
    assert read_masks(find_layerwise_masks(weights, 0.5)) == {"small": [False, True], "large": [False, True]}
    assert read_masks(find_global_masks(weights, 0.5)) == {"small": [False, False], "large": [True, True]}


@pytest.mark.parametrize("find_masks", [find_layerwise_masks, find_global_masks], ids=["layerwise", "global"])
@pytest.mark.parametrize(("sparsity", "kept"), [(0.0, 1000), (0.333, 667), (0.9995, 0), (1.0, 0)], ids=str)
def test_masks_of_equal_weights_have_the_exact_count(find_masks: FindMasks, sparsity: float, kept: int) -> None:
    (mask,) = find_masks({"ties": torch.full((10, 100), -0.5)}, sparsity).values()
    assert int(mask.sum()) == kept


def test_masks_of_ties_remove_the_first_in_memory_order() -> None:
    masks = find_layerwise_masks({"ties": torch.tensor([2.0, -1.0, 1.0, 1.0])}, 0.5)
    assert read_masks(masks) == {"ties": [True, False, False, True]}


@pytest.mark.parametrize(("size", "sparsity", "zeros"), [(100, 0.29, 29), (288, 0.95, 274), (7, 0.99, 7), (3, 0, 0)])
def test_count_zeros_rounds_to_the_nearest(size: int, sparsity: float, zeros: int) -> None:
    assert count_zeros(size, sparsity) == zeros


@pytest.mark.parametrize("sparsity", [-0.1, 1.1, 95, float("nan")])
def test_count_zeros_outside_a_share_is_refused(sparsity: float) -> None:
    with pytest.raises(ValueError, match=r"share from 0 to 1"):
        count_zeros(10, sparsity)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_masks_of_weights_that_are_not_finite_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="broken holds NaN or infinite"):
        find_layerwise_masks({"broken": torch.tensor([1.0, value])}, 0.5)


def test_masks_leave_the_weights_as_they_were() -> None:
    weights = {"a": torch.tensor([1.0, -2.0], requires_grad=True)}
    find_global_masks(weights, 0.5)
    assert weights["a"].tolist() == [1.0, -2.0]
    assert find_global_masks({}, 0.5) == {}


def test_cubic_sparsity_at_the_halves_and_ends_equals_the_formula() -> None:
    assert cubic_sparsity(0, 4, 0.8) == 0.0
    assert cubic_sparsity(1, 4, 0.8) == pytest.approx(0.8 * (1 - 27 / 64))
    assert cubic_sparsity(2, 4, 0.8) == pytest.approx(0.7)
    assert cubic_sparsity(4, 4, 0.99) == 0.99
    assert cubic_sparsity(9, 4, 0.99) == 0.99


@pytest.mark.parametrize(("step", "steps"), [(-1, 4), (0, 0)], ids=["negative", "no-steps"])
def test_cubic_sparsity_of_impossible_steps_is_refused(step: int, steps: int) -> None:
    with pytest.raises(ValueError, match="step"):
        cubic_sparsity(step, steps, 0.9)


@pytest.mark.parametrize("find_masks", [find_layerwise_masks, find_global_masks], ids=["layerwise", "global"])
def test_iterative_masks_never_give_a_weight_back(find_masks: FindMasks) -> None:
    generator = torch.Generator().manual_seed(0)
    masks: dict[str, torch.Tensor] = {}
    for step in range(1, 6):
        # Fresh weights each time, zeros among them: by magnitude alone a pruned weight would come back.
        weights = {"a": torch.randn(40, 50, generator=generator).clamp(min=0.0)}
        renewed = find_masks(weights, cubic_sparsity(step, 5, 0.95), masks)
        if masks:
            assert not (renewed["a"] & ~masks["a"]).any()
        masks = renewed
    assert int(masks["a"].sum()) == 100
