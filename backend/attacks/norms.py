"""The norms a perturbation is measured in: distance, projection onto the ball, dual norm, steepest direction.

Shapes: images and perturbations are float32 (B, C, H, W), radii and distances float32 (B,), in pixel units
([0, 1] is the whole range of a pixel). Every function leaves its inputs as they are.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.errors import UnknownName

TINY = 1e-12


def expand(values: Tensor, like: Tensor) -> Tensor:
    """Reshape one value per sample (B,) so that it multiplies images (B, ...)."""
    return values.reshape(-1, *[1] * (like.dim() - 1))


def measure_linf(perturbation: Tensor) -> Tensor:
    """Largest absolute entry per sample (B,)."""
    return perturbation.flatten(1).abs().amax(1)


def measure_l2(perturbation: Tensor) -> Tensor:
    """Euclidean length per sample (B,)."""
    lengths: Tensor = perturbation.flatten(1).norm(dim=1)
    return lengths


def measure_l1(perturbation: Tensor) -> Tensor:
    """Sum of absolute entries per sample (B,)."""
    return perturbation.flatten(1).abs().sum(1)


def project_linf(perturbation: Tensor, radius: Tensor) -> Tensor:
    """Nearest point of the Linf ball of `radius` (B,) around zero; inside points are returned as they are."""
    limit = expand(radius, perturbation)
    return torch.minimum(torch.maximum(perturbation, -limit), limit)


def project_l2(perturbation: Tensor, radius: Tensor) -> Tensor:
    """Nearest point of the L2 ball of `radius` (B,) around zero; inside points are returned as they are."""
    length = measure_l2(perturbation)
    outside = length > radius
    scale = torch.where(outside, radius / length.clamp_min(TINY), torch.ones_like(length))
    return perturbation * expand(scale, perturbation)


def project_l1(perturbation: Tensor, radius: Tensor) -> Tensor:
    """Nearest point of the L1 ball of `radius` (B,) around zero; inside points are returned as they are.

    Every entry shrinks by the same threshold, found from the sorted sizes (Duchi et al. 2008, Efficient Projections
    onto the l1-Ball for Learning in High Dimensions). In float64, so that what is left sums to the radius.
    """
    flat = perturbation.flatten(1)
    size = flat.abs().double()
    ordered = size.sort(dim=1, descending=True).values
    excess = ordered.cumsum(1) - radius.double()[:, None]
    rank = torch.arange(1, flat.shape[1] + 1, device=flat.device)
    kept = (ordered * rank > excess).sum(1, keepdim=True).clamp_min(1)
    threshold = excess.gather(1, kept - 1) / kept
    shrunk = ((size - threshold).clamp_min(0.0) * flat.sign()).to(perturbation.dtype).reshape(perturbation.shape)
    return torch.where(expand(measure_l1(perturbation) > radius, perturbation), shrunk, perturbation)


def direct_linf(gradient: Tensor) -> Tensor:
    """Unit perturbation (Linf) that raises a function of this gradient most: its sign."""
    return gradient.sign()


def direct_l2(gradient: Tensor) -> Tensor:
    """Unit perturbation (L2) that raises a function of this gradient most; zero where the gradient is zero."""
    return gradient / expand(measure_l2(gradient).clamp_min(TINY), gradient)


def direct_l1(gradient: Tensor) -> Tensor:
    """Unit perturbation (L1) that raises a function of this gradient most: its largest entry's sign, alone."""
    flat = gradient.flatten(1)
    largest = flat.abs().argmax(1, keepdim=True)
    return torch.zeros_like(flat).scatter(1, largest, flat.gather(1, largest).sign()).reshape(gradient.shape)


@dataclass(frozen=True)
class Norm:
    """One norm: `measure` a perturbation, `measure_dual` a gradient, `project`, and the steepest `direct`ion."""

    name: str
    measure: Callable[[Tensor], Tensor]
    measure_dual: Callable[[Tensor], Tensor]
    project: Callable[[Tensor, Tensor], Tensor]
    direct: Callable[[Tensor], Tensor]

    def distance(self, images: Tensor, others: Tensor) -> Tensor:
        """Distance per sample (B,) between two stacks of images."""
        return self.measure(others - images)


NORMS = {
    "Linf": Norm("Linf", measure_linf, measure_l1, project_linf, direct_linf),
    "L1": Norm("L1", measure_l1, measure_linf, project_l1, direct_l1),
    "L2": Norm("L2", measure_l2, measure_l2, project_l2, direct_l2),
}


def get_norm(name: str) -> Norm:
    """The norm of this name; UnknownName lists what exists."""
    if name not in NORMS:
        raise UnknownName("norm", name, NORMS)
    return NORMS[name]


def clamp_to_box(images: Tensor) -> Tensor:
    """Nearest images whose pixels lie in [0, 1]; pixels inside are not moved."""
    return images.clamp(0.0, 1.0)
