"""A plane through an image: two directions in a space of many pixels, and shapes on it. All float64.

A point of the plane is the image plus x times the first axis plus y times the second. The axes have length 1 and stand
at right angles, so that lengths on the plane are L2 distances.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FAR = 1e6  # half the side of the square that shapes are cut out of: no image is as far away
SMALLEST_SINE = 1e-3
"""Of the angle between two directions; below it rounding decides where the plane lies."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Plane:
    """`axes` (2, D): the first along the first direction, the second towards the second one."""

    axes: Array

    def place(self, change: Array) -> tuple[float, float]:
        """Where a change of the image, (D,), lies on the plane."""
        x, y = self.axes @ change
        return float(x), float(y)

    def move(self, places: Array) -> Array:
        """Changes of the image (N, D) at some places (N, 2)."""
        moved: Array = places @ self.axes
        return moved


def span_plane(first: Array, second: Array) -> Plane | None:
    """The plane of two directions (D,); None where they lie on one line or one of them has no length."""
    lengths = np.linalg.norm(first), np.linalg.norm(second)
    if not all(np.isfinite(length) and length > 0 for length in lengths):
        return None
    along = first / lengths[0]
    across = second / lengths[1] - along * (along @ second / lengths[1])
    sine = float(np.linalg.norm(across))
    return Plane(np.stack([along, across / sine])) if sine >= SMALLEST_SINE else None


def cut_shape(plane: Plane, low: Array, high: Array) -> list[tuple[float, float]]:
    """Corners of the part of the plane where every change lies between `low` and `high`, (D,) each; in order.

    The image itself, a change of 0, has to be in it. Half planes are cut off one by one (Sutherland and Hodgman 1974).
    """
    corners = np.array([[-FAR, -FAR], [FAR, -FAR], [FAR, FAR], [-FAR, FAR]])
    lines = np.concatenate([plane.axes.T, -plane.axes.T])
    limits = np.concatenate([high, -low])
    steep = np.linalg.norm(lines, axis=1)
    order = np.argsort(limits / np.maximum(steep, 1e-12), kind="stable")  # the nearest first: they leave least to cut
    for row in order[steep[order] > 1e-12]:
        beyond = corners @ lines[row] - limits[row]
        if (beyond > 0).any():
            corners = cut_off(corners, beyond)
    return [(float(x), float(y)) for x, y in corners]


def cut_off(corners: Array, beyond: Array) -> Array:
    """The corners (N, 2) of a convex shape without what lies beyond a line; `beyond` (N,) is positive there."""
    kept: list[Array] = []
    for here in range(len(corners)):
        after = (here + 1) % len(corners)
        if beyond[here] <= 0:
            kept.append(corners[here])
        if (beyond[here] > 0) != (beyond[after] > 0):
            share = beyond[here] / (beyond[here] - beyond[after])
            kept.append(corners[here] + share * (corners[after] - corners[here]))
    return np.array(kept).reshape(-1, 2)


def lay_grid(half_width: float, points: int) -> Array:
    """Places (points * points, 2) of a grid around the image, row by row from the lowest y."""
    steps = np.linspace(-half_width, half_width, points)
    across, up = np.meshgrid(steps, steps)
    return np.stack([across.ravel(), up.ravel()], axis=1)


def choose_half_width(places: Array, ball: Array | None) -> float:
    """Half the side of a picture that shows the places (N, 2) and as much of a ball as does not make them small.

    Args:
        ball: its corners (M, 2); None without one.
    """
    reach = float(np.abs(places).max())
    wanted = reach if ball is None or not len(ball) else max(reach, min(float(np.abs(ball).max()), 2 * reach))
    return 1.15 * wanted
