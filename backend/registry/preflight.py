"""Checks a freshly imported network for whatever would make every later number meaningless."""

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from backend.counts import count_words
from backend.errors import InvalidRequest
from backend.registry.preflight_report import Outcome, PreflightCheck, PreflightReport, find_worst
from backend.registry.silence import count_silent
from models.architectures.layers import Normalized, normalize
from models.architectures.normalizations import NORMALIZATIONS

# A preset that is this much better (share of images) was probably the one in training.
PRESET_GAIN = 0.02
# Within this factor of chance the weights, the normalisation or the data set are probably wrong.
CHANCE_FACTOR = 1.5
# A network of which more than this share gives no output has little left to be judged.
MOSTLY = 0.5
GRADIENT_IMAGES = 16
STEP = 1e-5
GRADIENT_TOLERANCE = 0.05
BATCH = 250


def preflight(network: nn.Module, images: Tensor, labels: Tensor, *, classes: int) -> PreflightReport:
    """Check a network on a few hundred samples before it is attacked.

    Args:
        network: in `eval()` mode, maps float32 images to logits; a `Normalized` one is also tried under other presets.
        images: float32 (B, C, H, W) in [0, 1].
        labels: int64 (B,), 0..classes-1.
        classes: number of logits expected.

    Returns:
        One check per question; forward passes: 3 + one per preset of as many channels, and 16 images of gradients.

    Raises:
        InvalidRequest: images or labels break what is said above.
    """
    _check_samples(images, labels, classes)
    mode = _check_mode(network)
    if mode.outcome == "fail":
        # Further passes would move the batch statistics of the very network under test.
        return _report([mode], len(images), None, {})
    logits = _classify(network, images)
    if logits.shape != (len(images), classes) or not bool(torch.isfinite(logits).all()):
        return _report([mode, _check_finite(logits, (len(images), classes))], len(images), None, {})
    accuracy = _find_accuracy(logits, labels)
    accuracies = _try_normalizations(network, images, labels)
    checks = [
        mode,
        _check_finite(logits, (len(images), classes)),
        _check_accuracy(accuracy, len(images), classes),
        _check_logits(logits),
        _check_repetition(logits, _classify(network, images)),
        *_check_gradients(network, images[:GRADIENT_IMAGES], labels[:GRADIENT_IMAGES]),
        _check_normalization(accuracy, accuracies, _name_normalization(network), len(images)),
        *_check_silence(network, images),
    ]
    return _report(checks, len(images), accuracy, accuracies)


def _report(
    checks: list[PreflightCheck], n: int, accuracy: float | None, accuracies: dict[str, float]
) -> PreflightReport:
    return PreflightReport(
        state=find_worst(checks), n=n, clean_accuracy=accuracy, accuracy_by_normalization=accuracies, checks=checks
    )


def _check_samples(images: Tensor, labels: Tensor, classes: int) -> None:
    """Refuse samples that would make the checks meaningless."""
    if images.ndim != 4 or images.dtype != torch.float32 or len(images) == 0:
        raise InvalidRequest(f"Images must be float32 (B, C, H, W), got {images.dtype} {tuple(images.shape)}.")
    if float(images.min()) < 0 or float(images.max()) > 1:
        raise InvalidRequest(f"Images must lie in [0, 1], they go from {images.min():g} to {images.max():g}.")
    if labels.shape != images.shape[:1] or int(labels.min()) < 0 or int(labels.max()) >= classes:
        raise InvalidRequest(f"Labels must be one per image, 0..{classes - 1}.")


@torch.no_grad()
def _classify(network: nn.Module, images: Tensor) -> Tensor:
    """Logits (B, K) of all images, batch by batch."""
    return torch.cat([network(batch) for batch in torch.split(images, BATCH)])


def _find_accuracy(logits: Tensor, labels: Tensor) -> float:
    return float((logits.argmax(1) == labels.to(logits.device)).double().mean())


def _check(code: str, title: str, outcome: Outcome, sentence: str) -> PreflightCheck:
    return PreflightCheck(code=code, title=title, outcome=outcome, sentence=sentence)


def _check_mode(network: nn.Module) -> PreflightCheck:
    training = [name or "the network" for name, module in network.named_modules() if module.training]
    if training:
        sentence = (
            f"{count_words(len(training), 'module is', 'modules are')} in training mode ({', '.join(training[:3])}): "
            "call eval()."
        )
        return _check("train-mode", "Evaluation mode", "fail", sentence)
    return _check("train-mode", "Evaluation mode", "ok", "Every module is in evaluation mode.")


def _check_finite(logits: Tensor, wanted: tuple[int, int]) -> PreflightCheck:
    if tuple(logits.shape) != wanted:
        sentence = f"The network returns {tuple(logits.shape)} instead of {wanted}."
        return _check("non-finite", "Finite outputs", "fail", sentence)
    broken = int((~torch.isfinite(logits)).any(1).sum())
    if broken:
        sentence = f"The logits of {broken} of {count_words(wanted[0], 'image')} are NaN or infinite."
        return _check("non-finite", "Finite outputs", "fail", sentence)
    return _check("non-finite", "Finite outputs", "ok", "All logits are finite.")


def _check_accuracy(accuracy: float, n: int, classes: int) -> PreflightCheck:
    chance = 1 / classes
    sentence = (
        f"The network classifies {accuracy:.2%} of {count_words(n, 'clean image')} correctly; chance is {chance:.2%}."
    )
    if accuracy < chance * CHANCE_FACTOR:
        sentence += " Wrong normalisation, classes in another order, or another data set?"
        return _check("clean-accuracy", "Clean accuracy", "warn", sentence)
    return _check("clean-accuracy", "Clean accuracy", "ok", sentence)


def _check_logits(logits: Tensor) -> PreflightCheck:
    """Probabilities are within [0, 1] and sum to 1; log-probabilities have exponentials that do."""
    title = "Logits"
    ones = torch.ones(len(logits), dtype=torch.float64, device=logits.device)
    values = logits.double()
    if bool((values >= 0).all()) and torch.allclose(values.sum(1), ones, atol=1e-3):
        sentence = "The outputs are probabilities: a softmax at the end hides gradients from attacks. Remove it."
        return _check("probabilities", title, "warn", sentence)
    if torch.allclose(values.exp().sum(1), ones, atol=1e-3):
        sentence = "The outputs are log-probabilities; margins stay the same, but logit gaps and losses differ."
        return _check("probabilities", title, "warn", sentence)
    return _check("probabilities", title, "ok", "The outputs are logits, not probabilities.")


def _check_repetition(first: Tensor, second: Tensor) -> PreflightCheck:
    if torch.equal(first, second):
        return _check("randomised", "Repeatable", "ok", "Two passes give the same logits bit for bit.")
    gap = float((first - second).abs().max())
    sentence = f"Two passes over the same images differ by up to {gap:.2g}: the network draws random numbers."
    return _check("randomised", "Repeatable", "warn", sentence)


def _find_losses(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of each image."""
    return functional.cross_entropy(network(images), labels.to(images.device), reduction="none")


def _find_gradients(find_losses: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """Gradient of each image's loss in its own pixels, of the images' shape."""
    with torch.enable_grad():
        inputs = images.detach().clone().requires_grad_(True)
        losses = find_losses(inputs)
        if not losses.requires_grad:
            return torch.zeros_like(images)
        (gradients,) = torch.autograd.grad(losses.sum(), inputs, allow_unused=True)
    return torch.zeros_like(images) if gradients is None else gradients


def _check_gradients(network: nn.Module, images: Tensor, labels: Tensor) -> list[PreflightCheck]:
    """Ask whether gradients exist, are finite and agree with finite differences."""
    gradients = _find_gradients(lambda inputs: _find_losses(network, inputs, labels), images)
    title = "Gradients"
    if not bool(torch.isfinite(gradients).all()):
        return [_check("zero-gradients", title, "fail", "Some gradients in the pixels are NaN or infinite.")]
    empty = int((gradients.flatten(1).abs().amax(1) == 0).sum())
    if empty == len(images):
        sentence = "Every gradient in the pixels is zero: gradient attacks cannot move."
        return [_check("zero-gradients", title, "fail", sentence)]
    sentence = f"The gradient is exactly zero for {empty} of {count_words(len(images), 'image')}."
    some = _check("zero-gradients", title, "warn" if 2 * empty > len(images) else "ok", sentence)
    return [some, _compare_differences(network, images, labels, gradients)]


def _compare_differences(network: nn.Module, images: Tensor, labels: Tensor, gradients: Tensor) -> PreflightCheck:
    """Compare the gradient's own length with a central difference along it, in float64.

    float64 because a step small enough to stay on one side of the ReLU kinks drowns in float32 rounding. The median
    over images decides: single ones may sit on a kink.
    """
    title = "Gradients agree with finite differences"
    lengths = gradients.double().flatten(1).norm(dim=1)
    usable = lengths > 1e-6 * lengths.max()
    exact = copy.deepcopy(network).double()
    chosen, targets = images[usable].double(), labels[usable.cpu()]
    directions = gradients[usable].double() / lengths[usable].view(-1, 1, 1, 1)
    with torch.no_grad():
        ahead = _find_losses(exact, chosen + STEP * directions, targets)
        behind = _find_losses(exact, chosen - STEP * directions, targets)
    slopes = (ahead - behind) / (2 * STEP)
    error = float(((slopes - lengths[usable]).abs() / lengths[usable]).median())
    sentence = f"Median relative difference {error:.1%} over {count_words(len(chosen), 'image')}."
    if not error <= GRADIENT_TOLERANCE:
        sentence += " The gradient does not match the function: something in the network replaces or rounds it."
        return _check("gradient-mismatch", title, "warn", sentence)
    return _check("gradient-mismatch", title, "ok", sentence)


def _name_normalization(network: nn.Module) -> str | None:
    """The preset in front of `network`; None where its buffers belong to none."""
    if not isinstance(network, Normalized):
        return "none"
    for name, row in NORMALIZATIONS.items():
        if row.mean and len(row.mean) == len(network.mean):
            wanted = torch.tensor([row.mean, row.std], dtype=torch.float32)
            if torch.equal(torch.stack([network.mean, network.std]).cpu(), wanted):
                return name
    return None


def _try_normalizations(network: nn.Module, images: Tensor, labels: Tensor) -> dict[str, float]:
    """Clean accuracy of the network inside under every preset for as many channels."""
    inner = network.network if isinstance(network, Normalized) else network
    channels = images.shape[1]
    accuracies: dict[str, float] = {}
    for name, row in NORMALIZATIONS.items():
        if len(row.mean) in (0, channels):
            candidate = normalize(inner, name).to(images.device)
            accuracies[name] = _find_accuracy(_classify(candidate, images), labels)
    return accuracies


def _check_normalization(accuracy: float, accuracies: dict[str, float], current: str | None, n: int) -> PreflightCheck:
    title = "Normalisation"
    best = max(accuracies, key=lambda name: accuracies[name])
    shown = current or "the file's own"
    if best != current and accuracies[best] > accuracy + PRESET_GAIN:
        sentence = (
            f"With {best}, the network classifies {accuracies[best]:.2%} of {n} images correctly; with {shown}, "
            f"{accuracy:.2%}. Was the network trained with {best}?"
        )
        return _check("normalization", title, "warn", sentence)
    return _check("normalization", title, "ok", f"No other known preset does better than {shown}.")


def _check_silence(network: nn.Module, images: Tensor) -> list[PreflightCheck]:
    """Ask how much of the network no image wakes; nothing for one without ReLU."""
    found = count_silent(network, images, batch=BATCH)
    if not found.channels:
        return []
    sentence = (
        f"{found.silent:,} of {found.channels:,} channels after a ReLU are zero on all {len(images)} images "
        f"({found.share:.1%})."
    )
    outcome: Outcome = "warn" if found.share > MOSTLY else "ok"
    return [_check("silent-channels", "Silent channels", outcome, sentence)]
