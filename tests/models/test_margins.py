"""The cheap margins: exact on a linear network, 0 where wrong, infinite where nothing can be told."""

import torch
from torch import nn

from models.training.margins import estimate_margins, measure_gaps
from tests.models.small_networks import build_single_layer, build_stripe_network, draw_stripes


def test_gaps_are_true_logit_minus_best_other() -> None:
    logits = torch.tensor([[1.0, 4.0, 2.5], [1.0, 4.0, 2.5]])
    assert measure_gaps(logits, torch.tensor([1, 0])).tolist() == [1.5, -3.0]


def test_margins_of_a_linear_network_are_exact_and_zero_where_wrong() -> None:
    network = nn.Sequential(nn.Flatten(), build_single_layer([[1.0, 2.0], [3.0, -1.0]])).train()
    images = torch.tensor([[0.1, 0.9], [0.9, 0.1]]).reshape(2, 1, 1, 2).repeat(2, 1, 1, 1)
    margins = estimate_margins(network, images, torch.tensor([0, 1, 1, 0]), batch_size=3)
    # The difference of the rows is (-2, 3): gaps 2.5 and 1.5, norm 5.
    torch.testing.assert_close(margins, torch.tensor([0.5, 0.3, 0.0, 0.0]))
    assert network.training
    assert not images.requires_grad


def test_margins_without_a_gradient_are_infinite() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    with torch.no_grad():
        network[1].weight.zero_()
        network[1].bias.copy_(torch.tensor([1.0, 0.0]))
    assert estimate_margins(network, torch.rand(2, 1, 4, 4), torch.tensor([0, 1])).tolist() == [torch.inf, 0.0]


def test_margins_leave_parameters_and_statistics_alone() -> None:
    network = build_stripe_network()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    estimate_margins(network, *draw_stripes(20))
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in network.parameters())
