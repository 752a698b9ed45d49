"""Widths of a pass: narrower ones only where they give the same bits."""

import pytest
import torch
from torch import Tensor, nn

from backend.attacks.network.batches import Batches
from backend.attacks.network.classifier import Classifier, prepare
from backend.attacks.network.widths import find_widths, pad, tune_width
from backend.attacks.search.gradient_steps import differentiate_gap
from tests.attacks.foreign_networks import Counting


class WidthDependent(nn.Module):
    """Answers a little otherwise when fewer than `least` images come, as kernels chosen by shape may."""

    def __init__(self, network: nn.Module, least: int) -> None:
        super().__init__()
        self.network, self.least = network, least

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network(images)
        return logits if len(images) >= self.least else logits * (1.0 + 1e-6)


def test_find_widths_leaves_out_what_gives_other_bits(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor]
) -> None:
    images = slice_images[0][:10]
    with prepare(zoo_network):
        assert find_widths(WidthDependent(zoo_network, 8), images, 32) == (32, 24, 16, 8)
        assert find_widths(WidthDependent(zoo_network, 32), images, 32) == (32,)
        assert find_widths(zoo_network, images, 8) == (8, 4, 2), "three quarters of so few save nothing"
        assert find_widths(zoo_network, images, 1) == (1,)


def test_find_width_padded_takes_the_narrowest_that_holds_all() -> None:
    batches = Batches(32, (16, 8))
    assert [batches.find_width(count) for count in (1, 8, 17, 32)] == [1, 8, 17, 32], "nobody pads"
    batches.is_padded = True
    assert [batches.find_width(count) for count in (1, 8, 9, 17, 32, 40)] == [8, 8, 16, 32, 32, 32]
    batches.halve(32)
    assert batches.widths == (16,), "the narrower ones were held against the bits of 32"


def test_pad_repeats_the_last_image() -> None:
    images = torch.arange(3.0).reshape(3, 1, 1, 1)
    assert pad(images, 5).flatten().tolist() == [0.0, 1.0, 2.0, 2.0, 2.0]
    assert pad(images, 2) is images


def test_classifier_calls_the_network_at_its_widths_alone(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor]
) -> None:
    seen: list[int] = []
    counting = Counting(zoo_network)
    counting.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    images = slice_images[0][:21]
    batches = Batches(8, (4,))
    with prepare(counting):
        classifier = Classifier(counting, None, batches)
        logits = classifier.classify(images)
        _, gap, gradient = differentiate_gap(classifier, images[:3], logits[:3].argmax(1))
    assert seen == [8, 8, 8, 4]
    assert (len(logits), len(gap), len(gradient)) == (21, 3, 3)
    assert (
        counting.ledger
        == {"forwards": 28, "backwards": 4}
        == {
            "forwards": classifier.forwards,
            "backwards": classifier.backwards,
        }
    )


@pytest.mark.parametrize("seconds", [0.01])
def test_tune_width_gives_a_width_of_the_device(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor], seconds: float
) -> None:
    with prepare(zoo_network):
        assert tune_width(zoo_network, slice_images[0][:8], seconds) in (8, 16, 32, 64, 128)
