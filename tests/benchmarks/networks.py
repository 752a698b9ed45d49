"""The networks that attacks are measured on: one table of problems, each with its samples and radii."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from backend.datasets.catalogue import DATASETS
from models.architectures.builders import build_architecture
from models.zoo.cards import load_checkpoint
from tests.benchmarks import training
from tests.benchmarks.checking import classify_alone

ZOO = Path(__file__).parents[2] / "models" / "zoo"
LOGIT_SCALE, SATURATING_SCALE = 1e4, 30.0
ROBUST_EPS = {"Linf": 0.1, "L2": 1.5}
NATURAL_EPS = {"Linf": 0.04, "L2": 0.5}
CIFAR_EPS = {"Linf": 8 / 255, "L2": 0.5}


class NotAvailable(Exception):
    """A problem that cannot be set here; the message says what it needs."""


@dataclass(frozen=True)
class Places:
    """Where things are read from and kept: `cache` for trained networks, `cifar` an .npz or None."""

    cache: Path
    cifar: Path | None = None


@dataclass(frozen=True)
class Problem:
    """A network with the samples it gets right: images (N, C, H, W), labels (N,), and `ids`, their rows in the set."""

    name: str
    network: nn.Module
    images: Tensor
    labels: Tensor
    ids: list[int]
    eps: dict[str, float]
    classes: int
    parameters: int
    same_decisions_as: str | None = None


@dataclass(frozen=True)
class Row:
    """How to set a problem. `same_decisions_as` names the row whose boundary a masked network shares."""

    name: str
    title: str
    build: Callable[[Places], tuple[nn.Module, Tensor, Tensor]]
    eps: dict[str, float]
    is_quick: bool = False
    norms: tuple[str, ...] = ("Linf", "L2")
    most_samples: int = 10_000
    same_decisions_as: str | None = None
    skips_margins: bool = field(default=False)


class Scaled(nn.Module):
    """Logits times a constant: the same decisions, and losses on probabilities without a gradient."""

    def __init__(self, network: nn.Module, scale: float) -> None:
        super().__init__()
        self.network, self.scale = network, scale

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network(images) * self.scale
        return logits


class SaturatedSoftmax(Scaled):
    """Probabilities instead of logits, so confident that float32 rounds most of them to 0 and 1."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images).softmax(1)


def read_slice() -> tuple[Tensor, Tensor]:
    """The embedded test slice: float32 (2000, 1, 28, 28) in [0, 1] and int64 (2000,)."""
    with np.load(DATASETS["fashion-mnist-test"].path, allow_pickle=False) as archive:
        pixels, labels = archive["x"], archive["y"]
    return torch.from_numpy(pixels).unsqueeze(1).float() / 255, torch.from_numpy(labels).long()


def load_shipped(name: str) -> Callable[[Places], tuple[nn.Module, Tensor, Tensor]]:
    return lambda places: (load_checkpoint(ZOO, name), *read_slice())


def load_masked(name: str, wrapper: type[Scaled], scale: float) -> Callable[[Places], tuple[nn.Module, Tensor, Tensor]]:
    return lambda places: (wrapper(load_checkpoint(ZOO, name), scale), *read_slice())


def load_natural(places: Places) -> tuple[nn.Module, Tensor, Tensor]:
    images, labels = read_slice()
    return training.load_or_train(training.NATURAL, places.cache), images, labels


def load_many_classes(places: Places) -> tuple[nn.Module, Tensor, Tensor]:
    images, labels = read_slice()
    network = training.load_or_train(training.MANY_CLASSES, places.cache)
    return network, images, training.refine_labels(places.cache, images, labels)


def load_resnet(places: Places) -> tuple[nn.Module, Tensor, Tensor]:
    """ResNet18 with the weights that come inside pyautoattack (84 % on CIFAR-10, not robust) on real test images."""
    if places.cifar is None or not places.cifar.is_file():
        raise NotAvailable("needs CIFAR-10 images: --cifar FILE.npz with x_test uint8 (N, 32, 32, 3) and y_test (N,)")
    import pyautoattack

    weights = torch.load(
        Path(pyautoattack.__file__).parent / "examples" / "model_test.pt", map_location="cpu", weights_only=True
    )
    network = build_architecture("resnet18", 10, 3)
    network.load_state_dict({name.removeprefix("module."): value for name, value in weights.items()})
    with np.load(places.cifar, allow_pickle=False) as archive:
        pixels, labels = archive["x_test"], archive["y_test"]
    return network, torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255, torch.from_numpy(labels).long()


ROWS = {
    row.name: row
    for row in (
        Row("dense", "PGD-trained CNN", load_shipped("cnn-dense"), ROBUST_EPS, is_quick=True),
        Row("lwm-80", "pruned 80 %", load_shipped("cnn-lwm-80"), ROBUST_EPS),
        Row("lwm-95", "pruned 95 %", load_shipped("cnn-lwm-95"), ROBUST_EPS, is_quick=True),
        Row("lwm-99", "pruned 99 %", load_shipped("cnn-lwm-99"), ROBUST_EPS),
        Row("natural", "naturally trained CNN", load_natural, NATURAL_EPS),
        Row(
            "natural-breaks",
            "naturally trained CNN at a radius that breaks it",
            load_natural,
            ROBUST_EPS,
            skips_margins=True,
        ),
        Row("100-classes", "naturally trained CNN, 100 classes", load_many_classes, NATURAL_EPS),
        Row(
            "scaled-logits",
            "PGD-trained CNN, logits x 10,000 (harmless)",
            load_masked("cnn-dense", Scaled, LOGIT_SCALE),
            ROBUST_EPS,
            same_decisions_as="dense",
            skips_margins=True,
        ),
        Row(
            "saturated-softmax",
            "PGD-trained CNN, softmax of 30 x logits (masked)",
            load_masked("cnn-dense", SaturatedSoftmax, SATURATING_SCALE),
            ROBUST_EPS,
            same_decisions_as="dense",
            skips_margins=True,
        ),
        Row("resnet18", "ResNet18, CIFAR-10, not robust", load_resnet, CIFAR_EPS, most_samples=16, skips_margins=True),
    )
}


def set_problem(row: Row, places: Places, samples: int) -> Problem:
    """The first `samples` images that the network gets right, each asked alone; NotAvailable says what is missing."""
    network, images, labels = row.build(places)
    network = network.eval().requires_grad_(False)
    wanted = min(samples, row.most_samples)
    ids: list[int] = []
    for start in range(0, len(images), wanted):
        part = slice(start, start + wanted)
        right = classify_alone(network, images[part])[0] == labels[part].numpy()
        ids += [start + int(place) for place in np.flatnonzero(right)]
        if len(ids) >= wanted:
            break
    ids = ids[:wanted]
    with torch.no_grad():
        classes = network(images[:1]).shape[1]
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return Problem(
        row.name,
        network,
        images[ids].contiguous(),
        labels[ids],
        ids,
        row.eps,
        classes,
        parameters,
        row.same_decisions_as,
    )
