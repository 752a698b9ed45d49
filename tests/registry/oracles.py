"""Forward passes written down from the papers' figures: state dict in, logits out, no line shared with `models`.

Each takes the raw tensors of a file and a function that gives the weight a method's own layer would use.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

State = dict[str, Tensor]


class Layers:
    """The layers of a file by the start of their keys, such as `layer1.0.conv1`."""

    def __init__(self, state: State, find_weight: Callable[[State, str], Tensor] | None = None) -> None:
        self.state = state
        self.find_weight = find_weight or (lambda state, start: state[f"{start}.weight"])

    def convolve(self, features: Tensor, start: str, stride: int = 1, padding: int = 1) -> Tensor:
        weight, bias = self.find_weight(self.state, start), self.state.get(f"{start}.bias")
        return functional.conv2d(features, weight, bias, stride=stride, padding=padding)

    def combine(self, features: Tensor, start: str) -> Tensor:
        return features @ self.find_weight(self.state, start).T + self.state[f"{start}.bias"]

    def standardise(self, features: Tensor, start: str) -> Tensor:
        mean, variance, scale, shift = (
            self.state[f"{start}.{name}"].view(1, -1, 1, 1)
            for name in ("running_mean", "running_var", "weight", "bias")
        )
        return (features - mean) / (variance + 1e-5).sqrt() * scale + shift


def classify_small(layers: Layers, images: Tensor) -> Tensor:
    features = images
    for number, padding in ((1, 2), (2, 1), (3, 1)):
        features = layers.convolve(features, f"conv{number}", 2, padding)
        features = layers.standardise(features, f"bn{number}").clamp(min=0)
    return layers.combine(features.flatten(1), "linear")


def classify_resnet18(layers: Layers, images: Tensor, shortcut: str = "shortcut", linear: str = "linear") -> Tensor:
    return classify_resnet(layers, images, (4, 2), shortcut, linear)


def classify_resnet(
    layers: Layers, images: Tensor, size: tuple[int, int], shortcut: str = "shortcut", linear: str = "linear"
) -> Tensor:
    """`size`: stages, and blocks in each."""
    features = layers.standardise(layers.convolve(images, "conv1"), "bn1").clamp(min=0)
    for stage in range(1, size[0] + 1):
        for block in range(size[1]):
            start, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            inner = layers.standardise(layers.convolve(features, f"{start}.conv1", stride), f"{start}.bn1").clamp(min=0)
            inner = layers.standardise(layers.convolve(inner, f"{start}.conv2"), f"{start}.bn2")
            if stride == 2:
                features = layers.convolve(features, f"{start}.{shortcut}.0", 2, 0)
                features = layers.standardise(features, f"{start}.{shortcut}.1")
            features = (inner + features).clamp(min=0)
    return layers.combine(features.mean(dim=(2, 3)), linear)


def classify_preact18(layers: Layers, images: Tensor, ends_normalised: bool = False) -> Tensor:
    features = layers.convolve(images, "conv1")
    for stage in (1, 2, 3, 4):
        for block in (0, 1):
            start, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            active = layers.standardise(features, f"{start}.bn1").clamp(min=0)
            inner = layers.convolve(active, f"{start}.conv1", stride)
            inner = layers.convolve(layers.standardise(inner, f"{start}.bn2").clamp(min=0), f"{start}.conv2")
            shortcut = layers.convolve(active, f"{start}.shortcut.0", 2, 0) if stride == 2 else features
            features = inner + shortcut
    if ends_normalised:
        features = layers.standardise(features, "bn").clamp(min=0)
    return layers.combine(functional.avg_pool2d(features, 4).flatten(1), "linear")


def classify_vgg16(layers: Layers, images: Tensor, pools: int) -> Tensor:
    """Thirteen convolutions; with four poolings HYDRA's three linear layers follow, with five a single one."""
    features, number = images, 0
    for place, count in enumerate((2, 2, 3, 3, 3)):
        for _ in range(count):
            features = layers.convolve(features, f"features.{number}")
            features = layers.standardise(features, f"features.{number + 1}").clamp(min=0)
            number += 3
        if place < pools:
            features = functional.max_pool2d(features, 2)
            number += 1
    flat = features.flatten(1)
    if pools == 5:
        return layers.combine(flat, "classifier")
    hidden = layers.combine(flat, "classifier.0").clamp(min=0)
    hidden = layers.combine(hidden, "classifier.2").clamp(min=0)
    return layers.combine(hidden, "classifier.4")


def classify_wide(layers: Layers, images: Tensor, blocks: int = 4) -> Tensor:
    features = layers.convolve(images, "conv1")
    for stage in (1, 2, 3):
        for block in range(blocks):
            start, stride = f"block{stage}.layer.{block}", 2 if stage > 1 and block == 0 else 1
            active = layers.standardise(features, f"{start}.bn1").clamp(min=0)
            inner = layers.standardise(layers.convolve(active, f"{start}.conv1", stride), f"{start}.bn2").clamp(min=0)
            shortcut = layers.convolve(active, f"{start}.convShortcut", stride, 0) if block == 0 else features
            features = layers.convolve(inner, f"{start}.conv2") + shortcut
    features = layers.standardise(features, "bn1").clamp(min=0)
    return layers.combine(functional.avg_pool2d(features, 8).flatten(1), "fc")


# What the methods' own layers multiply with.


def keep_best(scores: Tensor, rate: float) -> Tensor:
    """1 for all but the int((1 - rate) n) scores nearest to zero."""
    sizes = [abs(score) for score in scores.flatten().tolist()]
    ranked = sorted(range(len(sizes)), key=sizes.__getitem__)
    mask = torch.ones(scores.numel())
    mask[ranked[: int((1 - rate) * scores.numel())]] = 0.0
    return mask.view(scores.shape)


def weigh_hydra(rate: float) -> Callable[[State, str], Tensor]:
    return lambda state, start: state[f"{start}.weight"] * keep_best(state[f"{start}.popup_scores"], rate)


def weigh_harp(target: float, rate_of: Callable[[str], str] = lambda start: start) -> Callable[[State, str], Tensor]:
    """`rate_of` gives the layer whose learned rate a layer uses."""

    def weigh(state: State, start: str) -> Tensor:
        learned = state[f"{rate_of(start)}.k_score"].reshape(())
        rate = 0.1 * target + (1 - 0.1 * target) / (1 + torch.exp(-learned))
        return state[f"{start}.weight"] * keep_best(state[f"{start}.popup_scores"], float(rate))

    return weigh


def weigh_pruned(state: State, start: str) -> Tensor:
    return state[f"{start}.weight_orig"] * state[f"{start}.weight_mask"]


def weigh_twins(state: State, start: str) -> Tensor:
    return state[f"{start}.weight"] * state[f"{start}.aux_weight"] * state[f"{start}.mask"]


def weigh_softly(state: State, start: str) -> Tensor:
    return state[f"{start}.weight"] * torch.log1p(torch.exp(state[f"{start}.mask_weight"]))
