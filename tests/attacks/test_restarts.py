"""Diversified restarts: in their ball, by their own draws, and worth what they cost."""

import pytest
import torch
from torch import Tensor, nn

from backend import attacks
from backend.attacks.classifier import Classifier, prepare
from backend.attacks.norms import NORMS, expand
from backend.attacks.restarts import diversify
from backend.attacks.starts import draw_noise, draw_uniform


@pytest.mark.parametrize("name", ["Linf", "L2"])
def test_diversify_stays_in_ball_and_box_and_lowers_the_gap(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor], name: str
) -> None:
    norm, images = NORMS[name], slice_images[0][:8]
    classifier = Classifier(zoo_network)
    radius = torch.linspace(0.02, 0.3, 8) * {"Linf": 1.0, "L2": 8.0}[name]
    noise = draw_noise(images, 0, "noise")
    with prepare(zoo_network):
        clean = classifier.classify(images)
        labels = clean.argmax(1)
        spent = classifier.backwards
        points = diversify(
            classifier,
            norm,
            images,
            labels,
            radius=radius,
            noise=noise / expand(norm.measure(noise), noise),
            weights=draw_uniform(images, 0, "weights", torch.Size([10])),
            diverse_steps=3,
            ascent_steps=7,
        )
        walked = classifier.classify(points)
    assert classifier.backwards - spent == 80
    assert 0.0 <= float(points.min()) <= float(points.max()) <= 1.0
    assert (norm.distance(images, points) <= radius * (1 + 1e-5)).all()
    rows = torch.arange(8)
    before, after = clean.softmax(1)[rows, labels], walked.softmax(1)[rows, labels]
    assert (after < before).all()


def test_draw_uniform_depends_on_seed_purpose_and_image_alone(slice_images: tuple[Tensor, Tensor]) -> None:
    images = slice_images[0][:4]
    drawn = draw_uniform(images, 3, "weights", torch.Size([10]))
    assert torch.equal(drawn.flip(0), draw_uniform(images.flip(0), 3, "weights", torch.Size([10])))
    assert torch.equal(drawn[1:2], draw_uniform(images[1:2], 3, "weights", torch.Size([10])))
    for other in (draw_uniform(images, 4, "weights", torch.Size([10])), draw_uniform(images, 3, "x", torch.Size([10]))):
        assert not torch.isclose(drawn, other).any(1).all()
    assert -1.0 <= float(drawn.min()) < float(drawn.max()) <= 1.0
    assert len({tuple(row) for row in drawn.tolist()}) == 4


def test_restarts_lower_many_margins_of_the_shipped_network(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor]
) -> None:
    images, labels = (column[:32] for column in slice_images)
    result = attacks.run("margin", zoo_network, images, labels)
    right = result.distance > 0
    distances = {attempt.attack: attempt.distance[right] for attempt in result.attempts}
    without = torch.stack(
        [
            distance
            for name, distance in distances.items()
            if not name.startswith(("fmn-pattern", "fmn-restart", "search"))
        ]
    ).amin(0)
    gained = without / result.distance[right]
    assert (gained >= 1.0).all()
    assert float((gained > 1.005).float().mean()) > 0.3
    assert float(gained.mean()) > 1.02


def test_restarts_leave_l2_to_the_segment(zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor]) -> None:
    images, labels = (column[:6] for column in slice_images)
    attempts = {a.attack: a for a in attacks.run("margin", zoo_network, images, labels, norm="L2").attempts}
    assert attempts["segment"].tried.all()
    for name in ("fmn-pattern-1", "fmn-pattern-2", "fmn-restart-1", "search"):
        assert not attempts[name].tried.any()
        assert not attempts[name].found.any()
