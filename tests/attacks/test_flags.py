"""Networks that fool attacks are told apart from sound ones, each by the flag that names what is wrong."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from backend import attacks
from backend.attacks.catalogue import FLAGS
from backend.attacks.flags import order_flags
from tests.attacks import foreign_networks as foreign
from tests.attacks.linear_oracle import build_problem

COUNT = 12

# A network, the flags that must be raised, and those that must not.
VARIANTS: dict[str, tuple[Callable[[nn.Module], nn.Module], set[str], set[str]]] = {
    "softmax": (foreign.Softmax, {"probabilities"}, {"saturated", "randomised", "zero-gradients"}),
    "softmax-of-30-logits": (foreign.SaturatedSoftmax, {"probabilities", "gradient-mismatch"}, {"randomised"}),
    "dropout-at-inference": (foreign.DropoutAtInference, {"randomised"}, {"probabilities", "train-mode"}),
    "dropout-in-training-mode": (foreign.Stubborn, {"randomised", "train-mode"}, {"probabilities"}),
    "norm-in-training-mode": (foreign.Wooden, {"train-mode"}, {"probabilities", "zero-gradients"}),
    "logits-times-10000": (foreign.LargeLogits, {"saturated"}, set(FLAGS) - {"saturated"}),
    "quantised-input": (
        lambda network: foreign.Quantised(network, is_straight_through=False),
        {"zero-gradients"},
        {"randomised", "probabilities"},
    ),
    "quantised-straight-through": (
        lambda network: foreign.Quantised(network, is_straight_through=True),
        {"gradient-mismatch"},
        {"zero-gradients", "randomised"},
    ),
    "optimising": (foreign.Optimising, {"optimises-at-inference"}, {"randomised", "train-mode"}),
    "not-a-number": (foreign.NotANumber, {"non-finite"}, {"randomised", "not-found"}),
}


@pytest.mark.parametrize(("build", "raised", "silent"), VARIANTS.values(), ids=VARIANTS)
def test_run_flags_a_harmful_network(
    zoo_network: nn.Module,
    slice_images: tuple[Tensor, Tensor],
    build: Callable[[nn.Module], nn.Module],
    raised: set[str],
    silent: set[str],
) -> None:
    images, labels = (column[:COUNT] for column in slice_images)
    flags = set(attacks.run("margin", build(zoo_network), images, labels).flags)
    assert raised <= flags
    assert not flags & silent


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_run_raises_no_flag_for_the_zoo(zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor], norm: str) -> None:
    images, labels = (column[:COUNT] for column in slice_images)
    assert attacks.run("margin", zoo_network, images, labels, norm=norm).flags == ()


@pytest.mark.parametrize("norm", ["Linf", "L2"])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_run_raises_no_flag_for_a_linear_network_at_any_scale_but_a_saturated_softmax(norm: str, scale: float) -> None:
    problem = build_problem(4, (1, 6, 6), samples=8)
    with torch.no_grad():
        problem.network[1].weight.mul_(scale)
        problem.network[1].bias.mul_(scale)
    flags = attacks.run("margin", problem.network, problem.images, problem.predictions, norm=norm).flags
    assert flags == (("saturated",) if scale == 1e3 else ())


@pytest.mark.parametrize(("classes", "expected"), [(2, True), (3, True), (4, False)])
def test_run_flags_few_classes_below_the_targets(classes: int, expected: bool) -> None:
    problem = build_problem(classes, (1, 4, 4), samples=3)
    flags = attacks.run("margin", problem.network, problem.images, problem.predictions).flags
    assert ("few-classes" in flags) == expected


def test_run_flags_masking_where_square_breaks_what_gradients_left_standing() -> None:
    problem = build_problem(4, (1, 6, 6), samples=6)
    network = foreign.Quantised(problem.network, is_straight_through=False)
    with torch.no_grad():
        labels = network(problem.images).argmax(1)
    eps = 2 * float(problem.margins["Linf"].max())
    result = attacks.run("autoattack", network, problem.images, labels, eps=eps)
    assert result.attempts[-1].attack == "square"
    assert result.attempts[-1].found.any()
    assert {"zero-gradients", "masking"} <= set(result.flags)


def test_run_not_a_number_counts_as_wrong(zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor]) -> None:
    images, labels = (column[:COUNT] for column in slice_images)
    with torch.no_grad():
        is_unanswered = zoo_network(images).argmax(1) == 1
    assert 0 < int(is_unanswered.sum()) < COUNT
    result = attacks.run("margin", foreign.NotANumber(zoo_network), images, labels)
    assert result.distance[is_unanswered].tolist() == [0.0] * int(is_unanswered.sum())
    assert result.found[is_unanswered].all()
    assert result.margin_pred[is_unanswered].isinf().all()
    assert torch.equal(result.loss.isnan(), is_unanswered)
    assert torch.equal(result.logit_gap.isnan(), is_unanswered)
    assert not result.distance.isnan().any()
    assert result.margin_pred[~is_unanswered].isfinite().all()


def test_run_gradient_flags_do_not_depend_on_norm_or_eps(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor]
) -> None:
    """A step of a twentieth of a large L2 eps, taken in every pixel, would be far too long for any gradient."""
    images, labels = (column[:4] for column in slice_images)
    broken = attacks.run("autoattack", zoo_network, images, labels, norm="L2", eps=20.0)
    assert broken.found.all()
    assert broken.flags == ()


def test_order_flags_follows_the_catalogue() -> None:
    assert order_flags({"non-finite", "randomised", "saturated"}) == ("randomised", "saturated", "non-finite")
    assert order_flags(set(FLAGS)) == tuple(FLAGS)
