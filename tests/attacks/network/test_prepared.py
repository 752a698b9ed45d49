"""A prepared copy has its original's logits, and the original verifies whatever the copy proposes."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from backend import attacks
from backend.attacks.catalogue import get_preset
from backend.attacks.contract import AttackResult
from backend.attacks.inputs import Request, check_request
from backend.attacks.network.classifier import ROUGH_BAND, Classifier, prepare
from backend.attacks.network.prepared import Prepared, build_prepared, find_pairs
from backend.attacks.search.gradient_steps import differentiate_gap
from models.architectures.builders import build_architecture
from models.architectures.rows import ARCHITECTURES
from tests.attacks.digit_networks import pick_right, train_digits
from tests.attacks.foreign_networks import Changed, Counting

# How many normalisations directly follow a layer that nothing else reads: those of blocks that begin with one do not.
FOLDED = {
    "small-cnn": 3,
    "resnet18": 20,
    "resnet18-torchvision": 20,
    "resnet20": 21,
    "resnet8": 9,
    "preact-resnet18": 8,
    "preact-resnet18-bn": 8,
    "vgg16-bn-hydra": 13,
    "vgg16-bn": 13,
    "vgg16-bn-bias-free": 13,
    "wrn-28-4": 13,
}
TWINS = {"wrn-28-10": "wrn-28-4"}  # the same code with six times the weights
LAID_OUT = {"memory_format": "channels_last", "precision": "float32"}
COUNT = 8


def stir(network: nn.Module) -> nn.Module:
    """Statistics and weights of normalisations as training leaves them, far from doing nothing."""
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            for values in (module.running_mean, module.bias):
                if values is not None:
                    values.data.normal_(0.0, 0.1, generator=generator)
            for values in (module.running_var, module.weight):
                if values is not None:
                    values.data.uniform_(0.5, 2.0, generator=generator)
    return network.eval()


def count_pairs(network: nn.Module, images: Tensor) -> int:
    with torch.no_grad():
        return len(find_pairs(network.eval(), images))


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name not in TWINS])
def test_prepared_copy_of_every_architecture_has_the_originals_logits(name: str) -> None:
    side, channels = (28, 1) if name == "small-cnn" else (32, 3)
    torch.manual_seed(0)
    network = stir(build_architecture(name, 10, channels))
    images = torch.rand((5, channels, side, side), generator=torch.Generator().manual_seed(0))
    before = {key: value.clone() for key, value in network.state_dict().items()}
    prepared, reason = build_prepared(network, images[:2])
    assert prepared is not None, reason
    assert prepared.describe() == {
        "batch_norm_folded": FOLDED[name],
        "memory_format": "channels_last",
        "precision": "float32",
    }
    assert not any(parameter.requires_grad for parameter in prepared.network.parameters())
    answers, slopes = [], []
    for one in (network, prepared.network):
        points = images[2:].clone().requires_grad_()
        logits = one(points)
        answers.append(logits.detach())
        slopes.append(torch.autograd.grad((logits[:, 0] - logits[:, 1]).sum(), points)[0])
    for first, second in (answers, slopes):
        assert float((first - second).abs().max()) < 1e-5 * float(first.abs().max())
    after = network.state_dict()
    assert all(torch.equal(after[key], value) for key, value in before.items())


def test_prepared_copy_of_layers_folds_linear_ones_biases_and_normalisation_without_weights() -> None:
    convolution = [nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4, affine=False), nn.ReLU(inplace=True), nn.Flatten()]
    linear = [nn.Linear(144, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 3)]
    network = stir(nn.Sequential(*convolution, *linear))
    images = torch.rand((6, 1, 8, 8), generator=torch.Generator().manual_seed(0))
    prepared, _ = build_prepared(network, images)
    assert prepared is not None
    assert prepared.batch_norm_folded == 2
    torch.testing.assert_close(prepared.network(images), network(images), rtol=1e-5, atol=1e-6)


def test_network_without_normalisation_and_convolutions_stays_as_it_is() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    prepared, reason = build_prepared(network, torch.zeros(2, 1, 8, 8))
    assert prepared is None
    assert "nothing to prepare" in reason


class Residual(nn.Module):
    """What the convolution gives is read by its normalisation and by a sum."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)

    def forward(self, images: Tensor) -> Tensor:
        features = self.conv(images)
        return functional.relu(self.norm(features)).flatten(1) + features.flatten(1)


class Twice(Residual):
    """One convolution serves two places."""

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.norm(self.conv(images)).flatten(1)
        return torch.cat([features, self.conv(images).flatten(1)], 1)


class Rows(nn.Module):
    """A linear layer along rows of pixels, normalised along their columns."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.norm = nn.Linear(8, 8), nn.BatchNorm1d(8)

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.norm(self.linear(images[:, 0]))
        return features.flatten(1)


TRAPS = {
    "residual": Residual(),
    "twice": Twice(),
    "rows": Rows(),
    "in-place": nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(inplace=True), nn.BatchNorm2d(2)),
    "no-statistics": nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2, track_running_stats=False)),
}


@pytest.mark.parametrize("network", TRAPS.values(), ids=TRAPS)
def test_normalisation_that_does_not_follow_alone_is_not_folded(network: nn.Module) -> None:
    assert count_pairs(stir(network), torch.rand((2, 1, 8, 8))) == 0


class Drifting(Changed):
    """Counts its passes, and gives other logits from the second on."""

    passes = 0

    def change(self, logits: Tensor) -> Tensor:
        self.passes += 1
        return logits * self.passes


def test_copy_with_other_logits_is_discarded() -> None:
    network, images, _ = take_digits()
    prepared, reason = build_prepared(Drifting(network).eval(), images[:4])
    assert prepared is None
    assert "logits of a prepared copy differ" in reason


def take_digits() -> tuple[nn.Module, Tensor, Tensor]:
    """Convolutions with normalisation, and digits that they classify rightly."""
    network = train_digits("normalised", steps=100)
    return network, *pick_right(network, COUNT)


@pytest.fixture(scope="module", params=["Linf", pytest.param("L2", marks=pytest.mark.slow)])
def runs(request: pytest.FixtureRequest) -> tuple[AttackResult, ...]:
    """Margins plain, prepared, and prepared again in another order."""
    network, images, labels = take_digits()
    prepared, _ = build_prepared(network, images[:8])
    order = torch.arange(COUNT).flip(0)
    options = {"norm": request.param, "batch_size": 8, "pool_images": images}
    return (
        attacks.run("margin", network, images, labels, **options),
        attacks.run("margin", network, images, labels, prepared=prepared, **options),
        attacks.run("margin", network, images[order], labels[order], prepared=prepared, **options),
    )


def test_prepared_run_gives_the_margins_of_a_plain_one(runs: tuple[AttackResult, ...]) -> None:
    """But for a sample whose walks rounding leads to another local minimum, as another batch size does."""
    plain, prepared, _ = runs
    assert torch.equal(plain.found, prepared.found)
    ratio = prepared.distance / plain.distance
    assert float(((ratio - 1).abs() <= 1e-4).float().mean()) >= 0.9
    assert float((ratio - 1).abs().max()) <= 0.05
    assert torch.equal(plain.logit_gap, prepared.logit_gap)
    assert plain.settings["prepared"] is None
    assert prepared.settings["prepared"] == {
        "batch_norm_folded": 2,
        "memory_format": "channels_last",
        "precision": "float32",
    }


def test_prepared_run_repeats_bit_for_bit_in_any_order(runs: tuple[AttackResult, ...]) -> None:
    _, first, again = runs
    order = torch.arange(COUNT).flip(0)
    assert torch.equal(again.adversarial, first.adversarial[order])
    assert torch.equal(again.distance, first.distance[order])


def test_candidates_of_a_wrong_copy_count_only_where_the_network_agrees() -> None:
    network, images, labels = take_digits()
    other = Prepared(train_digits("normalised"), 0, "contiguous")
    result = attacks.run("margin", network, images, labels, prepared=other)
    held = result.found & (result.distance > 0)
    assert 0 < int(held.sum()) < COUNT
    with torch.no_grad():
        assert (network(result.adversarial[held]).argmax(1) != labels[held]).all()


class Noisy(Changed):
    """Rounding noise of an arithmetic of its own, enlarged: 2e-5 of the largest logit, up or down by the image."""

    def change(self, logits: Tensor) -> Tensor:
        noise = (1e7 * logits.detach()).sin() * 2e-5 * logits.detach().abs().amax()
        return logits + noise


def test_near_misses_of_a_copy_are_pushed_over_the_boundary() -> None:
    network, images, labels = take_digits()
    plain = attacks.run("margin", network, images, labels)
    noisy = Prepared(Noisy(network).eval(), 0, "contiguous")
    result = attacks.run("margin", network, images, labels, prepared=noisy)
    assert torch.equal(result.found, plain.found)
    assert float((result.distance / plain.distance).median()) <= 1.0 + 2e-4
    walks = [attempt for attempt in result.attempts if attempt.attack.startswith("fmn")]
    assert all(torch.equal(attempt.found, attempt.tried) for attempt in walks)


def test_walks_follow_the_copy_and_the_network_is_asked_for_the_rest() -> None:
    network, images, labels = take_digits()
    original, copied = Counting(network), Counting(network)
    prepared = Prepared(copied.eval(), 0, "contiguous")
    result = attacks.run("margin", original, images[:8], labels[:8], batch_size=8, prepared=prepared)
    assert result.backwards == original.ledger["backwards"] + copied.ledger["backwards"]
    assert result.forwards == original.ledger["forwards"] + copied.ledger["forwards"]
    probe = 8 + 4 + 2  # the full width, its half and its quarter
    assert original.ledger["backwards"] == probe + 8  # and the gradients that flags look at
    assert result.found.all()


def test_a_verdict_that_the_copy_got_wrong_is_sought_on_the_network_itself() -> None:
    """A copy that takes all that is nearly broken for broken: its witnesses within eps do not hold."""
    network, images, labels = take_digits()
    alone = attacks.run("fast", network, images, labels, eps=0.1, batch_size=8)

    class Hasty(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = network

        def forward(self, given: Tensor) -> Tensor:
            logits: Tensor = self.inner(given)
            best = logits.topk(2, dim=1)
            lowered = logits.scatter(1, best.indices[:, :1], best.values[:, 1:] - 1.0)
            return torch.where((best.values[:, :1] - best.values[:, 1:]) < 1.0, lowered, logits)

    prepared = Prepared(Hasty().eval(), 0, "contiguous")
    hasty = attacks.run("fast", network, images, labels, eps=0.1, batch_size=8, prepared=prepared)
    is_broken = alone.distance.double() <= 0.1
    assert is_broken.any() and not is_broken.all()
    assert torch.equal(hasty.distance.double() <= 0.1, is_broken)
    assert "not-found" not in hasty.flags
    found = hasty.found & (hasty.distance > 0)
    with torch.no_grad():
        assert (network(hasty.adversarial[found]).argmax(1) != labels[found]).all()


def test_rough_exploration_decides_nothing_and_repeats_bit_for_bit() -> None:
    network, images, labels = take_digits()
    prepared, _ = build_prepared(network, images, "bfloat16")
    plain = attacks.run("margin", network, images, labels, batch_size=4)
    rough, again = (attacks.run("margin", network, images, labels, batch_size=4, prepared=prepared) for _ in range(2))
    assert torch.equal(rough.adversarial, again.adversarial)
    assert rough.settings["prepared"]["precision"] == "bfloat16"
    assert rough.settings["widths"] == [4]
    assert torch.equal(rough.found, plain.found)
    assert float((rough.distance / plain.distance).max()) <= 1.05
    with torch.no_grad():
        assert (network(rough.adversarial).argmax(1) != labels).all()


def test_rough_gradients_are_those_of_float32_near_a_boundary_and_close_to_them_elsewhere() -> None:
    network, images, labels = take_digits()
    count = 100
    steps = torch.linspace(0.0, 1.0, count)[:, None, None, None]
    points = images[:1] + steps * (images[1:2] - images[:1])  # from one class to another
    exact, rough = (Classifier(network, explores_roughly=is_rough) for is_rough in (False, True))
    answers = []
    for classifier in (exact, rough):
        with prepare(network), classifier.exploring():
            answers.append(differentiate_gap(classifier, points, labels[:1].expand(count)))
    (logits, _, gradient), (rough_logits, _, rough_gradient) = answers
    first, second = logits.topk(2, dim=1).values.unbind(1)
    is_near = first - second <= 0.2 * ROUGH_BAND * logits.abs().amax(1)
    assert is_near.any()
    assert int(is_near.sum()) <= rough.backwards - count < count
    torch.testing.assert_close(rough_logits[is_near], logits[is_near], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(rough_gradient[is_near], gradient[is_near], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(rough_logits, logits, rtol=0, atol=ROUGH_BAND * float(logits.abs().max()))
    assert not torch.equal(rough_logits, logits)


@pytest.mark.parametrize("preset", ["autoattack", "autoattack-plus"])
def test_official_code_never_walks_on_a_copy(preset: str) -> None:
    network, images, labels = take_digits()
    prepared, _ = build_prepared(network, images[:8])
    assert prepared is not None
    request = Request(get_preset(preset), network, images, labels, eps=0.1, prepared=prepared)
    assert check_request(request).prepared is None
