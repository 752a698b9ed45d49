"""Networks that the bench trains itself, a minute or two each, once: the weights stay in its cache.

They see training images of Fashion-MNIST alone (Debian's package dataset-fashion-mnist), never the slice that is
reported on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from backend.datasets.make_slice import SOURCE_FOLDER, read_split
from models.architectures.builders import build_architecture

CLUSTERS = 10
CLUSTERED_IMAGES = 20_000
BATCH, EPOCHS, FASTEST = 128, 3, 2e-3


@dataclass(frozen=True)
class Recipe:
    """Name, number of classes, and what gives the labels of the training images (N,) from the images and classes."""

    name: str
    classes: int
    label: Callable[[Path, Tensor, Tensor], Tensor]


def read_training_images() -> tuple[Tensor, Tensor]:
    """All 60,000: float32 (N, 1, 28, 28) in [0, 1] and int64 (N,); FileNotFoundError names the package."""
    pixels, labels = read_split(SOURCE_FOLDER, "train")
    return torch.from_numpy(np.array(pixels)).unsqueeze(1).float() / 255, torch.from_numpy(np.array(labels)).long()


def keep_labels(cache: Path, images: Tensor, labels: Tensor) -> Tensor:
    return labels


def find_centres(cache: Path) -> NDArray[Any]:
    """Ten cluster centres in each class of the training images, (10, 10, 784), made once."""
    path = cache / "centres.npy"
    if not path.is_file():
        from sklearn.cluster import KMeans

        images, labels = read_training_images()
        images, labels = images[:CLUSTERED_IMAGES], labels[:CLUSTERED_IMAGES]
        centres = [
            KMeans(CLUSTERS, n_init=1, random_state=0).fit(images[labels == place].flatten(1).numpy()).cluster_centers_
            for place in range(10)
        ]
        cache.mkdir(parents=True, exist_ok=True)
        np.save(path, np.stack(centres))
    return np.load(path, allow_pickle=False)


def refine_labels(cache: Path, images: Tensor, labels: Tensor) -> Tensor:
    """100 classes out of ten: each class split by the nearest of its ten cluster centres, int64 (N,)."""
    centres = torch.from_numpy(find_centres(cache)).float()[labels]
    nearest = (centres - images.flatten(1)[:, None]).norm(dim=2).argmin(1)
    return labels * CLUSTERS + nearest


NATURAL = Recipe("natural", 10, keep_labels)
MANY_CLASSES = Recipe("100-classes", 10 * CLUSTERS, refine_labels)


def train(recipe: Recipe, cache: Path) -> nn.Module:
    """Plain training of the small CNN, Adam with a cosine, one pass after another over all images."""
    images, labels = read_training_images()
    labels = torch.cat(
        [recipe.label(cache, images[s : s + 1000], labels[s : s + 1000]) for s in range(0, 60_000, 1000)]
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build_architecture("small-cnn", recipe.classes, 1).train()
        steps = EPOCHS * (len(images) // BATCH)
        optimizer = torch.optim.Adam(network.parameters(), lr=FASTEST)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        for _ in range(EPOCHS):
            for rows in torch.randperm(len(images))[: steps // EPOCHS * BATCH].split(BATCH):
                loss = nn.functional.cross_entropy(network(images[rows]), labels[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
    return network.eval()


def load_or_train(recipe: Recipe, cache: Path) -> nn.Module:
    """From the cache, or trained and put there."""
    path = cache / f"{recipe.name}.safetensors"
    if not path.is_file():
        network = train(recipe, cache)
        cache.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        save_file({key: value.contiguous() for key, value in network.state_dict().items()}, partial)
        partial.rename(path)
    network = build_architecture("small-cnn", recipe.classes, 1)
    network.load_state_dict(load_file(path))
    return network.eval()
