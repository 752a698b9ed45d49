"""Thin-ice-aware losses by hand: weights by dense margin, the hinge on gaps, distillation from the dense network."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.pruning.plans import Care
from models.pruning.thin_ice import ThinIceLoss, weigh_samples
from models.training.losses import Batch
from models.training.passes import Passes
from tests.models.small_networks import build_stripe_network, draw_stripes

LABELS = torch.tensor([0, 0, 1])
ADVERSARIALS = torch.zeros(3, 1, 1, 1)


class Fixed(nn.Module):
    """A network with the same logits for any image."""

    def __init__(self, logits: list[list[float]]) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(logits))

    def forward(self, images: Tensor) -> Tensor:
        return self.logits + 0.0 * images.sum()


def measure(
    care: Care, dense: list[list[float]], pruned: list[list[float]], margins: Tensor | None = None
) -> list[float]:
    """Give the loss of the three samples."""
    loss = ThinIceLoss(Fixed(dense), torch.ones(3) if margins is None else margins, 0.1, care)
    losses: list[float] = loss.measure_samples(
        Fixed(pruned), Batch(ADVERSARIALS, LABELS, torch.arange(3)), ADVERSARIALS
    ).tolist()
    return losses


def test_weights_rise_towards_both_edges_and_have_mean_one() -> None:
    margins = torch.tensor([0.0, 0.001, 0.05, 0.101, 0.5, torch.inf])
    weights = weigh_samples(margins, 0.1, Care(clean_weight=2.0, robust_weight=1.0, width=0.01))
    raw = [1.0, 1 + 2 * math.exp(-0.1), 1 + 2 * math.exp(-5) + math.exp(-5), 1 + math.exp(-0.1), 1.0, 1.0]
    raw[1] += math.exp(-9.9)
    raw[3] += 2 * math.exp(-10.1)
    mean = sum(raw) / 6
    assert weights.tolist() == pytest.approx([value / mean for value in raw], rel=1e-5)
    assert float(weights.mean()) == pytest.approx(1.0)


def test_loss_without_care_is_pgd_at() -> None:
    pruned = [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
    right, wrong = math.log(1 + math.exp(-1)), math.log(1 + math.exp(1))
    assert measure(Care(), pruned, pruned) == pytest.approx([right, wrong, right])


def test_loss_counts_samples_by_the_weight_of_their_row() -> None:
    care = Care(clean_weight=3.0, width=0.01)
    loss = ThinIceLoss(Fixed([[0.0, 0.0]] * 3), torch.tensor([9.0, 9.0, 1e-9, 9.0]), 0.1, care)
    rows = torch.tensor([2, 0, 3])
    losses = loss.measure_samples(Fixed([[0.0, 0.0]] * 3), Batch(ADVERSARIALS, LABELS, rows), ADVERSARIALS)
    assert losses.tolist() == pytest.approx([4 * math.log(2) / 1.75, math.log(2) / 1.75, math.log(2) / 1.75])


def test_keeping_charges_the_lost_gap_where_the_dense_network_is_right() -> None:
    dense = [[3.0, 0.0], [3.0, 0.0], [2.0, 0.0]]
    pruned = [[1.0, 0.0], [5.0, 0.0], [9.0, 0.0]]
    plain, kept = measure(Care(), dense, pruned), measure(Care(keeping=0.5), dense, pruned)
    # Gaps: 3 -> 1 loses 2; 3 -> 5 gains; the third is wrong in the dense network and owes nothing.
    assert [after - before for before, after in zip(plain, kept, strict=True)] == pytest.approx([1.0, 0.0, 0.0])


def test_distillation_replaces_its_share_and_spares_samples_that_the_dense_network_gets_wrong() -> None:
    dense = [[math.log(3.0), 0.0]] * 3
    pruned = [[0.0, math.log(4.0)]] * 3
    divergence = 0.75 * math.log(0.75 / 0.2) + 0.25 * math.log(0.25 / 0.8)
    found = measure(Care(distillation=0.4, wrong_share=0.5), dense, pruned)
    expected = [-0.6 * math.log(0.2) + 0.4 * divergence] * 2 + [-0.6 * math.log(0.8) + 0.2 * divergence]
    assert found == pytest.approx(expected, rel=1e-5)


def test_clean_distillation_charges_the_divergence_on_the_clean_image_and_not_on_the_adversarial() -> None:
    dense, pruned, (images, labels) = build_stripe_network().eval(), build_stripe_network().eval(), draw_stripes(6)
    with torch.no_grad():
        dense[-1].weight.mul_(30.0)
    adversarials = 1.0 - images
    batch = Batch(images, labels, torch.arange(6))
    plain, cared = (
        ThinIceLoss(dense, torch.ones(6), 0.1, care).measure_samples(pruned, batch, adversarials)
        for care in (Care(), Care(clean_distillation=0.5))
    )
    chances = functional.softmax(dense(images), dim=1)
    divergences = (chances * (chances.log() - functional.log_softmax(pruned(images), dim=1))).sum(1)
    assert (cared - plain).tolist() == pytest.approx((0.5 * divergences).tolist(), abs=1e-6)
    assert float(divergences.detach().max()) > 1e-3


def test_loss_moves_the_pruned_network_and_never_the_dense_one() -> None:
    dense, pruned = build_stripe_network(), build_stripe_network()
    before = {key: value.clone() for key, value in dense.state_dict().items()}
    images, labels = draw_stripes(8)
    loss = ThinIceLoss(dense, torch.ones(8), 0.1, Care(distillation=0.5, keeping=1.0))
    loss.measure(pruned, Batch(images, labels, torch.arange(8)), images).backward()
    assert all(parameter.grad is not None for parameter in pruned.parameters())
    assert all(parameter.grad is None for parameter in dense.parameters())
    assert all(torch.equal(value, before[key]) for key, value in dense.state_dict().items())


@pytest.mark.parametrize(
    ("care", "passes"),
    [
        (Care(clean_weight=1.0), Passes(6, 6)),
        (Care(keeping=1.0), Passes(7, 6)),
        (Care(distillation=0.1), Passes(7, 6)),
        (Care(clean_distillation=1.0), Passes(8, 7)),
        (Care(distillation=0.1, clean_distillation=1.0), Passes(9, 7)),
    ],
    ids=["weights", "keeping", "distillation", "clean", "both"],
)
def test_passes_count_the_dense_network_where_it_is_asked(care: Care, passes: Passes) -> None:
    assert ThinIceLoss(Fixed([[0.0]]), torch.ones(1), 0.1, care).count_passes(5) == passes


@pytest.mark.parametrize("value", [-0.1, float("nan")])
def test_loss_with_impossible_margins_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="NaN or negative"):
        ThinIceLoss(Fixed([[0.0]]), torch.tensor([0.1, value]), 0.1, Care())


@pytest.mark.parametrize("wrong", [{"keeping": -1.0}, {"distillation": 1.5}, {"width": 0.0}], ids=str)
def test_care_that_makes_no_loss_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="factors must be at least 0"):
        Care(**wrong)
