"""What waits for a place in a pass: one sample, one phase of one attack, and where it stands.

Rows are the walkers of one kind side by side: a tensor per property, one row per walker.
"""

from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

Rows = dict[str, Tensor]


class Phase(Protocol):
    """A kind of walk with its parameters; its class is what the queue groups walkers by.

    The class has static methods: `start(norm, walkers)` gives the rows of new walkers; `advance(norm, rows, logits,
    gradient)` changes the rows after a pass and says who leaves before the last step. One that needs the gradient has
    `direct(rows, logits)`, the weights (B, K) of the logits to differentiate, and is evaluated at `rows["point"]`;
    one that does not has `look(norm, rows)`, the points to evaluate.
    """

    @property
    def steps(self) -> int:
        """Passes through the network."""

    @property
    def needs_gradient(self) -> bool:
        """Whether a pass needs the gradient in the points, or the logits alone."""


@dataclass
class Walker:
    """One sample in one phase, on the network's device.

    image (C, H, W) and label are the sample's; point (C, H, W) is where the phase begins and, afterwards, where it
    ended; best and distance are the nearest broken image met since the attack began (inf where none); notes are what
    else a phase leaves behind, by name.
    """

    image: Tensor
    label: int
    classes: int
    phase: Phase
    point: Tensor
    best: Tensor
    distance: float = float("inf")
    notes: dict[str, Tensor] = field(default_factory=dict)


def stack_rows(walkers: list[Walker]) -> Rows:
    """The properties that every kind has, one row per walker; all new tensors."""
    device = walkers[0].image.device
    return {
        "image": torch.stack([walker.image for walker in walkers]),
        "label": torch.tensor([walker.label for walker in walkers], device=device),
        "point": torch.stack([walker.point for walker in walkers]),
        "best": torch.stack([walker.best for walker in walkers]),
        "distance": torch.tensor([walker.distance for walker in walkers], dtype=torch.float32, device=device),
        "step": torch.zeros(len(walkers), device=device),
        "steps": torch.tensor([float(walker.phase.steps) for walker in walkers], device=device),
    }
