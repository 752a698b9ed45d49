"""The state dict of a file while it becomes one of effective weights."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from backend.errors import RejectedCheckpoint


@dataclass
class FoundState:
    """The effective state of a file. `normalization` holds (mean, std) where the file carries them."""

    tensors: dict[str, Tensor]
    normalization: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    warnings: list[str] = field(default_factory=list)


def last_part(name: str) -> str:
    """The part of a key after its last dot."""
    return name.rpartition(".")[2]


def take_each(found: FoundState, ending: str, target: str) -> Iterator[tuple[str, Tensor, str]]:
    """Take every key that ends so out of the state; give its name, its tensor, and the key of what it belongs to.

    Raises:
        RejectedCheckpoint: nothing of that name is there, or it holds no real numbers.
    """
    for name in [name for name in found.tensors if last_part(name) == ending]:
        belongs = f"{name.removesuffix(ending)}{target}"
        if belongs not in found.tensors:
            raise RejectedCheckpoint(f"{name!r} has no {target}: {belongs!r} is missing.", key=name)
        for key in (name, belongs):
            require_real(key, found.tensors[key])
        yield name, found.tensors.pop(name), belongs


def require_real(name: str, tensor: Tensor) -> None:
    """Refuse a tensor that a mask is computed from unless all its values are finite real numbers."""
    if not tensor.is_floating_point() or not bool(torch.isfinite(tensor).all()):
        raise RejectedCheckpoint(f"{name!r} should hold finite real numbers; it holds {tensor.dtype}.", key=name)


def refuse_shape(name: str, found: Tensor, wanted: Tensor) -> RejectedCheckpoint:
    """The refusal of a mask that does not fit its weight, ready to be raised."""
    return RejectedCheckpoint(
        f"{name!r} has shape {tuple(found.shape)}, which does not fit the weight {tuple(wanted.shape)}.", key=name
    )
