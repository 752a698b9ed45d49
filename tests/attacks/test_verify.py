"""What an attack proposes counts only after the network itself agrees, in the box and in the ball."""

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from backend.attacks.network.batches import Batches
from backend.attacks.network.classifier import Classifier
from backend.attacks.norms import NORMS, get_norm
from backend.attacks.verify import Candidate, Verified, return_to_ball, verify
from tests.attacks.foreign_networks import WidthNoise


class Brightness(nn.Module):
    """Class 0 where the four pixels sum to more than 2, class 1 elsewhere."""

    def forward(self, images: Tensor) -> Tensor:
        total = images.flatten(1).sum(1)
        return torch.stack([total - 2.0, torch.zeros_like(total)], 1)


IMAGES = torch.full((4, 1, 2, 2), 0.75)
LABELS = torch.zeros(4, dtype=torch.int64)


def propose(points: Tensor, proposed: list[bool] | None = None) -> Candidate:
    flags = torch.tensor(proposed or [True] * len(points))
    return Candidate("test", "minimum", points, flags, torch.ones(len(points), dtype=torch.bool))


def verify_here(
    points: Tensor, norm: str = "Linf", eps: float | None = None, proposed: list[bool] | None = None
) -> Verified:
    return verify(Classifier(Brightness()), get_norm(norm), IMAGES, LABELS, propose(points, proposed), Batches(3), eps)


def test_verify_measures_distances_anew() -> None:
    points = torch.stack([torch.full((1, 2, 2), value) for value in (0.25, 0.4, 0.0, 0.45)])
    outcome = verify_here(points)
    assert outcome.found.all()
    torch.testing.assert_close(outcome.distance, torch.tensor([0.5, 0.35, 0.75, 0.3]))
    torch.testing.assert_close(verify_here(points, "L2").distance, torch.tensor([1.0, 0.7, 1.5, 0.6]))
    assert outcome.prediction.tolist() == [1, 1, 1, 1]
    assert torch.equal(outcome.images, points)


def test_verify_refuses_what_is_not_misclassified() -> None:
    points = torch.stack([torch.full((1, 2, 2), value) for value in (0.25, 0.6, 0.75, 1.0)])
    outcome = verify_here(points)
    assert outcome.found.tolist() == [True, False, False, False]
    assert outcome.distance[1:].tolist() == [torch.inf] * 3
    assert torch.equal(outcome.images[1:], IMAGES[1:])
    assert outcome.prediction.tolist() == [1, 0, 0, 0]


def test_verify_pushes_a_near_miss_of_a_margin_over_the_boundary_and_nothing_else() -> None:
    points = torch.stack([torch.full((1, 2, 2), value) for value in (0.500001, 0.50001, 0.5001, 0.5)])
    outcome = verify_here(points)
    assert outcome.found.tolist() == [True, True, False, True]
    assert (outcome.distance[outcome.found] <= 0.25 * (1 + 1e-4)).all()
    assert not verify_here(points, eps=0.25).found.any()
    randomised = verify(
        Classifier(Brightness()),
        get_norm("Linf"),
        IMAGES,
        LABELS,
        propose(points),
        Batches(3),
        None,
        is_randomised=True,
    )
    assert not randomised.found.any()


def test_verify_ignores_what_is_not_proposed_and_spends_nothing_on_it() -> None:
    classifier = Classifier(Brightness())
    points = torch.zeros_like(IMAGES)
    candidate = propose(points, [False, True, False, False])
    outcome = verify(classifier, get_norm("Linf"), IMAGES, LABELS, candidate, Batches(3), None)
    assert outcome.found.tolist() == [False, True, False, False]
    assert classifier.forwards == 1


@pytest.mark.parametrize("norm", NORMS)
def test_verify_counts_an_example_outside_the_ball_only_if_it_holds_inside(norm: str) -> None:
    eps = {"Linf": 0.26, "L2": 0.52, "L1": 1.04}[norm]
    points = torch.zeros_like(IMAGES)
    outcome = verify_here(points, norm, eps)
    assert outcome.found.all()
    assert (outcome.distance.double() <= eps).all()
    assert (outcome.distance > 0.999 * eps).all()
    too_small = eps * 0.24 / 0.26
    outcome = verify_here(points, norm, too_small)
    assert not outcome.found.any()
    assert outcome.distance.isinf().all()


def test_verify_counts_an_example_outside_the_box_only_if_it_holds_inside() -> None:
    points = IMAGES.clone()
    points[:, 0, 0, 0] = -3.0
    points[2:, 0, 0, 1] = -3.0
    outcome = verify_here(points)
    assert outcome.found.tolist() == [False, False, True, True]
    assert outcome.distance[2:].tolist() == [0.75, 0.75]
    assert float(outcome.images.min()) == 0.0


def test_verify_refuses_pixels_and_logits_that_are_not_numbers() -> None:
    class NanBelow(Brightness):
        def forward(self, images: Tensor) -> Tensor:
            return torch.where(images.flatten(1).amin(1, keepdim=True) < 0.1, torch.nan, super().forward(images))

    points = torch.full_like(IMAGES, 0.25)
    points[0, 0, 0, 0] = torch.nan
    points[1] = 0.0
    outcome = verify(Classifier(NanBelow()), get_norm("Linf"), IMAGES, LABELS, propose(points), Batches(4), None)
    assert outcome.found.tolist() == [False, False, True, True]
    assert outcome.images.isfinite().all()


def test_verify_does_not_take_the_clean_image_for_an_example_when_the_width_flips_it() -> None:
    network = WidthNoise(Brightness())
    images = torch.full((3, 1, 2, 2), 0.5)
    classifier = Classifier(network)
    assert classifier.classify(images[:2]).argmax(1).tolist() == [0, 0]
    assert classifier.classify(images).argmax(1).tolist() == [1, 1, 1]
    points = images.clone()
    points[2] = 0.4
    arguments = classifier, get_norm("Linf"), images, LABELS[:3], propose(points), Batches(3), None
    assert verify(*arguments).found.tolist() == [False, False, True]
    assert verify(*arguments, is_randomised=True).distance[:2].tolist() == [0.0, 0.0]


@settings(deadline=None, max_examples=150)
@given(
    name=st.sampled_from(sorted(NORMS)),
    seed=st.integers(0, 2**32 - 1),
    eps=st.sampled_from([1 / 255, 4 / 255, 8 / 255, 16 / 255, 0.1, 0.3, 0.001, 0.5, 128 / 255]),
    scale=st.sampled_from([1e-3, 0.1, 1.0, 10.0]),
    side=st.sampled_from([1, 5, 28]),
)
@example(name="L1", seed=178407, eps=0.5, scale=1e-3, side=28)
def test_return_to_ball_is_in_box_and_ball_without_tolerance(
    name: str, seed: int, eps: float, scale: float, side: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand((4, 3, side, side), generator=generator)
    points = images + scale * torch.randn(images.shape, generator=generator)
    returned = return_to_ball(NORMS[name], images, points, eps)
    assert 0.0 <= float(returned.min()) <= float(returned.max()) <= 1.0
    distance = NORMS[name].distance(images, returned)
    assert (distance.double() <= eps).all()
    inside = NORMS[name].distance(images, points.clamp(0, 1)).double() <= eps
    assert torch.equal(returned[inside], points.clamp(0, 1)[inside])
    if name == "Linf":
        assert ((points.clamp(0, 1) - returned).abs().amax((1, 2, 3))[~inside] > 0).all()
        nearest = torch.minimum(torch.maximum(points, images - eps), images + eps).clamp(0, 1)
        torch.testing.assert_close(returned, nearest, rtol=0, atol=1e-5)
