"""HYDRA by hand: scores at the start, masks at the exact count, and the straight-through gradient."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from models.pruning.hydra import ScoreSearch, count_removed, draw_scores, keep_best, pass_straight_through
from models.pruning.magnitude import find_layerwise_masks
from models.training.mask_search import HeldMasks
from models.training.masks import find_prunable_weights, measure_sparsity
from tests.models.small_networks import build_single_layer, build_stripe_network, draw_stripes, take_clean_steps


class StraightThrough(torch.autograd.Function):
    """An independent reference: a top-k mask of |s| whose backward hands the mask's gradient to |s|."""

    @staticmethod
    def forward(_context: object, magnitudes: Tensor, removed: int) -> Tensor:
        mask = torch.ones_like(magnitudes).flatten()
        mask[magnitudes.flatten().sort().indices[:removed]] = 0.0
        return mask.reshape(magnitudes.shape)

    @staticmethod
    def backward(_context: object, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


def test_scores_start_as_scaled_weights_and_rank_like_magnitudes() -> None:
    weight = torch.tensor([[0.2, -0.4, 0.1], [0.3, 0.05, -0.15]])
    scale = math.sqrt(6 / 3) / 0.4
    torch.testing.assert_close(draw_scores(weight), scale * weight)
    kernel = torch.randn(4, 3, 2, 2)
    assert float(draw_scores(kernel).abs().max()) == pytest.approx(math.sqrt(6 / 12))
    assert draw_scores(torch.zeros(2, 2)).tolist() == [[0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize(
    ("size", "sparsity", "removed"),
    [(800, 0.95, 760), (18_432, 0.9, 16_588), (17_920, 0.99, 17_740), (100, 0.57, 57), (7, 0.99, 6)],
)
def test_removed_weights_are_counted_by_cutting_off(size: int, sparsity: float, removed: int) -> None:
    assert count_removed(size, sparsity) == removed


def test_best_scores_are_the_largest_magnitudes() -> None:
    assert keep_best(torch.tensor([[-3.0, 1.0], [2.0, -0.5]]), 2).tolist() == [[True, False], [True, False]]


def test_straight_through_gradient_is_the_masks_times_the_sign() -> None:
    scores, gradients = torch.tensor([2.0, -0.1, -3.0, 0.0]), torch.tensor([1.0, -2.0, 4.0, 5.0])
    assert pass_straight_through(scores, gradients).tolist() == [1.0, 2.0, -4.0, 0.0]


def test_score_gradient_on_one_layer_equals_the_hand_computed() -> None:
    layer, search = build_single_layer([[2.0, -1.0], [0.5, -4.0]]), ScoreSearch(0.5)
    search.start(layer)
    assert layer.weight.tolist() == [[2.0, 0.0], [0.0, -4.0]]
    layer(torch.tensor([[1.0, 10.0]])).sum().backward()
    search.after_backward()
    # dL/d(Wm) is the image in each row; times W is dL/dm; times sign(score) = sign(W) is dL/ds, masked or not.
    gradient = search.scores["weight"].grad
    assert gradient is not None
    assert gradient.tolist() == [[2.0, 10.0], [0.5, 40.0]]


def test_score_gradients_of_a_network_equal_those_of_an_autograd_function() -> None:
    network, search = build_stripe_network(), ScoreSearch(0.7)
    search.start(network)
    images, labels = draw_stripes(16)
    scores = {name: value.detach().clone().requires_grad_(True) for name, value in search.scores.items()}
    effective = {
        name: search.weights[name] * StraightThrough.apply(value.abs(), count_removed(value.numel(), 0.7))
        for name, value in scores.items()
    }
    logits = torch.func.functional_call(build_stripe_network(), effective, (images,))
    expected = torch.autograd.grad(functional.cross_entropy(logits, labels), list(scores.values()))
    functional.cross_entropy(network(images), labels).backward()
    search.after_backward()
    for name, gradient in zip(scores, expected, strict=True):
        assert search.scores[name].grad is not None
        torch.testing.assert_close(search.scores[name].grad, gradient)


def test_search_begins_as_lwm_moves_scores_and_normalisation_and_freezes_the_rest() -> None:
    network, search = build_stripe_network(), ScoreSearch(0.9)
    dense = {key: value.clone() for key, value in network.state_dict().items()}
    search.start(network)
    start = search.find_masks()
    lwm = find_layerwise_masks({name: dense[name] for name in search.weights}, 0.9)
    assert all((start[name] == lwm[name]).all() for name in ("4.weight", "6.weight"))
    take_clean_steps(network, search, 30)
    masks, after = search.find_masks(), network.state_dict()
    assert any((masks[name] != start[name]).any() for name in masks)
    for name, mask in masks.items():
        assert torch.equal(after[name], dense[name].masked_fill(~mask, 0.0))
        assert not torch.signbit(after[name][~mask]).any()
    assert [layer.zeros for layer in measure_sparsity(network).layers] == [48, 864, 36]
    assert torch.equal(after["4.bias"], dense["4.bias"])
    assert not torch.equal(after["1.weight"], dense["1.weight"])


def test_finetuning_under_found_masks_keeps_the_exact_count() -> None:
    network, search = build_stripe_network(), ScoreSearch(0.9)
    search.start(network)
    take_clean_steps(network, search, 5)
    held = HeldMasks(search.finish())
    held.start(network)
    take_clean_steps(network, held, 5)
    assert [layer.zeros for layer in measure_sparsity(network).layers] == [48, 864, 36]


def test_score_state_brings_a_search_back_into_the_same_parameters() -> None:
    search, again = ScoreSearch(0.5), ScoreSearch(0.5)
    search.start(build_stripe_network())
    take_clean_steps(search.network, search, 10)
    again.start(build_stripe_network())
    held = dict(again.scores)
    again.load_state_dict(search.state_dict())
    assert all(again.scores[name] is held[name] and torch.equal(held[name], search.scores[name]) for name in held)
    masks = search.find_masks()
    assert all(torch.equal(mask, masks[name]) for name, mask in again.find_masks().items())
    assert torch.equal(
        find_prunable_weights(again.network)["4.weight"], find_prunable_weights(search.network)["4.weight"]
    )


@pytest.mark.parametrize("sparsity", [-0.1, 1.0, 95.0])
def test_score_search_outside_a_share_is_refused(sparsity: float) -> None:
    with pytest.raises(ValueError, match="share from 0 to below 1"):
        ScoreSearch(sparsity)
