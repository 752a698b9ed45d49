"""Compute batches: how many samples go through the network at once, halved when memory runs out."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import torch

T = TypeVar("T")


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether memory ran out: CUDA raises its own class, the CPU allocator a RuntimeError with this sentence."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


class Batches:
    """Cuts samples into batches of `size` and remembers a smaller size once memory has run out."""

    def __init__(self, size: int, narrower: tuple[int, ...] = ()) -> None:
        self.size = size
        self.narrower = narrower
        self.is_padded = False  # set by a classifier that pads its passes to the widths
        self.halvings = 0

    @property
    def widths(self) -> tuple[int, ...]:
        """Widths that give the same bits, from the widest (see `widths.find_widths`)."""
        return (self.size, *(width for width in self.narrower if width < self.size))

    def find_width(self, count: int) -> int:
        """How many images a pass of `count` has: padded, as many as the narrowest width that holds them."""
        return min((width for width in self.widths if width >= count), default=self.size) if self.is_padded else count

    def halve(self, tried: int) -> None:
        """Take half of what did not fit into memory, from now on; narrower widths were probed for the old size."""
        self.size = max(1, tried // 2)
        self.narrower = ()
        self.halvings += 1

    def run(self, count: int, function: Callable[[slice], T]) -> Iterator[tuple[slice, T]]:
        """Call `function` on consecutive slices of range(count); yields each slice with its result.

        A slice that runs out of memory is tried again at half the width; a single sample that does not fit raises.
        """
        start = 0
        while start < count:
            part = slice(start, min(start + self.size, count))
            try:
                result = function(part)
            except RuntimeError as error:
                width = self.find_width(part.stop - part.start)
                if not is_out_of_memory(error) or width == 1:
                    raise
                self.halve(width)
            else:
                yield part, result
                start = part.stop
                continue
            # Only here has the error let go of the frames that hold the tensors of the failed batch.
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
