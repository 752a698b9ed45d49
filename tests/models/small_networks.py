"""Small networks and images for the tests of pruning and training."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import SGD

from models.training.losses import AdversarialLoss, Batch
from models.training.mask_search import MaskSearch


def draw_stripes(samples: int = 300) -> tuple[Tensor, Tensor]:
    """Draw noisy images (samples, 1, 4, 4) whose bright row says which of four classes they are."""
    generator = torch.Generator().manual_seed(7)
    labels = torch.randint(4, (samples,), generator=generator)
    images = 0.3 * torch.rand(samples, 1, 4, 4, generator=generator)
    images[torch.arange(samples), 0, labels] += 0.5
    return images, labels


def build_stripe_network(width: int = 6) -> nn.Sequential:
    """Build a convolution with batch normalisation and two linear layers, from a fixed seed."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(16 * width, 10),
        nn.ReLU(),
        nn.Linear(10, 4),
    )


def build_single_layer(weights: list[list[float]]) -> nn.Linear:
    """Build one linear layer without bias from its weights."""
    layer = nn.Linear(len(weights[0]), len(weights), bias=False)
    layer.load_state_dict({"weight": torch.tensor(weights)})
    return layer


def take_clean_steps(network: nn.Module, search: MaskSearch, steps: int, *, weight_decay: float = 0.1) -> None:
    """Train on the clean stripes the way a part does, with momentum and weight decay."""
    images, labels = draw_stripes(32)
    optimizer = SGD(search.find_parameter_groups(weight_decay), lr=0.1, momentum=0.9)
    network.train()
    for step in range(steps):
        search.before_step(step, steps)
        network.zero_grad()
        optimizer.zero_grad()
        functional.cross_entropy(network(images), labels).backward()
        search.after_backward()
        optimizer.step()
        search.after_step()


class SeenRows(AdversarialLoss):
    """PGD-AT that writes down which rows it saw."""

    def __init__(self) -> None:
        self.rows: list[Tensor] = []

    def measure_samples(self, network: nn.Module, batch: Batch, adversarials: Tensor) -> Tensor:
        self.rows.append(batch.positions)
        return super().measure_samples(network, batch, adversarials)
