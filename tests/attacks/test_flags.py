"""Networks that fool attacks are told apart from sound ones, each by the flag that names what is wrong."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from backend import attacks
from backend.attacks import flags
from backend.attacks.catalogue import FLAGS
from backend.attacks.flags import exceeds, order_flags
from backend.attacks.losses import predict
from backend.attacks.network.batches import Batches
from backend.attacks.network.classifier import Classifier, prepare
from tests.attacks import foreign_networks as foreign
from tests.attacks.digit_networks import TRAINED_ON, load_images, train_classes
from tests.attacks.linear_oracle import build_problem
from tests.attacks.masked_networks import CONTROLS, VARIANTS, load_zoo

COUNT = 12

# A network, the flags that must be raised, and those that must not.
BROKEN: dict[str, tuple[Callable[[nn.Module], nn.Module], set[str], set[str]]] = {
    "dropout-in-training-mode": (foreign.Stubborn, {"randomised", "train-mode"}, {"probabilities"}),
    "norm-in-training-mode": (foreign.Wooden, {"train-mode"}, {"probabilities", "zero-gradients"}),
    "optimising": (foreign.Optimising, {"optimises-at-inference"}, {"randomised", "train-mode"}),
    "not-a-number": (foreign.NotANumber, {"non-finite"}, {"randomised", "not-found"}),
}


@pytest.fixture
def subjects(slice_images: tuple[Tensor, Tensor]) -> Callable[[str], tuple[nn.Module, Tensor]]:
    """A sound network by name, and sixty images for it."""

    def choose(name: str) -> tuple[nn.Module, Tensor]:
        if name.endswith("classes"):
            return train_classes(int(name.split("-")[0]))
        images = load_images()[0][TRAINED_ON:] if name.startswith("digits") else slice_images[0]
        return CONTROLS[name](), images[:60]

    return choose


def inspect(network: nn.Module, images: Tensor) -> set[str]:
    """Every flag that can be seen before an attack, without one."""
    torch.manual_seed(0)
    with prepare(network):
        classifier, batches = Classifier(network), Batches(64)
        logits = classifier.classify(images)
        return (
            flags.inspect_modes(network)
            | flags.inspect_logits(logits)
            | flags.inspect_repeat(classifier, images, batches)
            | flags.inspect_gradients(classifier, images, predict(logits), batches)
        )


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("count", [COUNT, 60])
@pytest.mark.parametrize(
    "base", ["dense", "digits-linear-layers", "digits-batch-norm", "2-classes", "3-classes", "100-classes"]
)
def test_inspect_tells_a_masked_network_on_any_base(
    subjects: Callable[[str], tuple[nn.Module, Tensor]], base: str, count: int, variant: str
) -> None:
    network, images = subjects(base)
    masked = VARIANTS[variant]
    raised = inspect(masked.build(network), images[:count])
    assert masked.raised <= raised
    assert raised <= masked.raised | masked.allowed


@pytest.mark.parametrize("name", [*CONTROLS, "2-classes", "3-classes", "100-classes"])
@pytest.mark.parametrize("count", [1, COUNT, 60])
def test_inspect_raises_nothing_for_a_sound_network(
    subjects: Callable[[str], tuple[nn.Module, Tensor]], name: str, count: int
) -> None:
    network, images = subjects(name)
    assert inspect(network, images[:count]) == set()


def test_inspect_tells_a_network_whose_pixels_without_gradient_decide(slice_images: tuple[Tensor, Tensor]) -> None:
    assert inspect(load_zoo("cnn-lwm-99"), slice_images[0][:60]) == {"partial-gradients"}


def test_inspect_raises_nothing_for_a_border_that_no_weight_reaches(
    subjects: Callable[[str], tuple[nn.Module, Tensor]],
) -> None:
    network, images = subjects("digits-linear-layers")
    framed = nn.functional.pad(images, (8, 8, 8, 8), value=0.5)
    assert inspect(nn.Sequential(nn.ZeroPad2d(-8), network), framed) == set()


@pytest.mark.parametrize(("build", "raised", "silent"), BROKEN.values(), ids=BROKEN)
def test_run_flags_a_broken_network(
    zoo_network: nn.Module,
    slice_images: tuple[Tensor, Tensor],
    build: Callable[[nn.Module], nn.Module],
    raised: set[str],
    silent: set[str],
) -> None:
    images, labels = (column[:COUNT] for column in slice_images)
    found = set(attacks.run("margin", build(zoo_network), images, labels).flags)
    assert raised <= found
    assert not found & silent


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
        is_not_finite = zoo_network(images).argmax(1) == 1
    assert 0 < int(is_not_finite.sum()) < COUNT
    result = attacks.run("margin", foreign.NotANumber(zoo_network), images, labels)
    assert result.distance[is_not_finite].tolist() == [0.0] * int(is_not_finite.sum())
    assert result.found[is_not_finite].all()
    assert result.margin_pred[is_not_finite].isinf().all()
    assert torch.equal(result.loss.isnan(), is_not_finite)
    assert torch.equal(result.logit_gap.isnan(), is_not_finite)
    assert not result.distance.isnan().any()
    assert result.margin_pred[~is_not_finite].isfinite().all()


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


def test_exceeds_needs_more_than_chance() -> None:
    assert not exceeds(0, 0, 0.1)
    assert not exceeds(2, COUNT, 0.1)
    assert exceeds(5, COUNT, 0.1)
    assert not exceeds(15, 100, 0.1)
    assert exceeds(150, 1000, 0.1)
    assert exceeds(1, 1, 0.02)
