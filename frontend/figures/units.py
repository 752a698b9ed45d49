"""Distances as people read them: 1/255 for Linf, plain numbers for L2."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """What a stored distance is multiplied with on screen, and what is written next to it."""

    scale: float
    suffix: str

    @property
    def counts_steps(self) -> bool:
        """Whether distances are written in steps of 1/255."""
        return self.scale == 255

    def shown(self, distance: float) -> float:
        """A stored distance (pixels in [0, 1]) in this unit."""
        return distance * self.scale

    def precise(self, distance: float) -> float:
        """The same to nine digits, for the browser: with fewer, a threshold would cut otherwise there than here."""
        return float(f"{self.shown(distance):.9g}")

    def titled(self, words: str) -> str:
        """An axis title: `Dense margin (1/255)`."""
        return f"{words} ({self.suffix})"

    def text(self, distance: float | None, *, digits: int = 1) -> str:
        """`25.5/255`, `0.82`, or `none found` for a missing distance."""
        if distance is None or not math.isfinite(distance):
            return "none found"
        if self.counts_steps:
            return f"{self.shown(distance):.{digits}f}/255"
        return f"{distance:.{digits + 1}f}"


LINF = Unit(255.0, "1/255")
L2 = Unit(1.0, "L2")


def unit_of(norm: str) -> Unit:
    """The unit of a norm's distances."""
    return LINF if norm == "Linf" else L2


def axis_limit(largest: float) -> float:
    """The end of an axis that starts at 0: `largest` rounded up to two digits that read well."""
    if not math.isfinite(largest) or largest <= 0:
        return 1.0
    step = tick_step(largest) / 2
    return math.ceil(largest / step - 1e-9) * step


def tick_step(limit: float, *, ticks: int = 7) -> float:
    """Distance between ticks, 1, 2 or 5 times a power of ten, so that about `ticks` fit below `limit`."""
    rough = limit / ticks
    power = 10.0 ** math.floor(math.log10(rough))
    for factor in (1, 2, 5):
        if rough <= factor * power * 1.0001:
            return factor * power
    return 10 * power
