"""Following the precise copy finds what the network's own gradients hide, and the network itself confirms it."""

import threading
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from backend import attacks
from backend.attacks.losses import measure_gap
from backend.attacks.network.precise import build_precise
from tests.attacks import foreign_networks as foreign
from tests.attacks.digit_networks import pick_right, train_digits
from tests.attacks.masked_networks import VARIANTS, choose_eps, quantise

COUNT = 60


class Sharp(foreign.Changed):
    """A softmax so sharp that float64 cannot hold its probabilities either."""

    def change(self, logits: Tensor) -> Tensor:
        return (1e4 * logits).softmax(1)


class Mixed(foreign.Changed):
    """A mixture of two softmaxes: no last one to look through."""

    def change(self, logits: Tensor) -> Tensor:
        return 0.5 * (20 * logits).softmax(1) + 0.5 * (25 * logits).softmax(1)


class Stiff(foreign.Softmax):
    """Insists on float32."""

    def forward(self, images: Tensor) -> Tensor:
        if images.dtype != torch.float32:
            raise TypeError("float32 only")
        given: Tensor = super().forward(images)
        return given


class Downcast(foreign.Softmax):
    """Answers float32 whatever it is asked in."""

    def change(self, logits: Tensor) -> Tensor:
        return super().change(logits).float()


class Uncopied(foreign.Softmax):
    """Holds what cannot be copied."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__(inner)
        self.lock = threading.Lock()


class OtherInDouble(foreign.Softmax):
    """Answers the classes in another order to float64 images."""

    def forward(self, images: Tensor) -> Tensor:
        given: Tensor = super().forward(images)
        return given if images.dtype == torch.float32 else given.flip(1)


class Followable(nn.Module):
    """A network whose answers always hang on the images, as attacks see it."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, images: Tensor) -> Tensor:
        given: Tensor = self.inner(images) + 0.0 * images.flatten(1)[:, :1]
        return given


def ascend(follow: nn.Module, images: Tensor, labels: Tensor, eps: float) -> Tensor:
    """Plain projected gradient descent on the logit gap: forty signed steps of a tenth of eps."""
    moved = images
    for _ in range(40):
        points = moved.detach().requires_grad_()
        (slope,) = torch.autograd.grad(measure_gap(follow(points), labels).sum(), points)
        moved = torch.minimum(torch.maximum(points - 0.1 * eps * slope.sign(), images - eps), images + eps).clamp(0, 1)
    return moved.detach()


def count_broken(network: nn.Module, images: Tensor, labels: Tensor) -> int:
    with torch.no_grad():
        return int((network(images).argmax(1) != labels).sum())


MASKS: dict[str, Callable[[nn.Module], nn.Module]] = {
    "softmax-of-30-logits": VARIANTS["softmax-of-30-logits"].build,
    "softmax-of-10000-logits": Sharp,
    "mixture": Mixed,
    "quantised": quantise,
}


@pytest.mark.parametrize("build", MASKS.values(), ids=MASKS)
def test_precise_copy_gives_back_the_gradients_that_a_plain_ascent_needs(
    build: Callable[[nn.Module], nn.Module],
) -> None:
    base = train_digits("shallow")
    images, labels = pick_right(base, COUNT)
    eps = choose_eps(attacks.run("margin", base, images, labels).distance)
    masked = build(base).eval()
    known = count_broken(masked, ascend(base, images, labels, eps), labels)
    precise = build_precise(masked, images[:8])
    assert count_broken(masked, ascend(Followable(masked), images, labels, eps), labels) < known - 5
    assert count_broken(masked, ascend(precise.network, images, labels, eps), labels) >= known


def test_precise_copy_of_logits_is_the_same_network_in_float64() -> None:
    network = train_digits("normalised", steps=100)
    images, _ = pick_right(network, 8)
    precise = build_precise(network, images)
    assert (precise.scores, precise.precision, precise.reason, precise.straightened) == (
        "logits",
        "float64",
        "",
        (),
    )
    given = precise.network(images)
    assert given.dtype == torch.float64
    torch.testing.assert_close(given.float(), network(images), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("build", [foreign.Softmax, Mixed, Stiff, Uncopied], ids=["last", "mixture", "stiff", "lock"])
def test_precise_copy_of_probabilities_gives_their_logarithms(build: Callable[[nn.Module], nn.Module]) -> None:
    network = build(train_digits("shallow")).eval()
    images, _ = pick_right(network, 8)
    precise = build_precise(network, images)
    assert precise.scores == "log-probabilities"
    torch.testing.assert_close(precise.network(images).exp().float(), network(images), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (Stiff, "TypeError: float32 only"),
        (Uncopied, "TypeError: cannot pickle"),
        (OtherInDouble, "gives other outputs in float64"),
        (Downcast, "gives float32"),
        (foreign.DropoutAtInference, "gives other outputs in float64"),
        (quantise, "would round elsewhere"),
    ],
    ids=["stiff", "lock", "other", "downcast", "dropout", "quantised"],
)
def test_precise_copy_says_why_it_follows_in_float32(build: Callable[[nn.Module], nn.Module], reason: str) -> None:
    torch.manual_seed(0)
    network = build(train_digits("shallow")).eval()
    images, _ = pick_right(network, 8)
    precise = build_precise(network, images)
    assert precise.precision == "float32"
    assert reason in precise.reason
    assert precise.network.network is network


def test_precise_copy_names_what_it_passes_straight_through_and_has_the_networks_outputs() -> None:
    network = quantise(train_digits("shallow")).eval()
    images, labels = pick_right(network, 8)
    precise = build_precise(network, images)
    assert precise.straightened == ("round",)
    torch.testing.assert_close(precise.network(images).float(), network(images), rtol=0, atol=0)
    points = images.clone().requires_grad_()
    (slope,) = torch.autograd.grad(measure_gap(precise.network(points), labels).sum(), points)
    assert (slope.flatten(1).abs().sum(1) > 0).all()


def test_build_precise_leaves_the_network_as_it_is() -> None:
    network = foreign.SaturatedSoftmax(train_digits("normalised", steps=100)).eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    images, _ = pick_right(network, 8)
    precise = build_precise(network, images)
    precise.network(images)
    after = network.state_dict()
    assert list(after) == list(before)
    assert all(
        torch.equal(after[name], tensor) and after[name].dtype == tensor.dtype for name, tensor in before.items()
    )
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert not any(parameter.requires_grad for parameter in precise.network.parameters())
