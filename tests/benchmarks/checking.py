"""The bench's own judge: whether an adversarial example holds. It shares no code with the engine or any peer."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

# A radius is taken as kept up to this share of it, and one float32 step of a pixel near 1: an attack that adds eps to
# a pixel in float32 cannot do better.
RADIUS_SHARE, PIXEL_STEP = 1e-6, 6e-8
ORDERS = {"Linf": np.inf, "L2": 2}


@dataclass(frozen=True)
class Judged:
    """Per sample: whether the claim `holds`, and its `distance` in the norm, inf where it does not; both (N,)."""

    holds: NDArray[np.bool_]
    distance: NDArray[np.float64]

    @property
    def refused(self) -> NDArray[np.bool_]:
        return ~self.holds


def measure_distances(images: Tensor, points: Tensor, norm: str) -> NDArray[np.float64]:
    """Distances in float64, (N,)."""
    difference = (points.double() - images.double()).flatten(1).numpy()
    distances: NDArray[np.float64] = np.linalg.norm(difference, ord=ORDERS[norm], axis=1)
    return distances


def classify_alone(network: nn.Module, points: Tensor) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Predicted classes in float32, each image in a batch of its own, and whether all its logits are finite."""
    with torch.no_grad():
        rows = [network(point[None].float())[0] for point in points]
    logits = torch.stack(rows) if rows else torch.zeros(0, 1)
    return logits.nan_to_num(nan=-torch.inf).argmax(1).numpy(), logits.isfinite().all(1).numpy()


def judge(
    network: nn.Module, images: Tensor, labels: Tensor, points: Tensor, norm: str, radius: float | None = None
) -> Judged:
    """Judge one claimed example per sample.

    Args:
        network: the untouched network in evaluation mode.
        images, points: float32 (N, C, H, W); the points are what the attack gave back.
        labels: int64 (N,).
        radius: how far a point may be, or None where the attack minimises the distance.

    A point holds when every pixel is finite and in [0, 1], it is within the radius, and the network, asked for this
    image alone in float32, answers finite logits and another class.
    """
    points = points.detach().float().cpu()
    if points.shape != images.shape:
        raise ValueError(f"points of shape {tuple(images.shape)} expected, {tuple(points.shape)} came")
    flat = points.flatten(1)
    in_box = (flat.isfinite().all(1) & (flat >= 0.0).all(1) & (flat <= 1.0).all(1)).numpy()
    safe = torch.where(torch.from_numpy(in_box)[:, None, None, None], points, images)
    distance = measure_distances(images, safe, norm)
    prediction, is_finite = classify_alone(network, safe)
    holds = in_box & is_finite & (prediction != labels.numpy()) & (distance > 0.0)
    if radius is not None:
        holds &= distance <= radius * (1.0 + RADIUS_SHARE) + PIXEL_STEP
    return Judged(holds, np.where(holds, distance, np.inf))


def find_claims(network: nn.Module, labels: Tensor, points: Tensor, batch: int) -> NDArray[np.bool_]:
    """What a tool that only gives images back claims: those its own batches misclassify, box and radius unasked."""
    points = points.detach().float()
    with torch.no_grad():
        parts = [network(points[start : start + batch]).argmax(1) for start in range(0, len(points), batch)]
    claimed: NDArray[np.bool_] = (torch.cat(parts) != labels).numpy()
    return claimed
