"""Seven networks that hide or replace their gradients, each made from a sound one, and controls that hide nothing.

What each must be told by, and where its true decisions come from: those of the base network, or of a variant that
computes the same function with a usable gradient.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.zoo.cards import load_checkpoint
from tests.attacks import foreign_networks as foreign
from tests.attacks.conftest import REPOSITORY
from tests.attacks.digit_networks import train_digits


class NoiseAtInference(nn.Module):
    """Gaussian noise of deviation 0.05 on every pixel, drawn anew at each pass."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.inner(images + 0.05 * torch.randn_like(images))
        return logits


class SmallLogits(foreign.Changed):
    def change(self, logits: Tensor) -> Tensor:
        return 0.1 * logits


@dataclass(frozen=True)
class Variant:
    """One way to mask: `raised` are flags it must raise on any base; `allowed` those that it may raise in addition.

    truth: gives a network with the same decisions and sound gradients; None where the answers are random.
    """

    build: Callable[[nn.Module], nn.Module]
    raised: frozenset[str]
    allowed: frozenset[str]
    truth: Callable[[nn.Module], nn.Module] | None


def keep(network: nn.Module) -> nn.Module:
    return network


def quantise(network: nn.Module) -> nn.Module:
    return foreign.Quantised(network, is_straight_through=False)


def quantise_straight_through(network: nn.Module) -> nn.Module:
    return foreign.Quantised(network, is_straight_through=True)


MASKING = frozenset({"masking", "not-found"})
GRADIENTS = frozenset({"zero-gradients", "gradient-mismatch", "partial-gradients"})


def describe(
    build: Callable[[nn.Module], nn.Module],
    raised: set[str],
    allowed: frozenset[str],
    truth: Callable[[nn.Module], nn.Module] | None = keep,
) -> Variant:
    return Variant(build, frozenset(raised), allowed, truth)


VARIANTS: dict[str, Variant] = {
    "logits-times-10000": describe(foreign.LargeLogits, {"saturated"}, frozenset()),
    "softmax": describe(foreign.Softmax, {"probabilities"}, GRADIENTS | MASKING),
    "softmax-of-30-logits": describe(
        foreign.SaturatedSoftmax, {"probabilities", "zero-gradients", "gradient-mismatch"}, GRADIENTS | MASKING
    ),
    "quantised": describe(quantise, {"zero-gradients"}, MASKING, quantise_straight_through),
    "quantised-straight-through": describe(
        quantise_straight_through, {"gradient-mismatch"}, MASKING, quantise_straight_through
    ),
    "dropout": describe(foreign.DropoutAtInference, {"randomised"}, GRADIENTS | MASKING, None),
    "noise": describe(NoiseAtInference, {"randomised"}, GRADIENTS | MASKING, None),
}


def load_zoo(name: str) -> nn.Module:
    return load_checkpoint(REPOSITORY / "models/zoo", name)


# The shipped networks look at the shipped slice, the others at digits.
CONTROLS: dict[str, Callable[[], nn.Module]] = {
    "dense": lambda: load_zoo("cnn-dense"),
    "another-seed": lambda: load_zoo("cnn-dense-seed1"),
    "pruned-80": lambda: load_zoo("cnn-lwm-80"),
    "pruned-95": lambda: load_zoo("cnn-lwm-95"),
    "small-logits": lambda: SmallLogits(load_zoo("cnn-dense")),
    "digits-linear-layers": lambda: train_digits("shallow"),
    "digits-batch-norm": lambda: train_digits("normalised", steps=100),
}


def choose_eps(margins: Tensor) -> float:
    """A radius near the median of some margins, in the middle of the widest gap between two of them there."""
    ordered = margins.sort().values
    low, high = int(0.4 * len(ordered)), int(0.6 * len(ordered))
    place = low + int((ordered[low + 1 : high + 1] - ordered[low:high]).argmax())
    return float((ordered[place] + ordered[place + 1]) / 2)
