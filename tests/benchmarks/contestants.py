"""What a contestant is: one row of the bench, an attack with everything that is needed to run it next to others."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

VERDICT, MARGIN = "verdict", "margin"


@dataclass(frozen=True)
class Terms:
    """What one run is asked for: `eps` is None for margins; `classes` as the network answers them.

    `early_flags` are flags that more samples than these raised.
    """

    norm: str
    eps: float | None
    seed: int
    batch: int
    classes: int
    early_flags: tuple[str, ...] = ()

    @property
    def radius(self) -> float:
        if self.eps is None:
            raise ValueError("an attack at a radius needs eps")
        return self.eps


@dataclass(frozen=True)
class Answer:
    """What came back: images (N, C, H, W); `claimed` bool (N,), or None where a tool gives images alone.

    `flags` are the codes of what the tool itself warns of, where it does.
    """

    points: Tensor
    claimed: Tensor | None = None
    flags: tuple[str, ...] = ()


Attack = Callable[[nn.Module, Tensor, Tensor, Terms], Answer]


@dataclass(frozen=True)
class Contestant:
    """One row.

    Args:
        package: import name of what it needs, None where all of it is here.
        work: passes per sample it is expected to take (forwards + 2 x gradients); only the time left is made of it.
        is_random: whether another seed is another run; others run once.
        is_quick: whether the quick bench runs it.
        most_seeds: runs that are enough of it, where it costs too much to repeat.
        compiles: whether its first run translates code, so that one sample goes ahead without being measured.
    """

    name: str
    task: str
    norms: tuple[str, ...]
    attack: Attack
    package: str | None
    work: int
    is_random: bool = True
    is_quick: bool = True
    is_ours: bool = False
    most_seeds: int = 99
    compiles: bool = False

    def count_runs(self, seeds: int) -> int:
        return min(seeds, self.most_seeds) if self.is_random else 1

    def is_installed(self) -> bool:
        return self.package is None or importlib.util.find_spec(self.package) is not None


def attack_in_batches(attack: Callable[[Tensor, Tensor], Tensor], images: Tensor, labels: Tensor, batch: int) -> Tensor:
    """Cut samples into batches for a tool that takes whatever it is given at once."""
    parts = [slice(start, start + batch) for start in range(0, len(images), batch)]
    return torch.cat([attack(images[part].clone(), labels[part].clone()).detach() for part in parts])
