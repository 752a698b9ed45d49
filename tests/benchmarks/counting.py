"""A wrapper that counts what an attack asks of a network, the same way for every tool."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


class BudgetSpent(Exception):
    """The wrapper refuses another pass: the caller had set a budget of work, and it is spent."""


@dataclass
class Tally:
    """Images that went forward and backward, the widest batch, and processor seconds.

    One tally follows its network into every deep copy: an attack that folds or converts a copy is counted all the same.
    """

    forwards: int = 0
    backwards: int = 0
    width: int = 0
    seconds: float = 0.0
    budget: float = torch.inf

    def __deepcopy__(self, memo: dict[int, Any]) -> "Tally":
        return self

    @property
    def extra_forwards(self) -> int:
        """Images sent forward without a gradient; below zero where one forward pass served several gradients."""
        return self.forwards - self.backwards

    @property
    def work(self) -> int:
        """Forward passes and twice the gradients: a backward pass through the input costs about two forward ones."""
        return self.forwards + 2 * self.backwards

    def count_forward(self, images: int) -> None:
        if self.work >= self.budget:
            raise BudgetSpent(f"{self.work} passes, budget {self.budget:g}")
        self.forwards += images
        self.width = max(self.width, images)


class Counted(nn.Module):
    """The network under test, unchanged, with every image that passes it written into `tally`.

    A backward pass is counted when its gradient reaches the logits, by the images of that batch; several backward
    passes through one forward pass count each.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.tally = Tally()

    def forward(self, images: Tensor) -> Tensor:
        self.tally.count_forward(len(images))
        logits: Tensor = self.network(images)
        if logits.requires_grad:
            logits.register_hook(self.count_backward)
        return logits

    def count_backward(self, gradient: Tensor) -> None:
        self.tally.backwards += len(gradient)

    @contextmanager
    def measure(self, budget: float = torch.inf) -> Iterator[Tally]:
        """A fresh tally for one run; processor seconds are of this process, so other processes add nothing."""
        self.tally = Tally(budget=budget)
        began = time.process_time()
        try:
            yield self.tally
        finally:
            self.tally.seconds = time.process_time() - began


@dataclass(frozen=True)
class Floor:
    """Processor seconds per image of a plain forward pass, and of a forward pass with the input's gradient."""

    forward: float
    gradient: float

    def price(self, tally: Tally) -> float:
        """Seconds that the counted passes alone would take."""
        return self.gradient * tally.backwards + self.forward * max(tally.extra_forwards, 0)


def measure_seconds(work: Callable[[], object], repeats: int) -> float:
    """Processor seconds of the fastest of `repeats` runs, because other processes only ever add to them."""
    times = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def measure_floor(network: nn.Module, images: Tensor, labels: Tensor, batch: int, repeats: int = 5) -> Floor:
    """What the passes themselves cost here and now; images (N, C, H, W), labels (N,), in batches of `batch`."""
    parts = [slice(start, start + batch) for start in range(0, len(images), batch)]

    def go_forward() -> None:
        with torch.no_grad():
            for part in parts:
                network(images[part])

    def differentiate() -> None:
        for part in parts:
            points = images[part].clone().requires_grad_()
            loss = nn.functional.cross_entropy(network(points), labels[part], reduction="sum")
            torch.autograd.grad(loss, points)

    go_forward(), differentiate()  # the first pass of a process also warms its caches
    count = len(images)
    return Floor(measure_seconds(go_forward, repeats) / count, measure_seconds(differentiate, repeats) / count)
