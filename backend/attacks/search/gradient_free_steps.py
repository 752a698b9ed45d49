"""Searches that need no gradient, many samples abreast: a bisection, patterns to choose from, and a random search.

As in `gradient_steps`, no row depends on the other rows.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from backend.attacks.losses import is_lost, measure_gap
from backend.attacks.norms import TINY, Norm, clamp_to_box, expand
from backend.attacks.search.gradient_steps import note_best
from backend.attacks.search.phases import Rows, Walker, stack_rows

SHRINK = 0.98
SMALLEST_SHARE = 0.003
ROUNDING = 1e-7  # of a pixel near 1, when a point at the radius is measured
HALVINGS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
"""Shares of the queries after which the squares of the Square attack cover half as much, as in the paper."""
GIVE_UP = ((1 / 15, 0.7), (1 / 6, 0.4), (1 / 3, 0.3), (1 / 2, 0.2), (2 / 3, 0.1))
"""After a share of the queries, the share of the first gap above which a row gives up.

Of the training images that 3,000 queries broke on `cnn-hydra-99` and `cnn-lwm-99` none had more than 0.56, 0.21, 0.21,
0.16 and 0.07 left by then.
"""


@dataclass(frozen=True)
class Bisect:
    """Pulls the walker's point towards its clean image along the segment between them."""

    steps: int
    needs_gradient = False

    @staticmethod
    def start(norm: Norm, walkers: list[Walker]) -> Rows:
        """The whole segment."""
        rows = stack_rows(walkers)
        rows["direction"] = rows["point"] - rows["image"]
        rows["inner"] = torch.zeros_like(rows["distance"])
        rows["outer"] = torch.ones_like(rows["distance"])
        return rows

    @staticmethod
    def look(norm: Norm, rows: Rows) -> Tensor:
        """The middle of what is left of the segment."""
        middle = (rows["inner"] + rows["outer"]) / 2
        return clamp_to_box(rows["image"] + expand(middle, rows["image"]) * rows["direction"])

    @staticmethod
    def advance(norm: Norm, rows: Rows, logits: Tensor, gradient: Tensor) -> Tensor:
        """Keep the half that holds the crossing."""
        points = Bisect.look(norm, rows)
        holds = is_lost(logits, rows["label"])
        note_best(rows, points, norm.distance(rows["image"], points), holds)
        middle = (rows["inner"] + rows["outer"]) / 2
        rows["outer"] = torch.where(holds, middle, rows["outer"])
        rows["inner"] = torch.where(holds, rows["inner"], middle)
        return torch.zeros_like(holds)


@dataclass(frozen=True)
class Choose:
    """Of a few perturbations of full strength, the one with the lowest logit gap at `radius_share` of the best radius.

    signs: (steps, C, H, W), -1 or 1. radius: the best known distance, at most 1. One that breaks the sample lowers the
    radius for the next ones. The walker ends on the chosen point, with its radius in the note `radius`. Linf only.
    """

    signs: Tensor
    radius: float
    radius_share: float
    needs_gradient = False

    @property
    def steps(self) -> int:
        """One pass per pattern."""
        return len(self.signs)

    @staticmethod
    def start(norm: Norm, walkers: list[Walker]) -> Rows:
        """Nothing chosen."""
        rows = stack_rows(walkers)
        phases: list[Any] = [walker.phase for walker in walkers]
        device = rows["image"].device
        rows["signs"] = torch.stack([phase.signs for phase in phases])
        rows["radius_share"] = torch.tensor([phase.radius_share for phase in phases], device=device)
        rows["radius"] = torch.tensor([phase.radius * phase.radius_share for phase in phases], device=device)
        rows["lowest"] = torch.full_like(rows["distance"], torch.inf)
        return rows

    @staticmethod
    def look(norm: Norm, rows: Rows) -> Tensor:
        """This step's pattern at the present radius."""
        signs = rows["signs"][torch.arange(len(rows["signs"])), rows["step"].long()]
        return clamp_to_box(rows["image"] + expand(rows["radius"], rows["image"]) * signs)

    @staticmethod
    def advance(norm: Norm, rows: Rows, logits: Tensor, gradient: Tensor) -> Tensor:
        """Keep the lowest."""
        points, images = Choose.look(norm, rows), rows["image"]
        gap = measure_gap(logits, rows["label"])
        is_lower = gap < rows["lowest"]
        rows["point"] = torch.where(expand(is_lower, points), points, rows["point"])
        rows["lowest"] = torch.where(is_lower, gap, rows["lowest"])
        note_best(rows, points, norm.distance(images, points), is_lost(logits, rows["label"]))
        shrunk = torch.minimum(rows["radius"], rows["distance"].clamp_max(1.0) * rows["radius_share"])
        rows["lowest"] = torch.where(shrunk < rows["radius"], torch.inf, rows["lowest"])
        rows["radius"] = shrunk
        return torch.zeros_like(is_lower)


def place_squares(draws: Tensor, images: Tensor, share: Tensor) -> Tensor:
    """Squares of about `share` (B,) of the image, bool (B, 1, H, W); `draws` (B, 2) in [0, 1) say where."""
    height, width = images.shape[2:]
    side = (share * height * width).sqrt().round().clamp(1, min(height, width))
    top = (draws[:, 0] * (height - side + 1)).floor()[:, None]
    left = (draws[:, 1] * (width - side + 1)).floor()[:, None]
    rows, columns = (torch.arange(length, device=images.device)[None] for length in (height, width))
    is_row = (rows >= top) & (rows < top + side[:, None])
    is_column = (columns >= left) & (columns < left + side[:, None])
    return (is_row[:, :, None] & is_column[:, None, :])[:, None]


@dataclass(frozen=True)
class Queries:
    """What searches by random squares have in common.

    draws: (queries, 2 + C) in [0, 1), place and signs of each square. radius: at most 1. first_share: share of the
    image that the first square covers.
    """

    draws: Tensor
    radius: float
    first_share: float
    needs_gradient = False

    @property
    def steps(self) -> int:
        """One pass to begin and one per query."""
        return len(self.draws) + 1


@dataclass(frozen=True)
class Search(Queries):
    """Random search for a smaller perturbation; Linf only.

    Square by square as in the Square attack (Andriushchenko et al. 2020, arXiv 1912.00049): all pixels of a random
    square are set to plus or minus the radius, and the change is kept when the logit gap falls. Differs from the paper:
    it starts from the best example known, and the radius shrinks with every success, so that what comes out is a
    margin. Where many pixels have no gradient it comes nearer than every gradient attack, and that it does is the sign
    of masked gradients.

    radius: the best known distance. first_share falls to that of a few pixels linearly.
    """

    @staticmethod
    def start(norm: Norm, walkers: list[Walker]) -> Rows:
        """The walker's point, pulled just inside the radius."""
        rows = begin_squares(walkers)
        rows["limit"] = rows["radius"] + ROUNDING
        rows["radius"] = rows["radius"] * SHRINK
        return pull_inside(norm, rows)

    @staticmethod
    def look(norm: Norm, rows: Rows) -> Tensor:
        """The point itself first, then the point with a square of this step's signs."""
        query = (rows["step"].long() - 1).clamp_min(0)
        return set_square(rows, query, rows["first_share"] * (1.0 - query / (rows["steps"] - 1)) + SMALLEST_SHARE)

    @staticmethod
    def advance(norm: Norm, rows: Rows, logits: Tensor, gradient: Tensor) -> Tensor:
        """Keep what lowers the gap; a success shrinks the radius."""
        images, candidates = rows["image"], Search.look(norm, rows)
        reached = measure_gap(logits, rows["label"])
        is_lower = reached < rows["gap"]
        points = torch.where(expand(is_lower, images), candidates, rows["point"])
        length = norm.distance(images, points)
        is_broken = is_lower & is_lost(logits, rows["label"]) & (length <= rows["limit"])
        note_best(rows, points, length, is_broken)
        rows["limit"] = torch.where(is_broken, torch.minimum(rows["limit"], length), rows["limit"])
        rows["radius"] = torch.where(is_broken, torch.minimum(rows["radius"], length) * SHRINK, rows["radius"])
        # Pulled into the smaller radius the point's gap is not known: the next square is taken whatever it does.
        rows["gap"] = torch.where(is_broken, torch.inf, torch.where(is_lower, reached, rows["gap"]))
        rows["point"] = clamp_to_box(images + norm.project(points - images, rows["radius"]))
        return torch.zeros_like(is_broken)


@dataclass(frozen=True)
class Squares(Queries):
    """The Square attack (Andriushchenko et al. 2020, arXiv 1912.00049) inside a fixed radius; Linf only.

    All pixels of a random square are set to plus or minus the radius, and the change is kept when the logit gap falls;
    the squares shrink on the paper's schedule. The first success ends it. Differs from the paper: a row whose gap does
    not fall as those of broken samples do gives up, which saves half of the queries or more.

    gives_up: whether hopeless rows end early; gaps of scores that are squeezed, as probabilities are, do not tell. The
    share of the first gap that is left at the end is the note `left`.
    """

    gives_up: bool = True

    @staticmethod
    def start(norm: Norm, walkers: list[Walker]) -> Rows:
        """The walker's point, pulled inside the radius."""
        rows = begin_squares(walkers)
        phases: list[Any] = [walker.phase for walker in walkers]
        rows["gives_up"] = torch.tensor([phase.gives_up for phase in phases], device=rows["image"].device)
        rows["first_gap"] = torch.full_like(rows["distance"], torch.inf)
        rows["left"] = torch.ones_like(rows["distance"])
        return pull_inside(norm, rows)

    @staticmethod
    def look(norm: Norm, rows: Rows) -> Tensor:
        """The point itself first, then the point with a square of this step's signs."""
        query = (rows["step"].long() - 1).clamp_min(0)
        done = query / (rows["steps"] - 1)
        halvings = (done[:, None] > torch.tensor(HALVINGS, device=done.device)).sum(1)
        return set_square(rows, query, rows["first_share"] * 0.5**halvings)

    @staticmethod
    def advance(norm: Norm, rows: Rows, logits: Tensor, gradient: Tensor) -> Tensor:
        """Keep what lowers the gap; who broke or falls behind is done."""
        images, candidates = rows["image"], Squares.look(norm, rows)
        reached = measure_gap(logits, rows["label"])
        is_lower = reached < rows["gap"]
        length = norm.distance(images, candidates)
        is_broken = is_lower & is_lost(logits, rows["label"]) & (length <= rows["radius"] + ROUNDING)
        note_best(rows, candidates, length, is_broken)
        rows["point"] = torch.where(expand(is_lower, images), candidates, rows["point"])
        rows["gap"] = torch.where(is_lower, reached, rows["gap"])
        rows["first_gap"] = torch.where(rows["step"] == 0, reached, rows["first_gap"])
        rows["left"] = rows["gap"].clamp_min(TINY) / rows["first_gap"].clamp_min(TINY)
        done = rows["step"] / (rows["steps"] - 1)
        is_behind = torch.zeros_like(is_broken)
        for after, share in GIVE_UP:
            is_behind |= (done >= after) & (rows["left"] > share)
        return is_broken | (is_behind & rows["gives_up"])


def begin_squares(walkers: list[Walker]) -> Rows:
    """Rows with the draws, first share and radius of their phases, and no gap known."""
    rows = stack_rows(walkers)
    phases: list[Any] = [walker.phase for walker in walkers]
    rows["draws"] = torch.stack([phase.draws for phase in phases])
    for name in ("first_share", "radius"):
        rows[name] = torch.tensor([getattr(phase, name) for phase in phases], device=rows["image"].device)
    rows["gap"] = torch.full_like(rows["distance"], torch.inf)
    return rows


def pull_inside(norm: Norm, rows: Rows) -> Rows:
    """The same rows with their points inside the radius."""
    rows["point"] = clamp_to_box(rows["image"] + norm.project(rows["point"] - rows["image"], rows["radius"]))
    return rows


def set_square(rows: Rows, query: Tensor, share: Tensor) -> Tensor:
    """The rows' points (B, C, H, W) with the square of a query (B,) set to plus or minus the radius; at step 0 as they
    are. `share` (B,) is that of the image which it covers."""
    images = rows["image"]
    draws = rows["draws"][torch.arange(len(query)), query]
    square = place_squares(draws, images, share) & expand(rows["step"] > 0, images)
    signs = torch.where(draws[:, 2:] < 0.5, -1.0, 1.0)[:, :, None, None]
    return torch.where(square, clamp_to_box(images + expand(rows["radius"], images) * signs), rows["point"])
