"""Exact margins of linear networks inside the box, in float64 NumPy; shares no code with the attacks.

For each other class the decision changes on one hyperplane, and with the box the nearest point on it is found along
one monotone parameter: the radius in Linf, the multiplier in L2. In L1 the steepest pixels move first.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

HALVINGS = 200


@dataclass(frozen=True)
class LinearProblem:
    """A linear network, images (B, C, H, W), the classes it gives them, and the exact margins to leave them."""

    network: nn.Module
    images: Tensor
    predictions: Tensor
    margins: dict[str, NDArray[np.float64]]


def find_linf_radius(slope: NDArray[np.float64], room: NDArray[np.float64], gap: float) -> float:
    """Smallest r with sum |slope| min(r, room) >= gap; inf where the whole box is not enough."""
    if (np.abs(slope) * room).sum() < gap:
        return np.inf
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if (np.abs(slope) * np.minimum(middle, room)).sum() >= gap:
            high = middle
        else:
            low = middle
    return high


def find_l2_radius(slope: NDArray[np.float64], room: NDArray[np.float64], gap: float) -> float:
    """Length of the shortest step min(t |slope|, room) that closes the gap; inf where the box is not enough."""
    if (np.abs(slope) * room).sum() < gap:
        return np.inf
    low, high = 0.0, 1.0 / np.abs(slope[slope != 0]).min()
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if (np.abs(slope) * np.minimum(middle * np.abs(slope), room)).sum() >= gap:
            high = middle
        else:
            low = middle
    return float(np.linalg.norm(np.minimum(high * np.abs(slope), room)))


def find_l1_radius(slope: NDArray[np.float64], room: NDArray[np.float64], gap: float) -> float:
    """Least sum of changes that closes the gap: the steepest pixels first, each as far as the box lets it."""
    radius = 0.0
    for pixel in np.argsort(-np.abs(slope)):
        gained = np.abs(slope[pixel]) * room[pixel]
        if gained >= gap:
            return radius + gap / float(np.abs(slope[pixel]))
        radius, gap = radius + float(room[pixel]), gap - gained
    return np.inf


SOLVERS = {"Linf": find_linf_radius, "L2": find_l2_radius, "L1": find_l1_radius}


def solve_margins(
    weights: NDArray[np.float64], bias: NDArray[np.float64], points: NDArray[np.float64], norm: str
) -> NDArray[np.float64]:
    """Distance (B,) at which the winning class first ties with another, over all others."""
    margins = np.empty(len(points))
    for row, point in enumerate(points):
        logits = weights @ point + bias
        winner = int(logits.argmax())
        radii = []
        for other in range(len(bias)):
            if other != winner:
                slope = weights[winner] - weights[other]
                room = np.where(slope > 0, point, 1.0 - point)
                radii.append(SOLVERS[norm](slope, room, float(logits[winner] - logits[other])))
        margins[row] = min(radii)
    return margins


def build_problem(classes: int, shape: tuple[int, int, int], *, samples: int = 12, seed: int = 0) -> LinearProblem:
    """Random weights; a third of the images has most pixels on the faces of the box, where clamping matters."""
    generator = np.random.default_rng(seed)
    size = int(np.prod(shape))
    weights = generator.normal(size=(classes, size)).astype(np.float32)
    bias = (-weights.sum(1) / 2).astype(np.float32)
    points = generator.uniform(size=(samples, size)).astype(np.float32)
    third = samples // 3
    points[:third] = np.where(generator.uniform(size=(third, size)) < 0.7, points[:third].round(), points[:third])
    network = nn.Sequential(nn.Flatten(), nn.Linear(size, classes))
    with torch.no_grad():
        network[1].weight.copy_(torch.from_numpy(weights))
        network[1].bias.copy_(torch.from_numpy(bias))
    exact = weights.astype(np.float64), bias.astype(np.float64), points.astype(np.float64)
    return LinearProblem(
        network,
        torch.from_numpy(points).reshape(samples, *shape),
        torch.from_numpy((exact[2] @ exact[0].T + exact[1]).argmax(1)),
        {norm: solve_margins(*exact, norm) for norm in SOLVERS},
    )
