"""The queue: a sample's bits do not depend on the pass it shares, and every script gets its own results."""

from collections.abc import Generator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from backend import attacks
from backend.attacks.catalogue import get_preset
from backend.attacks.inputs import Request, check_request
from backend.attacks.network.batches import Batches
from backend.attacks.network.classifier import Classifier, prepare
from backend.attacks.norms import NORMS
from backend.attacks.search.gradient_free_steps import Bisect
from backend.attacks.search.gradient_steps import Minimise
from backend.attacks.search.plan import gather_samples
from backend.attacks.search.scheduler import run_scripts
from backend.attacks.search.sequences import AttackedSample

COUNT = 16
SHIPPED_EPS = 0.1


def pick(columns: tuple[Tensor, Tensor], rows: Tensor | slice) -> tuple[Tensor, Tensor]:
    return columns[0][rows], columns[1][rows]


@pytest.mark.parametrize(
    ("preset", "norm", "width"),
    [("margin", "Linf", 8), ("fast", "Linf", 8), ("fast", "L2", 8), ("fast", "Linf", 16)],
)
def test_run_at_one_width_gives_the_same_bits_in_any_order_and_company(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor], preset: str, norm: str, width: int
) -> None:
    """Also what a kill and a resume need: the parts of an evaluation give the rows of the whole."""
    given: dict[str, Any] = {"norm": norm, "eps": {"Linf": SHIPPED_EPS, "L2": 1.0}[norm], "batch_size": width}
    given["pool_images"] = slice_images[0][COUNT : 2 * COUNT]
    columns = pick(slice_images, slice(0, COUNT))
    seen: set[int] = set()
    hook = zoo_network.register_forward_pre_hook(lambda _, inputs: seen.add(len(inputs[0])))
    whole = attacks.run(preset, zoo_network, *columns, **given)
    hook.remove()
    assert seen == set(whole.settings["widths"])
    assert (12 in seen) == (width == 16), "three quarters of a width too narrow for that are not tried"
    order = torch.randperm(COUNT, generator=torch.Generator().manual_seed(1))
    shuffled = attacks.run(preset, zoo_network, *pick(columns, order), **given)
    part = attacks.run(preset, zoo_network, *pick(columns, slice(5, 12)), **given)
    for name in ("adversarial", "distance", "margin_pred", "logit_gap", "adversarial_prediction"):
        assert torch.equal(getattr(shuffled, name), getattr(whole, name)[order]), name
        assert torch.equal(getattr(part, name), getattr(whole, name)[5:12]), name
    assert shuffled.attack == [whole.attack[row] for row in order.tolist()]


def build_samples(network: nn.Module, columns: tuple[Tensor, Tensor], classifier: Classifier) -> list[AttackedSample]:
    task = check_request(Request(get_preset("margin"), network, *columns, batch_size=classifier.width))
    return list(gather_samples(classifier, task, *columns, 10))


def test_run_scripts_sends_every_script_its_own_walkers(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor]
) -> None:
    images = slice_images[0][:10]
    classifier = Classifier(zoo_network, None, Batches(4))
    told: dict[int, list[Any]] = {}

    def walk(sample: AttackedSample, steps: int) -> Generator[Any, Any, int]:
        walker = yield sample.send(Minimise(steps))
        assert walker.image is sample.image
        return steps

    def script(row: int, sample: AttackedSample) -> Generator[Any, Any, None]:
        told[row] = yield [walk(sample, steps) for steps in (3, 1 + row % 3, 5)]
        assert (yield []) == []
        walker = yield sample.send(Bisect(2), torch.ones_like(sample.image))
        assert walker.image is sample.image

    with prepare(zoo_network):
        labels = classifier.classify(images).argmax(1)
        samples = build_samples(zoo_network, (images, labels), classifier)
        run_scripts(classifier, NORMS["Linf"], (script(row, sample) for row, sample in enumerate(samples)))
    assert told == {row: [3, 1 + row % 3, 5] for row in range(10)}


def test_run_scripts_refills_places_that_fall_free(zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor]) -> None:
    """Walks of uneven length: full passes but for the last ones, where waiting for the longest would take 40."""
    images = slice_images[0][:16]
    classifier = Classifier(zoo_network, None, Batches(4))
    lengths = [1, 1, 1, 10] * 4

    def script(sample: AttackedSample, steps: int) -> Generator[Any, Any, None]:
        yield sample.send(Minimise(steps))

    with prepare(zoo_network):
        labels = classifier.classify(images).argmax(1)
        samples = build_samples(zoo_network, (images, labels), classifier)
        pairs = zip(samples, lengths, strict=True)
        run_scripts(classifier, NORMS["Linf"], (script(sample, steps) for sample, steps in pairs))
    assert sum(lengths) <= classifier.backwards < 4 * 20


def test_run_scripts_begins_samples_only_as_places_fall_free(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor]
) -> None:
    images = slice_images[0][:64]
    classifier = Classifier(zoo_network, None, Batches(4))
    begun, ended, most = [0], [0], [0]

    def script(sample: AttackedSample) -> Generator[Any, Any, None]:
        begun[0] += 1
        most[0] = max(most[0], begun[0] - ended[0])
        yield sample.send(Minimise(2))
        ended[0] += 1

    with prepare(zoo_network):
        labels = classifier.classify(images).argmax(1)
        samples = build_samples(zoo_network, (images, labels), classifier)
        run_scripts(classifier, NORMS["Linf"], (script(sample) for sample in samples))
    assert ended == [64]
    assert most[0] <= 16
