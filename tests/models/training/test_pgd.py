"""PGD against a linear network, whose worst case is known, and what it leaves untouched."""

import pytest
import torch
from torch import Tensor, nn

from models.training.pgd import check_correct, check_robust, find_adversarials

SIDE = 4


def build_linear_network() -> nn.Sequential:
    """Build a two-class linear network on 4 x 4 images with fixed weights w0, w1 and no bias."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, 2, bias=False))
    weights = torch.randn(2, SIDE * SIDE, generator=torch.Generator().manual_seed(5))
    network.load_state_dict({"1.weight": weights})
    return network


def attack(network: nn.Module, images: Tensor, labels: Tensor, *, eps: float, steps: int, seed: int = 0) -> Tensor:
    """Run PGD with step eps / 4."""
    generator = torch.Generator().manual_seed(seed)
    return find_adversarials(network, images, labels, eps=eps, step_size=eps / 4, steps=steps, generator=generator)


def test_adversarials_of_a_linear_network_reach_the_worst_corner_of_ball_and_box() -> None:
    network = build_linear_network()
    images, labels = torch.rand(20, 1, SIDE, SIDE), torch.arange(20) % 2
    weights = network.get_parameter("1.weight").detach()
    # The loss grows along (other - true), and 9 steps of eps / 4 cross the ball from anywhere.
    direction = (weights[1 - labels] - weights[labels]).sign().reshape(images.shape)
    worst = (images + 0.1 * direction).clamp(0.0, 1.0)
    torch.testing.assert_close(attack(network, images, labels, eps=0.1, steps=9), worst, atol=1e-6, rtol=0)


@pytest.mark.parametrize("steps", [0, 1, 10])
@pytest.mark.parametrize("eps", [8 / 255, 0.1, 0.9], ids=["8-255", "0.1", "0.9"])
def test_adversarials_stay_in_ball_and_box(eps: float, steps: int) -> None:
    images = torch.rand(50, 1, SIDE, SIDE)
    images[:10], images[10:20] = 0.0, 1.0
    adversarials = attack(build_linear_network(), images, torch.zeros(50, dtype=torch.int64), eps=eps, steps=steps)
    assert adversarials.dtype == torch.float32
    assert adversarials.min() >= 0.0
    assert adversarials.max() <= 1.0
    assert (adversarials.double() - images.double()).abs().max() <= eps + 1e-7


def test_adversarials_start_anywhere_in_the_ball() -> None:
    images = torch.full((2000, 1, 1, 1), 0.5)
    labels = torch.zeros(2000, dtype=torch.int64)
    network = nn.Sequential(nn.Flatten(), nn.Linear(1, 2))
    starts = (attack(network, images, labels, eps=0.2, steps=0) - images).flatten()
    assert starts.min() < -0.19
    assert starts.max() > 0.19
    assert abs(float(starts.mean())) < 0.01


def test_adversarials_with_the_same_seed_repeat_and_with_another_differ() -> None:
    network, images, labels = build_linear_network(), torch.rand(5, 1, SIDE, SIDE), torch.ones(5, dtype=torch.int64)
    first = attack(network, images, labels, eps=0.1, steps=1)
    assert torch.equal(first, attack(network, images, labels, eps=0.1, steps=1))
    assert not torch.equal(first, attack(network, images, labels, eps=0.1, steps=1, seed=1))


def test_attack_leaves_images_modes_statistics_and_gradients_as_they_were() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(0.5), nn.Flatten(), nn.Linear(8, 2))
    network.train()
    network[2].eval()
    network[4].bias.requires_grad_(False)
    state = {key: value.clone() for key, value in network.state_dict().items()}
    images, labels = torch.rand(6, 1, SIDE, SIDE), torch.ones(6, dtype=torch.int64)
    before = images.clone()
    attack(network, images, labels, eps=0.1, steps=2)
    assert torch.equal(images, before)
    assert not images.requires_grad
    assert [module.training for module in network] == [True, True, False, True, True]
    assert [parameter.requires_grad for parameter in network[4].parameters()] == [True, False]
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())


def test_robust_samples_of_a_linear_network_are_those_with_a_larger_margin() -> None:
    network = build_linear_network()
    difference = torch.tensor([-1.0, 1.0]) @ network.get_parameter("1.weight").detach()
    # Around grey no pixel meets the box, so the Linf margin is |w x| / ||w||_1 of the difference of the rows.
    images = 0.5 + 0.2 * torch.rand(200, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    gaps = images.flatten(1) @ difference
    labels = (gaps > gaps.median()).long()
    is_right = (gaps > 0).long() == labels
    margins = gaps.abs() / difference.abs().sum()
    assert torch.equal(check_correct(network, images, labels), is_right)
    eps = float(margins[is_right].median()) + 1e-4
    expected = is_right & (margins > eps)
    assert 0 < int(expected.sum()) < int(is_right.sum())
    assert torch.equal(check_robust(network, images, labels, eps=eps, steps=10, seed=0, batch_size=64), expected)
