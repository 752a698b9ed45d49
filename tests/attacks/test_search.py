"""Patterns and the random search: inside the best radius, and what tells a network that hides its gradients."""

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from backend import attacks
from backend.attacks.classifier import Classifier, prepare
from backend.attacks.flags import tells_masking_of_margins
from backend.attacks.losses import predict
from backend.attacks.minimum_norm import start_best
from backend.attacks.norms import NORMS
from backend.attacks.restarts import choose_pattern, draw_pattern
from backend.attacks.search import place_squares, search
from models.architectures import find_architecture
from tests.attacks.conftest import REPOSITORY


def test_draw_pattern_gives_signs_alike_along_its_axis(slice_images: tuple[Tensor, Tensor]) -> None:
    images = slice_images[0][:4]
    for number, axis in ((0, None), (1, 2), (2, 3), (3, 2)):
        signs = draw_pattern(images, 0, "x", number)
        assert set(signs.unique().tolist()) == {-1.0, 1.0}
        assert all((signs == signs.narrow(a, 0, 1)).all() == (a == axis) for a in (2, 3))
        assert torch.equal(signs.flip(0), draw_pattern(images.flip(0), 0, "x", number))


def test_choose_pattern_stays_in_its_radius_and_takes_a_low_gap(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor]
) -> None:
    images = slice_images[0][:8]
    classifier = Classifier(zoo_network)
    with prepare(zoo_network):
        labels = predict(classifier.classify(images))
        spent = classifier.forwards
        points, radius, best = choose_pattern(
            classifier, images, labels, start_best(images), name="x", seed=0, count=8, share=0.7
        )
        assert classifier.forwards - spent == 64
        broken = predict(classifier.classify(best.images)) != labels
    assert torch.equal(broken, best.distance.isfinite())
    assert broken.any()
    assert (NORMS["Linf"].distance(images, best.images)[broken] <= 0.7 + 1e-6).all()
    torch.testing.assert_close(radius, best.distance.clamp_max(1.0) * 0.7)
    assert 0.0 <= float(points.min()) <= float(points.max()) <= 1.0


def test_place_squares_covers_its_share_inside_the_image() -> None:
    images = torch.zeros(3, 2, 10, 20)
    squares = place_squares(torch.tensor([[0.0, 0.0], [0.5, 0.5], [0.999, 0.999]]), images, 0.08)
    assert squares.shape == (3, 1, 10, 20)
    assert squares.flatten(1).sum(1).tolist() == [16, 16, 16]
    assert squares[0, 0, :4, :4].all()
    assert squares[2, 0, -4:, -4:].all()
    assert place_squares(torch.zeros(1, 2), images, 0.9).sum() == 100


def test_search_without_a_start_finds_and_shrinks_without_gradients(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor]
) -> None:
    images = slice_images[0][:8]
    classifier = Classifier(zoo_network)
    with prepare(zoo_network):
        labels = predict(classifier.classify(images))
        given = {"name": "search", "seed": 0, "first_share": 0.1}
        short, long = (
            search(classifier, NORMS["Linf"], images, labels, start_best(images), queries=queries, **given)
            for queries in (20, 120)
        )
        assert classifier.backwards == 0
        found = long.distance.isfinite()
        assert found.float().mean() > 0.5
        assert (predict(classifier.classify(long.images[found])) != labels[found]).all()
        again = search(classifier, NORMS["Linf"], images, labels, long, queries=40, **given)
    assert long.distance.clamp_max(1.0).mean() < short.distance.clamp_max(1.0).mean()
    better = again.distance.isfinite()
    assert (again.distance[better] < long.distance[better]).all()


def test_run_flags_the_network_pruned_to_one_percent_where_the_search_beats_gradients(
    slice_images: tuple[Tensor, Tensor],
) -> None:
    network = find_architecture("small-cnn").build(10, 1)
    network.load_state_dict(load_file(REPOSITORY / "models/zoo/cnn-lwm-99.safetensors"))
    images, labels = (column[:32] for column in slice_images)
    result = attacks.run("margin", network.eval(), images, labels)
    assert result.flags == ("masking",)
    right = result.distance > 0
    first = torch.stack([a.distance for a in result.attempts if a.attack.startswith(("fmn-u", "fmn-t"))]).amin(0)
    assert float((result.distance / first)[right].median()) < 0.7


def test_tells_masking_of_margins_needs_many_far_nearer() -> None:
    followed = torch.ones(100)
    searched = torch.full((100,), torch.inf)
    searched[:60] = 0.96
    assert not tells_masking_of_margins(searched, followed)
    searched[:12] = 0.9
    assert not tells_masking_of_margins(searched, followed)
    searched[:25] = 0.9
    assert tells_masking_of_margins(searched, followed)
    assert not tells_masking_of_margins(searched[:0], followed[:0])
