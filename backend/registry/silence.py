"""Counts the channels of a network that no image wakes: ReLU outputs that are zero everywhere."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

RELUS = frozenset((torch.relu, torch.relu_, Tensor.relu, Tensor.relu_, functional.relu, functional.relu_))


@dataclass(frozen=True)
class Silence:
    """Of `channels` ReLU outputs (units, after a linear layer) `silent` are zero on every image and at every place."""

    channels: int
    silent: int

    @property
    def share(self) -> float:
        """Silent share, 0..1; 0 for a network without ReLU."""
        return self.silent / self.channels if self.channels else 0.0


class _Listener(TorchFunctionMode):
    """Writes down the largest output of every channel of each ReLU that is called, in the order of the calls."""

    def __init__(self) -> None:
        super().__init__()
        self.peaks: list[Tensor] = []

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in RELUS and isinstance(result, Tensor) and result.ndim > 1:
            self.peaks.append(result.detach().transpose(0, 1).flatten(1).amax(1))
        return result


@torch.no_grad()
def count_silent(network: nn.Module, images: Tensor, *, batch: int) -> Silence:
    """Pass the images through and count channels that stay at zero; a ReLU is seen however the network calls it.

    Args:
        network: in `eval()` mode.
        images: float32 (B, C, H, W).
        batch: images per pass.
    """
    peaks: list[Tensor] = []
    for part in torch.split(images, batch):
        with _Listener() as listener:
            network(part)
        if not peaks:
            peaks = listener.peaks
        else:
            peaks = [torch.maximum(old, new) for old, new in zip(peaks, listener.peaks, strict=True)]
    return Silence(sum(len(peak) for peak in peaks), sum(int((peak == 0).sum()) for peak in peaks))
