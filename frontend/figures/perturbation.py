"""The scale of signed perturbations: one for all that stand together, so that equal colours are equal changes."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

ScaleKind = Literal["eps", "change"]

BLUE_TO_RED = ("#053061", "#4393c3", "#ffffff", "#d6604d", "#67001f")
"""Darker to brighter in equal steps; the colours of the PNG that the REST call draws."""

SMALLEST = 1e-6  # the least change that the REST call gives the full colour

Images = tuple[NDArray[np.float32], NDArray[np.float32]]


def largest_change(pairs: Sequence[Images]) -> float | None:
    """The largest change of a pixel over all (clean, adversarial), float32 (H, W, C) in [0, 1]; None without any."""
    changes = [float(np.abs(adversarial - clean).max()) for clean, adversarial in pairs]
    return max(changes, default=None)


def choose_scale(kind: ScaleKind, *, eps: float | None, change: float | None) -> float | None:
    """The change that gets the full colour, for all frames together, SMALLEST to 1; None without any change.

    Args:
        kind: "eps" locks it to eps, or to the largest change where that goes beyond; "change" to the largest change.
        eps: as a change of a pixel; None where the norm does not bound single pixels (L2).
        change: the largest change of a pixel over all frames; None where there is no adversarial.
    """
    if change is None or change <= 0:
        return None
    limit = change if kind == "change" or eps is None else max(eps, change)
    return min(1.0, max(SMALLEST, limit))
