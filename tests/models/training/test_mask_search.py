"""The interface of the methods: the base takes no part, and held masks stay through momentum and weight decay."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from models.training.mask_search import HeldMasks, MaskSearch
from models.training.masks import find_prunable_weights
from tests.models.small_networks import build_stripe_network, draw_stripes, take_clean_steps


def test_base_search_leaves_plain_training_as_it_is() -> None:
    network, alone = build_stripe_network(), build_stripe_network()
    search = MaskSearch()
    search.start(network)
    take_clean_steps(network, search, 3)
    images, labels = draw_stripes(32)
    optimizer = torch.optim.SGD(alone.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        functional.cross_entropy(alone(images), labels).backward()
        optimizer.step()
    assert all(torch.equal(value, alone.state_dict()[key]) for key, value in network.state_dict().items())
    assert search.is_settled
    assert search.find_masks() == search.state_dict() == {}


def test_held_masks_through_momentum_and_weight_decay_keep_exact_zeros() -> None:
    network = build_stripe_network()
    weights = find_prunable_weights(network)
    masks = {name: torch.arange(weight.numel()).reshape(weight.shape) % 2 == 0 for name, weight in weights.items()}
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    images, labels = draw_stripes(32)

    def step() -> None:
        optimizer.zero_grad()
        functional.cross_entropy(network(images), labels).backward()
        optimizer.step()

    for _ in range(3):
        step()
    start = {key: value.clone() for key, value in network.state_dict().items()}
    momenta = optimizer.state[network.get_parameter("4.weight")]["momentum_buffer"]
    assert momenta[~masks["4.weight"]].count_nonzero() > 0
    search = HeldMasks(masks)
    search.start(network)
    for _ in range(5):
        step()
        search.after_step()
    after = network.state_dict()
    for name, mask in masks.items():
        assert after[name][~mask].count_nonzero() == 0
        assert (after[name][mask] != start[name][mask]).any()
    assert all(after[key].count_nonzero() == after[key].numel() for key in ("0.bias", "1.weight", "1.bias", "6.bias"))
    step()
    assert weights["4.weight"][~masks["4.weight"]].count_nonzero() > 0


def test_held_masks_come_back_from_their_state() -> None:
    network = build_stripe_network()
    mask = torch.zeros(10, 96, dtype=torch.bool)
    again = HeldMasks({})
    again.start(network)
    again.load_state_dict(HeldMasks({"4.weight": mask}).state_dict())
    assert network.get_parameter("4.weight").count_nonzero() == 0
    assert torch.equal(again.find_masks()["4.weight"], mask)


def test_held_masks_that_fit_no_weight_are_refused() -> None:
    with pytest.raises(ValueError, match="matches no prunable weight"):
        HeldMasks({"9.weight": torch.ones(2, dtype=torch.bool)}).start(nn.Sequential(nn.Linear(2, 2)))
