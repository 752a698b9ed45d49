"""Random search for a smaller perturbation, without gradients; Linf only.

Square by square as in the Square attack (Andriushchenko et al. 2020, arXiv 1912.00049): all pixels of a random square
are set to plus or minus the radius, and the change is kept when the logit gap falls. Differs from the paper: it starts
from the best example known, and the radius shrinks with every success, so that what comes out is a margin. Where many
pixels have no gradient it comes nearer than every gradient attack, and that it does is the sign of masked gradients.
"""

import torch
from torch import Tensor

from backend.attacks.classifier import Classifier
from backend.attacks.losses import is_lost, measure_gap
from backend.attacks.minimum_norm import Best, start_best
from backend.attacks.norms import Norm, clamp_to_box, expand
from backend.attacks.starts import draw_uniform

SHRINK = 0.98
SMALLEST_SHARE = 0.003


def place_squares(draws: Tensor, images: Tensor, share: float) -> Tensor:
    """Squares of about `share` of the image, bool (B, 1, H, W); `draws` (B, 2) in [0, 1) say where."""
    height, width = images.shape[2:]
    side = min(max(1, round((share * height * width) ** 0.5)), height, width)
    top = (draws[:, 0] * (height - side + 1)).long()[:, None]
    left = (draws[:, 1] * (width - side + 1)).long()[:, None]
    rows, columns = (torch.arange(length, device=images.device)[None] for length in (height, width))
    is_row, is_column = (rows >= top) & (rows < top + side), (columns >= left) & (columns < left + side)
    return (is_row[:, :, None] & is_column[:, None, :])[:, None]


def search(
    classifier: Classifier,
    norm: Norm,
    images: Tensor,
    labels: Tensor,
    best: Best,
    *,
    name: str,
    seed: int,
    queries: int,
    first_share: float,
) -> Best:
    """Search inside the radius of the best known example (the whole box without one).

    Cost: one forward pass per query and one to start.

    Args:
        images: float32 (B, C, H, W) in [0, 1], classified as `labels` int64 (B,).
        first_share: share of the image that the first square covers; it falls to a few pixels linearly.
    Returns:
        What was found nearer than `best`; nothing where the search came no nearer.
    """
    draws = (draw_uniform(images.cpu(), seed, name, torch.Size([queries, 2 + images.shape[1]])) + 1.0) / 2
    draws = draws.clamp_max(1.0 - 1e-6).to(images.device)
    radius = best.distance.clamp_max(1.0) * SHRINK
    points = clamp_to_box(images + norm.project(best.images - images, radius))
    gap = measure_gap(classifier.classify(points), labels)
    found = start_best(images)
    for query in range(queries):
        square = place_squares(draws[:, query], images, first_share * (1.0 - query / queries) + SMALLEST_SHARE)
        signs = torch.where(draws[:, query, 2:] < 0.5, -1.0, 1.0)[:, :, None, None]
        candidates = torch.where(square, clamp_to_box(images + expand(radius, images) * signs), points)
        logits = classifier.classify(candidates)
        reached = measure_gap(logits, labels)
        is_lower = reached < gap
        points = torch.where(expand(is_lower, images), candidates, points)
        length = norm.distance(images, points)
        is_broken = is_lower & is_lost(logits, labels) & (length < best.distance)
        found = found.improve(points, length, is_broken)
        radius = torch.where(is_broken, torch.minimum(radius, length) * SHRINK, radius)
        # Pulled into the smaller radius the point's gap is not known: the next square is taken whatever it does.
        gap = torch.where(is_broken, torch.inf, torch.where(is_lower, reached, gap))
        points = clamp_to_box(images + norm.project(points - images, radius))
    return found
