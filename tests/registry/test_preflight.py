"""The pre-flight raises what it should, and stays quiet on a sound network."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from backend.datasets.catalogue import find_dataset
from backend.datasets.samples import load
from backend.errors import InvalidRequest
from backend.registry.preflight import preflight
from backend.registry.preflight_report import PreflightCheck, PreflightReport
from backend.registry.silence import count_silent
from models.architectures.layers import normalize


class Changed(nn.Module):
    """A network whose logits pass through a function."""

    def __init__(self, network: nn.Module, change: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.network = network
        self.change = change

    def forward(self, images: Tensor) -> Tensor:
        return self.change(self.network(images))


class RoundedInput(nn.Module):
    """Rounds its input and passes gradients straight through: the gradient is not that of the function."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        rounded = (images * 8).round() / 8
        return self.network(images + (rounded - images).detach())


@pytest.fixture(scope="module")
def samples() -> tuple[Tensor, Tensor]:
    arrays = load(find_dataset("fashion-mnist-test"))
    images = torch.from_numpy(arrays.images[:300].copy()).permute(0, 3, 1, 2).float() / 255
    return images, torch.from_numpy(arrays.labels[:300].copy())


@pytest.fixture(scope="module")
def trained(samples: tuple[Tensor, Tensor]) -> nn.Module:
    """A linear network fitted to the samples under their normalisation; it is right on most of them."""
    torch.manual_seed(0)
    inner = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    network = normalize(inner, "fashion-mnist")
    optimizer = torch.optim.Adam(inner.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        functional.cross_entropy(network(samples[0]), samples[1]).backward()
        optimizer.step()
    return network.eval()


def find_check(report: PreflightReport, code: str) -> PreflightCheck:
    (check,) = [check for check in report.checks if check.code == code]
    return check


def test_preflight_sound_network_passes(trained: nn.Module, samples: tuple[Tensor, Tensor]) -> None:
    report = preflight(trained, *samples, classes=10)
    assert report.state == "passed", report
    assert [check.code for check in report.checks] == [
        "train-mode",
        "non-finite",
        "clean-accuracy",
        "probabilities",
        "randomised",
        "zero-gradients",
        "gradient-mismatch",
        "normalization",
    ]
    assert report.n == 300 and report.clean_accuracy is not None and report.clean_accuracy > 0.85
    assert report.accuracy_by_normalization.keys() == {"none", "fashion-mnist"}
    assert report.accuracy_by_normalization["fashion-mnist"] == report.clean_accuracy


def test_preflight_leaves_network_and_samples_as_they_were(trained: nn.Module, samples: tuple[Tensor, Tensor]) -> None:
    before, images = trained(samples[0]), samples[0].clone()
    preflight(trained, *samples, classes=10)
    assert torch.equal(trained(samples[0]), before) and torch.equal(samples[0], images)
    assert next(trained.parameters()).dtype == torch.float32


def test_preflight_better_preset_is_named(trained: nn.Module, samples: tuple[Tensor, Tensor]) -> None:
    inner = trained.network
    assert isinstance(inner, nn.Module)
    report = preflight(inner, *samples, classes=10)
    gain = report.accuracy_by_normalization["fashion-mnist"] - report.accuracy_by_normalization["none"]
    check = find_check(report, "normalization")
    assert gain > 0.02 and check.outcome == "warn" and "trained with fashion-mnist" in check.sentence
    assert report.state == "warned"


def test_preflight_chance_accuracy_is_warned(trained: nn.Module, samples: tuple[Tensor, Tensor]) -> None:
    shuffled = Changed(trained, lambda logits: logits.roll(3, dims=1)).eval()
    assert find_check(preflight(shuffled, *samples, classes=10), "clean-accuracy").outcome == "warn"


@pytest.mark.parametrize(
    ("change", "words"),
    [(lambda logits: logits.softmax(1), "are probabilities"), (lambda logits: logits.log_softmax(1), "log-prob")],
    ids=["softmax", "log-softmax"],
)
def test_preflight_probabilities_are_warned(
    trained: nn.Module, samples: tuple[Tensor, Tensor], change: Callable[[Tensor], Tensor], words: str
) -> None:
    check = find_check(preflight(Changed(trained, change).eval(), *samples, classes=10), "probabilities")
    assert check.outcome == "warn" and words in check.sentence


def test_preflight_random_outputs_are_warned(trained: nn.Module, samples: tuple[Tensor, Tensor]) -> None:
    noisy = Changed(trained, lambda logits: logits + 0.1 * torch.randn_like(logits)).eval()
    assert find_check(preflight(noisy, *samples, classes=10), "randomised").outcome == "warn"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_preflight_non_finite_outputs_fail(trained: nn.Module, samples: tuple[Tensor, Tensor], value: float) -> None:
    broken = Changed(trained, lambda logits: torch.where(logits > logits.quantile(0.999), value, logits)).eval()
    report = preflight(broken, *samples, classes=10)
    assert report.state == "failed" and report.clean_accuracy is None
    assert find_check(report, "non-finite").outcome == "fail"


def test_preflight_other_number_of_logits_fails(trained: nn.Module, samples: tuple[Tensor, Tensor]) -> None:
    report = preflight(trained, *samples, classes=11)
    assert report.state == "failed" and "instead of (300, 11)" in find_check(report, "non-finite").sentence


@pytest.mark.parametrize("change", [torch.round, torch.Tensor.detach], ids=["rounded", "detached"])
def test_preflight_without_gradients_fails(
    trained: nn.Module, samples: tuple[Tensor, Tensor], change: Callable[[Tensor], Tensor]
) -> None:
    report = preflight(Changed(trained, change).eval(), *samples, classes=10)
    assert report.state == "failed" and "Every gradient" in find_check(report, "zero-gradients").sentence


def test_preflight_gradient_of_another_function_is_warned(trained: nn.Module, samples: tuple[Tensor, Tensor]) -> None:
    check = find_check(preflight(RoundedInput(trained).eval(), *samples, classes=10), "gradient-mismatch")
    assert check.outcome == "warn" and "does not match the function" in check.sentence


def test_preflight_real_network_has_true_gradients(network: nn.Module, samples: tuple[Tensor, Tensor]) -> None:
    report = preflight(network, *samples, classes=10)
    assert find_check(report, "gradient-mismatch").outcome == "ok"
    assert find_check(report, "clean-accuracy").outcome == "warn"


def test_preflight_training_mode_fails(network: nn.Module, samples: tuple[Tensor, Tensor]) -> None:
    network.bn1.train()
    statistics = network.bn1.running_mean.clone()
    report = preflight(network, *samples, classes=10)
    assert report.state == "failed" and "bn1" in find_check(report, "train-mode").sentence
    assert torch.equal(network.bn1.running_mean, statistics)


@pytest.mark.parametrize("case", ["bytes", "outside", "labels", "empty"])
def test_preflight_impossible_samples_are_refused(
    trained: nn.Module, samples: tuple[Tensor, Tensor], case: str
) -> None:
    images, labels = samples
    cases = {
        "bytes": ((images * 255).byte(), labels),
        "outside": (images * 255, labels),
        "labels": (images, labels + 5),
        "empty": (images[:0], labels[:0]),
    }
    with pytest.raises(InvalidRequest):
        preflight(trained, *cases[case], classes=10)


class Calling(nn.Module):
    """Two linear layers with a ReLU between that is called in one of the ways there are."""

    def __init__(self, relu: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.last, self.relu = nn.Linear(784, 20), nn.Linear(20, 10), relu
        with torch.no_grad():
            self.first.bias[:7] = -100.0

    def forward(self, images: Tensor) -> Tensor:
        return self.last(self.relu(self.first(images.flatten(1))))


@pytest.mark.parametrize(
    "relu",
    [torch.relu, functional.relu, nn.ReLU(), nn.ReLU(inplace=True), lambda x: x.relu(), torch.relu_],
    ids=["torch", "functional", "module", "in-place module", "method", "in-place"],
)
def test_count_silent_units_that_never_wake_are_counted(
    relu: Callable[[Tensor], Tensor], samples: tuple[Tensor, Tensor]
) -> None:
    torch.manual_seed(0)
    network = Calling(relu).eval()
    wanted = int(((samples[0].flatten(1) @ network.first.weight.T + network.first.bias) > 0).any(0).logical_not().sum())
    for batch in (300, 70):
        found = count_silent(network, samples[0], batch=batch)
        assert (found.channels, found.silent) == (20, wanted) and wanted >= 7


def test_preflight_mostly_silent_network_is_warned(network: nn.Module, samples: tuple[Tensor, Tensor]) -> None:
    assert find_check(preflight(network, *samples, classes=10), "silent-channels").outcome == "ok"
    with torch.no_grad():
        network.bn2.bias.fill_(-100)
        network.bn3.bias[:60] = -100
    check = find_check(preflight(network, *samples, classes=10), "silent-channels")
    silent, words = check.sentence.split(" ", 1)
    assert check.outcome == "warn" and int(silent) >= 124 and words.startswith("of 208 channels after a ReLU")
