"""The cheap margins: exact on a linear network, 0 where wrong, infinite where nothing can be told."""

import pytest
import torch
from torch import nn

from models.training.margins import estimate_margins, measure_gaps
from tests.models.small_networks import build_single_layer, build_stripe_network, draw_stripes


def test_gaps_are_true_logit_minus_best_other() -> None:
    logits = torch.tensor([[1.0, 4.0, 2.5], [1.0, 4.0, 2.5]])
    assert measure_gaps(logits, torch.tensor([1, 0])).tolist() == [1.5, -3.0]


@pytest.mark.parametrize("steps", [1, 2, 4])
@pytest.mark.parametrize("reach", [0.05, 0.2])
def test_margins_of_a_linear_network_are_exact_and_zero_where_wrong(steps: int, reach: float) -> None:
    network = nn.Sequential(nn.Flatten(), build_single_layer([[1.0, 2.0], [3.0, -1.0]])).train()
    images = torch.tensor([[0.45, 0.6], [0.7, 0.4]]).reshape(2, 1, 1, 2).repeat(2, 1, 1, 1)
    margins = estimate_margins(network, images, torch.tensor([0, 1, 1, 0]), reach=reach, steps=steps, batch_size=3)
    # The difference of the rows is (-2, 3): gaps 0.9 and 0.2, norm 5.
    torch.testing.assert_close(margins, torch.tensor([0.18, 0.04, 0.0, 0.0]))
    assert network.training
    assert not images.requires_grad


def test_margins_count_only_pixels_that_may_still_move() -> None:
    network = nn.Sequential(nn.Flatten(), build_single_layer([[1.0, 2.0], [3.0, -1.0]]))
    # The gap 3 x2 - 2 x1 is 1.0 at (1, 1): x1 cannot grow, x2 alone has to fall by a third.
    margins = estimate_margins(network, torch.ones(1, 1, 1, 2), torch.tensor([0]), reach=0.2)
    torch.testing.assert_close(margins, torch.tensor([1 / 3]))


def test_second_step_of_a_bent_network_comes_nearer_to_the_boundary() -> None:
    class Bent(nn.Module):
        """Gap 0.04 - d ** 2 for an image whose mean is d off 0.45: the boundary lies at d = 0.2."""

        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(1))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            gap = 0.04 - (images.flatten(1).mean(1, keepdim=True) - 0.45) ** 2
            return torch.cat([gap, torch.zeros_like(gap)], dim=1) * self.scale

    image, label = torch.full((1, 1, 2, 2), 0.5), torch.tensor([0])
    first, second = (float(estimate_margins(Bent(), image, label, reach=0.15, steps=steps)) for steps in (1, 2))
    # From d = 0.05: 0.0375 / 0.1; from d = 0.2, after 0.15 more: nothing is left.
    assert first == pytest.approx(0.375, rel=1e-4)
    assert second == pytest.approx(0.15, rel=1e-4)


def test_margins_without_a_gradient_are_infinite() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    with torch.no_grad():
        network[1].weight.zero_()
        network[1].bias.copy_(torch.tensor([1.0, 0.0]))
    margins = estimate_margins(network, torch.rand(2, 1, 4, 4), torch.tensor([0, 1]), reach=0.1)
    assert margins.tolist() == [torch.inf, 0.0]


def test_margins_leave_parameters_and_statistics_alone() -> None:
    network = build_stripe_network()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    estimate_margins(network, *draw_stripes(20), reach=0.1)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in network.parameters())
