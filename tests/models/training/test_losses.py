"""The losses by hand, their attacks on a linear network, and what they cost."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from models.training.losses import AdversarialLoss, Batch, MartLoss, TradesLoss, boost, build_loss, diverge
from models.training.recipe import Recipe, TrainingAttack
from tests.models.small_networks import build_single_layer, build_stripe_network, draw_stripes

CLEAN = torch.tensor([[0.0, math.log(3.0)]], dtype=torch.float64)
MOVED = torch.tensor([[math.log(4.0), 0.0]], dtype=torch.float64)
"""Probabilities 1/4, 3/4 and 4/5, 1/5."""


class Answers(nn.Module):
    """A network that says `CLEAN` for a black image and `MOVED` for any other."""

    def forward(self, images: Tensor) -> Tensor:
        return torch.where(images.flatten(1).sum(1, keepdim=True) > 0, MOVED, CLEAN)


BATCH = Batch(torch.zeros(1, 1, 1, 1), torch.tensor([1]), torch.tensor([0]))
ADVERSARIALS = torch.ones(1, 1, 1, 1)
DIVERGENCE = 0.25 * math.log(0.25 / 0.8) + 0.75 * math.log(0.75 / 0.2)


def test_divergence_equals_the_sum_by_hand_and_is_zero_for_equals() -> None:
    assert diverge(CLEAN, MOVED).item() == pytest.approx(DIVERGENCE)
    assert diverge(CLEAN, CLEAN + 5.0).item() == pytest.approx(0.0, abs=1e-12)


def test_divergence_has_gradients_on_both_sides() -> None:
    reference, logits = (torch.randn(4, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))

    def by_hand(reference: Tensor, logits: Tensor) -> Tensor:
        p, q = reference.softmax(1), logits.softmax(1)
        return (p * (p / q).log()).sum(1)

    expected = torch.autograd.grad(by_hand(reference, logits).sum(), (reference, logits))
    found = torch.autograd.grad(diverge(reference, logits).sum(), (reference, logits))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)
        assert one.abs().max() > 1e-3


def test_boosted_cross_entropy_adds_the_largest_other_class() -> None:
    logits = torch.tensor([[0.5, 0.3, 0.2]], dtype=torch.float64).log()
    assert boost(logits, torch.tensor([0])).item() == pytest.approx(-math.log(0.5) - math.log(0.7))
    assert boost(logits, torch.tensor([2])).item() == pytest.approx(-math.log(0.2) - math.log(0.5))


def test_boosted_cross_entropy_of_a_sure_error_is_finite() -> None:
    logits = torch.tensor([[200.0, 0.0]], requires_grad=True)
    boost(logits, torch.tensor([1])).sum().backward()
    assert logits.grad is not None and bool(torch.isfinite(logits.grad).all())


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (AdversarialLoss(), -math.log(0.2)),
        (TradesLoss(6.0), -math.log(0.75) + 6.0 * DIVERGENCE),
        (MartLoss(5.0), -math.log(0.2) - math.log(0.2) + 5.0 * DIVERGENCE * 0.25),
    ],
    ids=["PGD-AT", "TRADES", "MART"],
)
def test_loss_of_one_sample_equals_the_papers_formula(loss: AdversarialLoss, expected: float) -> None:
    assert loss.measure_samples(Answers(), BATCH, ADVERSARIALS).tolist() == pytest.approx([expected])
    assert loss.measure(Answers(), BATCH, ADVERSARIALS).item() == pytest.approx(expected)


@pytest.mark.parametrize("loss", [AdversarialLoss(), TradesLoss(), MartLoss()], ids=["PGD-AT", "TRADES", "MART"])
def test_attack_of_a_loss_ends_at_an_edge_of_the_ball_and_leaves_the_network_alone(loss: AdversarialLoss) -> None:
    images = 0.5 + 0.1 * torch.rand(8, 1, 1, 2, generator=torch.Generator().manual_seed(0))
    network = nn.Sequential(nn.Flatten(), build_single_layer([[3.0, -2.0], [-1.0, 4.0]])).train()
    batch = Batch(images, torch.arange(8) % 2, torch.arange(8))
    moved = loss.find_adversarials(network, batch, TrainingAttack(0.1, 0.05, 10), torch.Generator().manual_seed(1))
    # A linear network's loss and divergence are largest in a corner; the divergence in either of two.
    torch.testing.assert_close((moved - images).abs(), torch.full_like(images, 0.1))
    if not isinstance(loss, TradesLoss):
        direction = torch.tensor([[-1.0, 1.0], [1.0, -1.0]])[batch.labels].reshape(images.shape)
        torch.testing.assert_close(moved, images + 0.1 * direction)
    assert network.training and all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize("name", ["PGD-AT", "TRADES", "MART"])
def test_passes_that_a_loss_counts_are_those_it_takes(name: str) -> None:
    loss = build_loss(Recipe(epochs=1, learning_rate=0.1, loss=name))
    images, labels = draw_stripes(4)
    network = build_stripe_network()
    forward, backward = 0, 0

    def count_forward(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal forward
        forward += len(output)
        if output.requires_grad:
            output.register_hook(count_backward)

    def count_backward(gradient: Tensor) -> None:
        nonlocal backward
        backward += len(gradient)

    network.register_forward_hook(count_forward)
    batch = Batch(images, labels, torch.arange(4))
    moved = loss.find_adversarials(network, batch, TrainingAttack(0.1, 0.05, 3), torch.Generator().manual_seed(1))
    loss.measure(network, batch, moved).backward()
    assert (loss.count_passes(3) * 4).to_record() == {
        "forward": forward,
        "backward": backward,
        "total": forward + backward,
    }


@pytest.mark.parametrize(("name", "kind"), [("PGD-AT", AdversarialLoss), ("TRADES", TradesLoss), ("MART", MartLoss)])
def test_loss_is_built_from_the_recipe_with_its_weight(name: str, kind: Callable[..., AdversarialLoss]) -> None:
    loss = build_loss(Recipe(epochs=1, learning_rate=0.1, loss=name, loss_weight=2.5))
    assert type(loss) is kind
    assert getattr(loss, "beta", getattr(loss, "weight", 2.5)) == 2.5


def test_loss_of_an_unknown_name_lists_what_exists() -> None:
    with pytest.raises(ValueError, match=r"'CE'.*PGD-AT, TRADES, MART"):
        build_loss(Recipe(epochs=1, learning_rate=0.1, loss="CE"))
