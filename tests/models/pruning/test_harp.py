"""HARP by hand: learned rates, their gradient, the penalty and its freezing, and the exact total at the end."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from models.architectures.builders import build_architecture
from models.pruning.harp import RateSearch
from models.pruning.rates import count_multiplications
from models.training.mask_search import HeldMasks
from models.training.masks import measure_sparsity
from tests.models.small_networks import build_single_layer, build_stripe_network, take_clean_steps


def start_search(network: nn.Module, sparsity: float, granularity: str = "weight", **settings: float) -> RateSearch:
    """Start a search on stripes."""
    search = RateSearch(sparsity, granularity, (1, 4, 4), **settings)
    search.start(network)
    return search


def set_rate(search: RateSearch, name: str, keep_share: float) -> None:
    """Set r_l so that the layer keeps `keep_share`."""
    share = (keep_share - search.smallest) / (1 - search.smallest)
    with torch.no_grad():
        search.rates[name].fill_(math.log(share / (1 - share)))


@pytest.mark.parametrize(("sparsity", "share"), [(0.95, 0.1), (0.99, 0.1), (0.9, 0.1), (0.5, 0.5)])
def test_rates_start_at_a_tenth_or_at_a_larger_target(sparsity: float, share: float) -> None:
    search = start_search(build_stripe_network(), sparsity)
    assert search.smallest == pytest.approx(0.1 * (1 - sparsity))
    assert list(search.find_keep_shares().values()) == pytest.approx([share] * 3)
    assert search.measure_excess() == pytest.approx(share / (1 - sparsity) - 1, abs=1e-6)


def test_rates_never_keep_less_than_a_tenth_of_the_target() -> None:
    search = start_search(build_stripe_network(), 0.95)
    with torch.no_grad():
        search.rates["4.weight"].fill_(-50.0)
    assert search.find_keep_shares()["4.weight"] == pytest.approx(0.005)


def test_rate_gradient_is_the_sum_of_mask_gradients_and_the_charge() -> None:
    layer = build_single_layer([[2.0, -1.0], [0.5, -4.0]])
    search = start_search(layer, 0.75, gamma=0.1)
    set_rate(search, "weight", 0.5)
    search.wear_masks(search.find_present_masks())
    assert layer.weight.tolist() == [[2.0, 0.0], [0.0, -4.0]]
    search.before_step(7, 20)
    layer(torch.tensor([[1.0, 10.0]])).sum().backward()
    search.after_backward()
    share = (0.5 - 0.025) / 0.975
    # Mask gradients are image * W: 2 - 10 + 0.5 - 40. The excess is 1, its slope in k is 1 / k_target, gamma_t is 0.8.
    assert search.measure_penalty() == pytest.approx(0.8 * 1.0, abs=1e-5)
    expected = (2 - 10 + 0.5 - 40 + 0.8 / 0.25) * 0.975 * share * (1 - share)
    gradient, scores = search.rates["weight"].grad, search.scores["weight"].grad
    assert gradient is not None and scores is not None
    assert float(gradient) == pytest.approx(expected, rel=1e-5)
    assert scores.tolist() == [[2.0, 10.0], [0.5, 40.0]]


def test_rate_gradients_of_the_penalty_equal_those_of_autograd() -> None:
    network = build_stripe_network()
    search = start_search(network, 0.95, gamma=0.3)
    for weight in network.parameters():
        weight.grad = torch.zeros_like(weight)
    search.before_step(0, 1)
    search.after_backward()
    rates = [rate.detach().clone().double().requires_grad_(True) for rate in search.rates.values()]
    sizes, smallest = torch.tensor([54.0, 960.0, 40.0]), 0.005
    shares = torch.stack([smallest + (1 - smallest) * torch.sigmoid(rate) for rate in rates])
    penalty = 0.3 * functional.relu((shares * sizes).sum() / (0.05 * sizes.sum()) - 1)
    assert search.measure_penalty() == pytest.approx(float(penalty.detach()), rel=1e-5)
    expected = torch.autograd.grad(penalty, rates)
    for rate, gradient in zip(search.rates.values(), expected, strict=True):
        assert float(rate.grad or 0.0) == pytest.approx(float(gradient), rel=1e-4)


def test_gamma_grows_by_the_round_until_the_penalty_is_zero_and_is_frozen_then() -> None:
    layer = build_single_layer([[2.0, -1.0], [0.5, -4.0]])
    search = start_search(layer, 0.5, gamma=0.01, rounds=5)
    set_rate(search, "weight", 0.9)
    seen = []
    for step in range(10):
        search.before_step(step, 10)
        seen.append(search.gamma_now)
        if step == 5:
            set_rate(search, "weight", 0.4)
        if step == 6:
            set_rate(search, "weight", 0.9)
        layer.weight.grad = torch.zeros(2, 2)
        assert search.is_settled == (step > 5)
        search.after_backward()
    assert seen == pytest.approx([0.01, 0.01, 0.02, 0.02, 0.03, 0.03, 0.03, 0.03, 0.03, 0.03])
    assert search.is_settled
    # The penalty speaks again above the target, with the frozen factor.
    assert search.measure_penalty() == pytest.approx(0.03 * 0.8, rel=1e-4)


@pytest.mark.parametrize("sparsity", [0.9, 0.95])
def test_search_meets_the_total_rate_exactly_with_layers_of_unequal_size(sparsity: float) -> None:
    network = build_stripe_network()
    search = start_search(network, sparsity, gamma=0.1)
    take_clean_steps(network, search, 60)
    masks = search.finish()
    dense = {name: weight.masked_fill(~masks[name], 0.0) for name, weight in search.weights.items()}
    assert all(torch.equal(network.get_parameter(name), weight) for name, weight in dense.items())
    held = HeldMasks(masks)
    held.start(network)
    take_clean_steps(network, held, 3)
    sparsities = measure_sparsity(network)
    assert sparsities.size - sparsities.zeros == round((1 - sparsity) * 1054)
    shares = [layer.share for layer in sparsities.layers]
    assert max(shares) - min(shares) > 0.03


def test_search_under_the_penalty_comes_down_to_the_target() -> None:
    network = build_stripe_network()
    search = start_search(network, 0.95, gamma=0.1)
    assert search.measure_excess() > 0.9
    take_clean_steps(network, search, 60)
    assert search.is_settled
    assert search.measure_excess() < 0.2
    dense = build_stripe_network().state_dict()
    assert torch.equal(network.state_dict()["4.bias"], dense["4.bias"])


def test_channel_search_prunes_whole_inputs_within_the_multiplications_of_the_target() -> None:
    network = build_architecture("small-cnn", 10, 1)
    search = RateSearch(0.5, "channel", (1, 28, 28))
    search.start(network)
    costs = count_multiplications(network, (1, 28, 28))
    assert list(search.rates) == ["conv2.weight", "conv3.weight", "linear.weight"]
    assert search.costs == {name: costs[name] for name in search.rates}
    assert [value.shape for value in search.scores.values()] == [
        (1, 1, 1, 1),
        (1, 32, 1, 1),
        (1, 64, 1, 1),
        (1, 1792),
    ]
    with torch.no_grad():
        search.rates["conv2.weight"] += 1.0
    masks = search.find_masks()
    assert bool(masks["conv1.weight"].all())
    spent = 0.0
    for name in search.rates:
        inputs = masks[name].transpose(0, 1).flatten(1)
        assert torch.equal(inputs.all(1), inputs.any(1))
        spent += float(inputs[:, 0].double().mean()) * costs[name]
    target = 0.5 * sum(search.costs.values())
    assert target - 2000 < spent <= target


def test_channel_gradients_are_summed_over_the_channel() -> None:
    network = nn.Sequential(build_single_layer([[1.0], [1.0]]), build_single_layer([[2.0, -1.0], [0.5, -4.0]]))
    search = start_search(nn.Sequential(nn.Flatten(), nn.Linear(16, 1, bias=False), *network), 0.5, "channel")
    weight = search.network.get_parameter("3.weight")
    search.network.zero_grad()
    for parameter in search.network.parameters():
        parameter.grad = torch.ones_like(parameter)
    search.after_backward()
    scores = search.scores["3.weight"]
    # dL/dm of an input is the sum of dL/d(Wm) * W over its column: 2.5 and -5; scores of mean |w| are above 0.
    assert scores.grad is not None
    torch.testing.assert_close(scores.grad, torch.tensor([[2.5, -5.0]]))
    assert weight.shape == (2, 2)


class Block(nn.Module):
    """A residual block of linear layers with a projection on its shortcut, behind a first layer."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Linear(16, 16, bias=False)
        self.conv1, self.conv2 = nn.Linear(16, 8, bias=False), nn.Linear(8, 4, bias=False)
        self.shortcut = nn.Sequential(nn.Linear(16, 4, bias=False))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.stem(images.flatten(1))
        return self.conv2(self.conv1(features).relu()) + self.shortcut(features)


def test_shortcut_has_a_rate_of_its_own_among_weights() -> None:
    assert list(start_search(Block(), 0.9).rates) == [
        *("stem.weight", "conv1.weight", "conv2.weight", "shortcut.0.weight")
    ]


def test_tied_shortcut_adds_its_gradient_to_the_rate_it_follows() -> None:
    search = start_search(Block(), 0.9, "channel", gamma=0.01)
    assert list(search.rates) == ["conv1.weight", "conv2.weight"]
    with torch.no_grad():
        search.rates["conv1.weight"] += 0.1
        search.rates["conv2.weight"] += 0.1
    shares = search.find_keep_shares()
    assert shares["shortcut.0.weight"] == shares["conv1.weight"]
    for parameter in search.network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    search.after_backward()
    first, second = search.rates["conv1.weight"].grad, search.rates["conv2.weight"].grad
    assert first is not None and second is not None
    # Charged by multiplications: 128 and 64 of the tied pair against 32.
    assert float(first) == pytest.approx(6 * float(second), rel=1e-5)
    assert float(second) > 0


def test_rate_state_brings_a_search_back() -> None:
    network = build_stripe_network()
    search, again = start_search(network, 0.95, gamma=0.1), start_search(build_stripe_network(), 0.95, gamma=0.1)
    take_clean_steps(network, search, 40)
    again.load_state_dict(search.state_dict())
    assert again.find_keep_shares() == search.find_keep_shares()
    assert (again.round, again.gamma_now, again.is_settled) == (search.round, search.gamma_now, search.is_settled)
    masks = search.find_masks()
    assert all(torch.equal(mask, masks[name]) for name, mask in again.find_masks().items())


@pytest.mark.parametrize(
    "wrong",
    [{"granularity": "filter"}, {"granularity": "channel"}, {"gamma": 0.0}, {"rounds": 0}, {"sparsity": 1.0}],
    ids=str,
)
def test_rate_search_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        RateSearch(**{"sparsity": 0.9, **wrong})
