"""Walks that follow gradients, many samples abreast: one to the nearest broken image, one inside a fixed radius.

Every walker has a row of its own, which does not depend on the other rows. For a pass each kind of walk gives the
points to evaluate and the combination of logits to lower, and gets the logits and the gradient in the points.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from backend.attacks.losses import find_best_other, is_lost, measure_gap
from backend.attacks.network.classifier import Classifier
from backend.attacks.norms import TINY, Norm, clamp_to_box, expand
from backend.attacks.search.phases import Rows, Walker, stack_rows

STEP_LAST = 0.01
CHANGE_FIRST, CHANGE_LAST = 0.05, 0.001
SPREAD_CHANGE_FIRST = 0.1
OVERSHOOT = 1.02
SMALLEST = 1e-30  # of a gradient, before its entries are divided by it


def follow_cosine(share: Tensor, first: Tensor | float, last: float) -> Tensor:
    """Half a cosine from `first` at share 0 to `last` at share 1; (B,)."""
    return last + 0.5 * (first - last) * (1.0 + torch.cos(math.pi * share))


def free_of_box(gradient: Tensor, images: Tensor) -> Tensor:
    """The gradient without the pixels at 0 or 1 that a descent step would push out of the box."""
    is_stuck = ((images <= 0.0) & (gradient > 0.0)) | ((images >= 1.0) & (gradient < 0.0))
    return gradient.masked_fill(is_stuck, 0.0)


def flatten_sizes(gradient: Tensor, power: Tensor) -> Tensor:
    """sign(g) |g|^power (B, C, H, W), in units of the largest entry; where the power (B,) is 1, the gradient itself."""
    largest = expand(gradient.flatten(1).abs().amax(1).clamp_min(SMALLEST), gradient)
    flattened = gradient.sign() * (gradient.abs() / largest).pow(expand(power, gradient))
    return torch.where(expand(power, gradient) == 1.0, gradient, flattened)


def estimate_radius(norm: Norm, gap: Tensor, gradient: Tensor) -> Tensor:
    """First-order distance to the boundary (B,), at most the whole box."""
    whole_box = norm.measure(torch.ones_like(gradient[:1]))
    return torch.minimum(gap.clamp_min(0.0) / norm.measure_dual(gradient).clamp_min(TINY), whole_box)


def pick_classes(count: int, classes: int, chosen: Tensor) -> Tensor:
    """One-hot rows float32 (B, K)."""
    return torch.zeros(count, classes, device=chosen.device).scatter_(1, chosen[:, None], 1.0)


def lower_gap(logits: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
    """Weights (B, K) whose combination of logits is the gap to the target, or to the best other class (target -1)."""
    others = torch.where(targets < 0, find_best_other(logits, labels), targets)
    count, classes = logits.shape
    return pick_classes(count, classes, labels) - pick_classes(count, classes, others)


def differentiate_gap(classifier: Classifier, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Logits (B, K), gap to the best other class (B,) and its gradient (B, C, H, W); one forward and backward pass."""
    untargeted = torch.full_like(labels, -1)
    logits, gradient = classifier.differentiate(images, lambda part: lower_gap(part, labels, untargeted))
    return logits, measure_gap(logits, labels), gradient


@dataclass(frozen=True)
class Minimise:
    """A minimum-norm walk of `steps` gradients: the smallest perturbation that changes the decision.

    The schedule of the Fast Minimum-Norm attack (Pintor et al. 2021, arXiv 2102.12827, algorithm 1): walk along the
    gradient of the logit gap inside a ball whose radius shrinks while the sample is broken and grows while it is not.
    Differs from the paper: the step is a share of each sample's own current radius instead of one length for all, so
    that near and far samples converge alike; the first step reaches a first-order estimate of the boundary; a pixel on
    the box's face is not pushed against it; besides the untargeted walk there are walks towards chosen classes.

    A `spread` walk (L2) begins along the signs of the gradient and ends along the gradient: every step follows
    sign(g) |g|^p, where p rises from 0 to 1 in half a cosine. On networks trained or pruned against Linf attacks few
    pixels carry most of an L2 gradient, and a walk along it ends in the local minimum next to the image; signs move
    every pixel that has a gradient and so wake what these pixels feed.

    target: class to walk to, -1 for the best other class at every point. first_step: length of the first step in
    radii. noise: a perturbation of length 1 (C, H, W) of which this share of a radius is mixed into the first step.
    enough: the distance within which the first broken image ends the walk (0: walk all steps). aim: a little less,
    where the first step goes if the boundary is estimated to be nearer.
    """

    steps: int
    target: int = -1
    first_step: float = 1.0
    noise: Tensor | None = None
    spread: bool = False
    enough: float = 0.0
    aim: float = 0.0
    needs_gradient = True

    @staticmethod
    def start(norm: Norm, walkers: list[Walker]) -> Rows:
        """Rows at their walkers' points; a walker that stands at its clean image begins with a first-order step."""
        rows = stack_rows(walkers)
        phases: list[Any] = [walker.phase for walker in walkers]
        rows["target"] = torch.tensor([phase.target for phase in phases], device=rows["image"].device)
        for name in ("first_step", "enough", "aim"):
            rows[name] = torch.tensor([getattr(phase, name) for phase in phases], device=rows["image"].device)
        still = torch.zeros_like(rows["image"][0])
        rows["noise"] = torch.stack([still if phase.noise is None else phase.noise for phase in phases])
        rows["spread"] = torch.tensor([phase.spread for phase in phases], device=rows["image"].device)
        rows["radius"] = norm.distance(rows["image"], rows["point"])
        return rows

    @staticmethod
    def direct(rows: Rows, logits: Tensor) -> Tensor:
        """The gap to lower."""
        return lower_gap(logits, rows["label"], rows["target"])

    @staticmethod
    def advance(norm: Norm, rows: Rows, logits: Tensor, gradient: Tensor) -> Tensor:
        """Note what is broken, change the radius, step; says who is near enough."""
        images, points, label, target = rows["image"], rows["point"], rows["label"], rows["target"]
        length = norm.distance(images, points)
        is_broken = is_lost(logits, label)
        note_best(rows, points, length, is_broken)
        others = torch.where(target < 0, find_best_other(logits, label), target)
        gap = measure_gap(logits, label, others)
        share = rows["step"] / (rows["steps"] - 1).clamp_min(1)
        spread = rows["spread"]
        change = follow_cosine(share, CHANGE_FIRST, CHANGE_LAST)
        change = torch.where(spread, follow_cosine(share, SPREAD_CHANGE_FIRST, CHANGE_LAST), change)
        free = free_of_box(gradient, points)
        limit = norm.measure(torch.ones_like(images[:1]))
        ahead = length + estimate_radius(norm, gap, free)
        is_first = (rows["step"] == 0) & (length == 0)
        best, radius = rows["distance"], rows["radius"]
        grown = torch.where(best.isfinite(), radius * (1.0 + change), ahead)
        radius = torch.where(is_broken, torch.minimum(radius, best) * (1.0 - change), grown)
        first = torch.where(ahead <= rows["aim"], rows["aim"], ahead * OVERSHOOT)
        radius = torch.where(is_first, first, radius)
        radius = torch.minimum(radius, torch.minimum(best, limit))
        stride = torch.where(is_first & ~spread, 1.0, follow_cosine(share, rows["first_step"], STEP_LAST))
        power = torch.where(spread, follow_cosine(share, 0.0, 1.0), 1.0)
        ways = norm.direct(flatten_sizes(free, power)) if bool(spread.any()) else norm.direct(free)
        moved = points - images - expand(stride * radius, images) * ways
        moved = moved + expand(torch.where(is_first, radius, 0.0), images) * rows["noise"]
        rows["point"] = clamp_to_box(images + norm.project(moved, radius))
        rows["radius"] = radius
        return (rows["enough"] > 0) & (rows["distance"] <= rows["enough"])


@dataclass(frozen=True)
class Ascend:
    """A walk of `steps` gradients inside a fixed radius, with steps of `first_step` radii that fall to `last_step`.

    loss: "gap" lowers the logit gap to `target` (-1: to the best other class), "cross-entropy" raises the
    cross-entropy, "weights" raises the combination `weights` (K,) of the logits (output-diversified initialisation,
    Tashiro et al. 2020, arXiv 2003.06878). stops: whether a walker leaves as soon as it is broken.
    """

    steps: int
    radius: float
    loss: str = "gap"
    target: int = -1
    weights: Tensor | None = None
    first_step: float = 1.0
    last_step: float = 0.0
    stops: bool = False
    needs_gradient = True

    @staticmethod
    def start(norm: Norm, walkers: list[Walker]) -> Rows:
        """Rows at their walkers' points, pulled into their radii."""
        rows = stack_rows(walkers)
        phases: list[Any] = [walker.phase for walker in walkers]
        device = rows["image"].device
        rows["target"] = torch.tensor([phase.target for phase in phases], device=device)
        for name in ("radius", "first_step", "last_step"):
            rows[name] = torch.tensor([getattr(phase, name) for phase in phases], device=device)
        rows["stops"] = torch.tensor([phase.stops for phase in phases], device=device)
        rows["raises_entropy"] = torch.tensor([phase.loss == "cross-entropy" for phase in phases], device=device)
        rows["is_weighted"] = torch.tensor([phase.loss == "weights" for phase in phases], device=device)
        classes = walkers[0].classes
        none = torch.zeros(classes, device=device)
        rows["weights"] = torch.stack([none if phase.weights is None else phase.weights for phase in phases])
        rows["point"] = clamp_to_box(rows["image"] + norm.project(rows["point"] - rows["image"], rows["radius"]))
        return rows

    @staticmethod
    def direct(rows: Rows, logits: Tensor) -> Tensor:
        """What to lower: the gap, minus the cross-entropy, or minus the weighted logits."""
        gap = lower_gap(logits, rows["label"], rows["target"])
        entropy = pick_classes(len(logits), logits.shape[1], rows["label"]) - logits.softmax(1)
        chosen = torch.where(rows["raises_entropy"][:, None], entropy, gap)
        return torch.where(rows["is_weighted"][:, None], -rows["weights"], chosen)

    @staticmethod
    def advance(norm: Norm, rows: Rows, logits: Tensor, gradient: Tensor) -> Tensor:
        """Note what is broken and step; says who is done early."""
        images, points = rows["image"], rows["point"]
        is_broken = is_lost(logits, rows["label"])
        note_best(rows, points, norm.distance(images, points), is_broken)
        share = rows["step"] / rows["steps"]
        stride = rows["first_step"] * (1.0 - share) + rows["last_step"] * share
        moved = points - images - expand(stride * rows["radius"], images) * norm.direct(gradient)
        rows["point"] = clamp_to_box(images + norm.project(moved, rows["radius"]))
        return is_broken & rows["stops"]


@dataclass(frozen=True)
class Rank:
    """The gradients of the gaps to the `steps` largest other logits, one after the other, at the clean image.

    Estimates each class's distance by gap over dual norm, the rule of MALT (Melamed et al. 2024, arXiv 2407.02240) with
    the norm's own dual in place of L1. What comes out is `estimates` (steps,) and `others` (steps,), by logit.
    """

    steps: int
    needs_gradient = True

    @staticmethod
    def start(norm: Norm, walkers: list[Walker]) -> Rows:
        """Rows at their clean images."""
        rows = stack_rows(walkers)
        steps = max(walker.phase.steps for walker in walkers)
        count, device = len(walkers), rows["image"].device
        rows["point"] = rows["image"].clone()
        rows["others"] = torch.zeros(count, steps, dtype=torch.long, device=device)
        rows["estimates"] = torch.full((count, steps), torch.inf, device=device)
        return rows

    @staticmethod
    def list_others(rows: Rows, logits: Tensor) -> Tensor:
        """Every row's class of this step."""
        others = logits.scatter(1, rows["label"][:, None], -torch.inf)
        order = others.argsort(dim=1, descending=True, stable=True)
        return order.gather(1, rows["step"].long()[:, None])[:, 0]

    @staticmethod
    def direct(rows: Rows, logits: Tensor) -> Tensor:
        """The gap to this step's class."""
        return lower_gap(logits, rows["label"], Rank.list_others(rows, logits))

    @staticmethod
    def advance(norm: Norm, rows: Rows, logits: Tensor, gradient: Tensor) -> Tensor:
        """Note this step's class and its estimate."""
        other, step = Rank.list_others(rows, logits), rows["step"].long()[:, None]
        gap = measure_gap(logits, rows["label"], other)
        estimate = gap / norm.measure_dual(free_of_box(gradient, rows["point"])).clamp_min(TINY)
        rows["others"].scatter_(1, step, other[:, None])
        rows["estimates"].scatter_(1, step, estimate[:, None])
        return torch.zeros_like(gap, dtype=torch.bool)


def note_best(rows: Rows, points: Tensor, length: Tensor, is_broken: Tensor) -> None:
    """Take over the points that are broken and nearer than the row's best."""
    is_better = is_broken & (length < rows["distance"])
    rows["best"] = torch.where(expand(is_better, points), points, rows["best"])
    rows["distance"] = torch.where(is_better, length, rows["distance"])
