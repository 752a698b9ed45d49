"""Patterns, squares and the random search: where they may stand, and that they find without a gradient."""

from collections.abc import Generator
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from backend import attacks
from backend.attacks.catalogue import get_preset
from backend.attacks.catalogue.attacks import ATTACKS
from backend.attacks.flags import tells_masking_of_margins
from backend.attacks.inputs import Request, check_request
from backend.attacks.network.batches import Batches
from backend.attacks.network.classifier import Classifier, prepare
from backend.attacks.norms import NORMS
from backend.attacks.presets.fallbacks import seek_hidden
from backend.attacks.search import gradient_free_steps
from backend.attacks.search.gradient_free_steps import Choose, Squares, place_squares
from backend.attacks.search.phases import Walker
from backend.attacks.search.plan import gather_samples
from backend.attacks.search.scheduler import Script, run_scripts
from backend.attacks.search.sequences import AttackedSample, draw_patterns, search
from backend.datasets.make_slice import SLICE
from backend.datasets.readers import read_npz
from tests.attacks.masked_networks import load_zoo


def run_on(network: nn.Module, images: Tensor, script: Any) -> tuple[list[AttackedSample], Classifier]:
    """Follow `script(sample)` for every image with the network's own predictions as labels."""
    classifier = Classifier(network, None, Batches(len(images)))
    with prepare(network):
        labels = classifier.classify(images).argmax(1)
        task = check_request(Request(get_preset("margin"), network, images, labels, batch_size=len(images)))
        samples = list(gather_samples(classifier, task, images, labels, 10))
        run_scripts(classifier, NORMS["Linf"], (script(sample) for sample in samples))
    return samples, classifier


def test_draw_patterns_are_signs_alike_along_their_axes(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor]
) -> None:
    task = check_request(
        Request(get_preset("margin"), zoo_network, slice_images[0][:2], slice_images[1][:2], batch_size=2)
    )
    first, second = gather_samples(Classifier(zoo_network), task, task.images, task.labels, 10)
    signs = draw_patterns(first, "x", 8)
    assert set(signs.unique().tolist()) == {-1.0, 1.0}
    for number, axis in enumerate((None, 1, 2, 1) * 2):
        assert all((signs[number] == signs[number].narrow(a, 0, 1)).all() == (a == axis) for a in (1, 2))
    assert torch.equal(signs, draw_patterns(first, "x", 8))
    assert not torch.equal(signs, draw_patterns(second, "x", 8))
    assert not torch.equal(signs, draw_patterns(first, "y", 8))


def test_choose_stays_in_its_radius_and_ends_on_a_low_gap(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor]
) -> None:
    walkers: list[Walker] = []

    def script(sample: AttackedSample) -> Script:
        walkers.append((yield sample.send(Choose(draw_patterns(sample, "x", 8), 1.0, 0.7))))

    _, classifier = run_on(zoo_network, slice_images[0][:8], script)
    assert classifier.forwards == 8 + 64
    broken = [walker for walker in walkers if walker.distance < torch.inf]
    assert broken
    with torch.no_grad():
        predicted = zoo_network(torch.stack([walker.best for walker in broken])).argmax(1)
    assert predicted.tolist() != [walker.label for walker in broken]
    for walker in walkers:
        assert float((walker.best - walker.image).abs().max()) <= 0.7 + 1e-6
        assert 0.0 <= float(walker.point.min()) <= float(walker.point.max()) <= 1.0
        bound = min(0.7, walker.distance * 0.7)
        torch.testing.assert_close(float(walker.notes["radius"]), bound, rtol=1e-5, atol=0)


def test_place_squares_covers_its_share_inside_the_image() -> None:
    images = torch.zeros(3, 2, 10, 20)
    squares = place_squares(torch.tensor([[0.0, 0.0], [0.5, 0.5], [0.999, 0.999]]), images, torch.full((3,), 0.08))
    assert squares.shape == (3, 1, 10, 20)
    assert squares.flatten(1).sum(1).tolist() == [16, 16, 16]
    assert squares[0, 0, :4, :4].all()
    assert squares[2, 0, -4:, -4:].all()
    uneven = place_squares(torch.zeros(2, 2), images[:2], torch.tensor([0.9, 0.0]))
    assert uneven.flatten(1).sum(1).tolist() == [100, 1]


def test_search_finds_and_shrinks_without_gradients(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor]
) -> None:
    reached: list[tuple[float, float]] = []

    def script(sample: AttackedSample) -> Generator[Any, Any, None]:
        yield from search(sample, "search")
        first = sample.nearest[1]
        sample.results = {"elsewhere": sample.nearest}
        yield from search(sample, "search")
        reached.append((first, sample.nearest[1]))

    samples, classifier = run_on(zoo_network, slice_images[0][:8], script)
    assert classifier.backwards == 0
    assert sum(first < torch.inf for first, _ in reached) > 4
    assert all(second <= first for first, second in reached)
    assert any(second < first for first, second in reached)
    found = [sample for sample in samples if sample.nearest[1] < torch.inf]
    with torch.no_grad():
        predicted = zoo_network(torch.stack([sample.nearest[0] for sample in found])).argmax(1).tolist()
    assert all(one != sample.label for one, sample in zip(predicted, found, strict=True))


def test_run_on_the_network_pruned_to_one_percent_says_that_gradients_do_not_lead(
    slice_images: tuple[Tensor, Tensor],
) -> None:
    images, labels = (column[:32] for column in slice_images)
    result = attacks.run("margin", load_zoo("cnn-lwm-99"), images, labels)
    assert result.flags == ("partial-gradients", "masking")
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


MISSED = [536, 120, 1981, 162, 522, 978, 336, 1715, 1176, 703, 1987, 1951, 539, 727]


class Areas(nn.Module):
    """A logit gap of 1 that falls to another after a hundred passes; notes how many pixels stand out of each image."""

    def __init__(self, later: float, breaks_after: float = float("inf")) -> None:
        super().__init__()
        self.later, self.seen, self.breaks_after = nn.Parameter(torch.tensor(later)), [0.0], breaks_after

    def forward(self, images: Tensor) -> Tensor:
        self.seen.append(float((images[0] != 0.5).sum()))
        gap = 1.0 if len(self.seen) < 100 else self.later
        return torch.eye(10)[:1].expand(len(images), 10) * (gap if len(self.seen) <= self.breaks_after + 2 else -gap)


def look_for(sample: AttackedSample, queries: int, gives_up: bool = True) -> Script:
    """Squares of eight tenths and less, from the clean image."""
    draws = (sample.draw("squares", torch.Size([queries, 3])) + 1.0).clamp_max(1.9) / 2
    walker = yield sample.send(Squares(draws, 0.25, 0.8, gives_up), sample.image)
    sample.note("squares", walker)


def test_squares_cover_half_as_much_after_the_shares_of_the_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradient_free_steps, "GIVE_UP", ())
    network = Areas(later=1.0)  # no square is kept, so that each is seen on the clean image
    images = torch.full((1, 1, 100, 100), 0.5)
    run_on(network, images, lambda sample: look_for(sample, 1000))
    squares = network.seen[-1000:]
    sides = [round((8000 * 0.5**halvings) ** 0.5) for halvings in range(10)]
    for halvings, (after, until) in enumerate(pairwise((0.0, *gradient_free_steps.HALVINGS, 1.0))):
        query = round((after + until) / 2 * 1000)
        assert squares[query] == pytest.approx(sides[halvings] ** 2, abs=1), halvings


@pytest.mark.parametrize(
    ("later", "queries"),
    [(0.71, 200), (0.69, 500), (0.41, 500), (0.39, 1000), (0.29, 1500), (0.19, 2000), (0.09, 3000)],
)
def test_squares_give_up_where_the_gap_does_not_fall(later: float, queries: int) -> None:
    network = Areas(later)
    samples, classifier = run_on(network, torch.full((1, 1, 20, 20), 0.5), lambda sample: look_for(sample, 3000))
    assert samples[0].nearest[1] == torch.inf
    assert classifier.forwards == queries + 2  # one for the label, one to begin


@pytest.mark.parametrize(
    ("later", "gives_up", "passes"),
    [(0.09, True, 8 + 3001 + 8 + 201), (0.11, True, 8 + 2001), (0.09, False, 8 + 3001)],
    ids=["close", "behind", "squeezed"],
)
def test_hidden_draws_again_for_who_came_close(later: float, gives_up: bool, passes: int) -> None:
    """The second draws begin at the gap that the first ones reached, which falls no more."""
    image = torch.full((1, 1, 20, 20), 0.5)
    samples, classifier = run_on(Areas(later), image, lambda sample: seek_hidden(sample, 0.25, gives_up))
    assert samples[0].results["hidden"][1] == torch.inf
    assert classifier.forwards == 1 + passes


def test_hidden_is_credited_with_what_its_second_draws_break() -> None:
    network = Areas(0.09, breaks_after=8 + 3001 + 8 + 100)
    image = torch.full((1, 1, 20, 20), 0.5)
    samples, classifier = run_on(network, image, lambda sample: seek_hidden(sample, 0.25, True))
    assert 0.0 < samples[0].results["hidden"][1] <= 0.25
    assert classifier.forwards == 1 + 8 + 3001 + 8 + 101


def test_squares_of_squeezed_scores_go_on_to_the_last_query() -> None:
    _, classifier = run_on(Areas(0.9), torch.full((1, 1, 20, 20), 0.5), lambda sample: look_for(sample, 300, False))
    assert classifier.forwards == 302


def test_squares_end_at_the_first_success_inside_the_radius(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor]
) -> None:
    samples, classifier = run_on(zoo_network, slice_images[0][:16], lambda sample: look_for(sample, 300, False))
    assert classifier.forwards < 16 * 151  # far fewer than all queries
    for sample in samples:
        assert 0.0 < float((sample.nearest[0] - sample.image).abs().max()) <= 0.25 + 1e-7
        with torch.no_grad():
            assert int(zoo_network(sample.nearest[0][None]).argmax()) != sample.label


def test_fast_breaks_what_only_the_official_square_attack_had_broken() -> None:
    """Rows that AutoAttack's Square broke while squares of another schedule, a thousand of them, had broken none."""
    pixels, targets = read_npz(SLICE.path)
    images, labels = torch.from_numpy(pixels[MISSED, None, ..., 0]).float() / 255, torch.from_numpy(targets[MISSED])
    network = load_zoo("cnn-hydra-99")
    result = attacks.run("fast", network, images, labels, eps=25.5 / 255, early_flags=("partial-gradients",))
    assert int((result.distance <= 25.5 / 255).sum()) >= len(MISSED) - 2


def test_search_costs_what_the_catalogue_says() -> None:
    assert ATTACKS["search"].forwards == ATTACKS["search"].parameters["queries"] + 2
