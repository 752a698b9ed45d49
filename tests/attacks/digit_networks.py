"""Small networks trained on scikit-learn's 8 x 8 digits within seconds, the same on every run."""

from collections.abc import Callable
from functools import cache

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional

TRAINED_ON = 1400
SHAPE = (1, 8, 8)


@cache
def load_images() -> tuple[Tensor, Tensor]:
    """All 1797 digits, float32 (B, 1, 8, 8) in [0, 1], and their labels int64 (B,)."""
    images, labels = load_digits(return_X_y=True)
    return torch.from_numpy(images).float().reshape(-1, *SHAPE) / 16, torch.from_numpy(labels).long()


def pick_right(network: nn.Module, count: int) -> tuple[Tensor, Tensor]:
    """The first `count` digits left out of the training that the network classifies rightly."""
    images, labels = (column[TRAINED_ON:] for column in load_images())
    with torch.no_grad():
        rows = (network(images).argmax(1) == labels).nonzero()[:count, 0]
    return images[rows], labels[rows]


def train(network: nn.Module, images: Tensor, labels: Tensor, *, steps: int, eps: float = 0.0) -> nn.Module:
    """Adam on all images at once; with `eps`, on the images after one signed gradient step from a random corner."""
    optimizer = torch.optim.Adam(network.parameters(), 5e-3)
    for _ in range(steps):
        shown = images
        if eps:
            shift = (eps * torch.randn_like(images).sign()).requires_grad_()
            loss = functional.cross_entropy(network((images + shift).clamp(0, 1)), labels)
            shown = (images + eps * torch.autograd.grad(loss, shift)[0].sign()).clamp(0, 1)
        optimizer.zero_grad()
        functional.cross_entropy(network(shown), labels).backward()
        optimizer.step()
    return network.eval()


def build_shallow() -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 10))


def build_deep() -> nn.Sequential:
    layers = [nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 10)]
    return nn.Sequential(nn.Flatten(), *layers)


def build_convolutional() -> nn.Sequential:
    convolution = nn.Conv2d(1, 3, 3, stride=2, padding=1)
    return nn.Sequential(convolution, nn.ReLU(), nn.Flatten(), nn.Linear(48, 8), nn.ReLU(), nn.Linear(8, 10))


def build_normalised() -> nn.Sequential:
    """Convolutions with batch normalisation and pooling, as residual networks have them."""
    layers: list[nn.Module] = []
    for channels, wider in ((1, 4), (4, 8)):
        layers += [nn.Conv2d(channels, wider, 3, padding=1, bias=False), nn.BatchNorm2d(wider), nn.ReLU()]
    return nn.Sequential(*layers, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 10))


BUILDERS: dict[str, Callable[[], nn.Sequential]] = {
    "shallow": build_shallow,
    "deep": build_deep,
    "convolutional": build_convolutional,
    "normalised": build_normalised,
}


@cache
def train_digits(name: str, steps: int = 300, eps: float = 0.0) -> nn.Sequential:
    """A network of `BUILDERS` trained on the first 1400 digits; shared by tests, which leave it as it is."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = BUILDERS[name]()
        images, labels = (column[:TRAINED_ON] for column in load_images())
        train(network, images, labels, steps=steps, eps=eps)
    return network


@cache
def train_classes(classes: int) -> tuple[nn.Sequential, Tensor]:
    """A network that tells 2, 3 or 100 classes apart, and 60 images that it was not trained on.

    Up to 10 classes are the rest of the digit's division; 100 are the pairs of two digits side by side.
    """
    images, labels = load_images()
    generator = torch.Generator().manual_seed(0)
    if classes == 100:
        first, second = torch.randint(0, TRAINED_ON, (2, 2000), generator=generator)
        other_first, other_second = torch.randint(TRAINED_ON, len(images), (2, 60), generator=generator)
        shown, answers = torch.cat([images[first], images[second]], 3), 10 * labels[first] + labels[second]
        held_out = torch.cat([images[other_first], images[other_second]], 3)
    else:
        shown, answers = images[:TRAINED_ON], labels[:TRAINED_ON] % classes
        held_out = images[TRAINED_ON : TRAINED_ON + 60]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = [nn.Linear(shown[0].numel(), 64), nn.ReLU(), nn.Linear(64, classes)]
        network = nn.Sequential(nn.Flatten(), *layers)
        train(network, shown, answers, steps=150)
    return network, held_out
