"""Data-parallel training: one process per device, each with its share of every batch, gradients summed.

Every process runs the same `train` call with its own `Team`. All hold the same weights at all times; what differs from
a single process are random starts of the attack and crops, and that batch normalisation sees its process's share.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.multiprocessing.spawn import spawn

BACKENDS = {"cuda": "nccl", "cpu": "gloo"}


@dataclass(frozen=True)
class Team:
    """The processes of one run, seen from the one with `rank` (0..size - 1)."""

    rank: int = 0
    size: int = 1

    @property
    def is_alone(self) -> bool:
        """Is there one process only, so that nothing needs to be exchanged?"""
        return self.size == 1

    def take_share(self, positions: Tensor) -> Tensor:
        """Give this process's part of a batch (B,); shares differ by one sample at most."""
        return positions[self.rank :: self.size]

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace each gradient by the sum over all processes; a missing one, of an empty share, counts as 0."""
        if self.is_alone:
            return
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            distributed.all_reduce(parameter.grad)

    def average_buffers(self, network: nn.Module) -> None:
        """Give all processes the same buffers: the mean of the running statistics."""
        if self.is_alone:
            return
        for buffer in network.buffers():
            if buffer.is_floating_point():
                distributed.all_reduce(buffer)
                buffer /= self.size

    def share_value(self, value: float, device: torch.device) -> float:
        """Give all processes the value that the first has: what is decided by it is decided alike."""
        if self.is_alone:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=device)
        distributed.broadcast(shared, src=0)
        return float(shared.item())


ALONE = Team()


def run_team(work: Callable[..., Any], arguments: tuple[Any, ...], *, size: int, device: str, port: int) -> None:
    """Call `work(team, device, *arguments)` in `size` processes and wait; an error in one ends all and is raised here.

    Args:
        work: a function at the top of a module, because new processes import it.
        arguments: what it gets besides; must pickle.
        size: processes; on "cuda" at most one per GPU.
        device: "cuda" or "cpu".
        port: a free TCP port of this machine, where the processes meet.

    Raises:
        ValueError: more processes than GPUs.
    """
    if device == "cuda" and size > torch.cuda.device_count():
        raise ValueError(f"{size} processes need as many GPUs; this machine has {torch.cuda.device_count()}")
    launch: Callable[..., Any] = spawn
    launch(_join_team, args=(work, arguments, size, device, port), nprocs=size)


def _join_team(
    rank: int, work: Callable[..., Any], arguments: tuple[Any, ...], size: int, device: str, port: int
) -> None:
    """Meet the other processes, work, and part."""
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    own = torch.device(device, rank) if device == "cuda" else torch.device(device)
    if own.type == "cuda":
        torch.cuda.set_device(own)
    distributed.init_process_group(BACKENDS[device], rank=rank, world_size=size)
    try:
        work(Team(rank, size), own, *arguments)
    finally:
        distributed.destroy_process_group()
