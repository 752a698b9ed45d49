"""Thin-ice-aware pruning: search and finetuning that look after the samples near the dense network's boundary.

Pruning loses samples that stood close to the dense boundary (Piras et al., 2023, arXiv 2310.08073). Here the loss of
the mask search and of the finetuning knows each training sample's dense margin and dense output. Five forms, which add
up; each is off where its factor is 0:

- weights: a sample whose dense margin is small, or just above eps, counts more than one far from either edge;
- keeping: a hinge where the gap of logits falls below what the dense network has on the same adversarial;
- distillation: KL(dense || pruned) on the same adversarial, most where the dense network is right (the focal
  distillation of Yan et al., "Positive-congruent training", 2021, arXiv 2011.09161, on adversarials);
- clean distillation: the same divergence on the clean image, which is where clean flips are decided;
- the cross-entropy of adversarial images, as in PGD-AT, with what distillation leaves.

At equal budget no form has lost fewer samples than HARP yet, clean and robust (measured; decision 0001 of pruning).
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.pruning.plans import Care
from models.training.losses import AdversarialLoss, Batch, diverge
from models.training.margins import estimate_margins, measure_gaps
from models.training.passes import Passes
from models.training.pgd import attack_mode

MARGIN_REACH = 1.25
"""How far dense margins are followed, in radii of training."""


def weigh_samples(margins: Tensor, eps: float, care: Care) -> Tensor:
    """Give the weight of each training sample, with mean 1.

    1 + clean_weight exp(-m / width) + robust_weight exp(-|m - eps| / width) for a margin m above 0: pruning can take
    clean accuracy from the first kind and robust accuracy from the second. Samples that the dense network gets wrong
    (m = 0) cannot be lost and get 1.

    Args:
        margins: float (N,), pixel distances; 0 where wrong, inf where none was found.
        eps: the radius of training.
    """
    near_boundary = care.clean_weight * torch.exp(-margins / care.width)
    near_radius = care.robust_weight * torch.exp(-(margins - eps).abs() / care.width)
    weights = 1.0 + torch.where(margins > 0.0, near_boundary + near_radius, 0.0)
    return weights / weights.mean()


class ThinIceLoss(AdversarialLoss):
    """PGD-AT with care for thin ice; the adversarials are those of PGD-AT on the network in training."""

    def __init__(self, dense: nn.Module, margins: Tensor, eps: float, care: Care) -> None:
        """Take what is known about the dense network.

        Args:
            dense: the parent, on the device of the training; it is not changed.
            margins: float (N,), the dense margin of every training image, in their order.
            eps: the radius of training, which the robust verdict is about.
            care: how much of each form.

        Raises:
            ValueError: a margin that is negative or not a number.
        """
        if not bool((margins >= 0.0).all()):
            raise ValueError("margins must be 0 or more, infinite where none was found; got NaN or negative ones")
        self.dense, self.care = dense, care
        self.weights = weigh_samples(margins, eps, care)

    def measure_samples(self, network: nn.Module, batch: Batch, adversarials: Tensor) -> Tensor:
        """Give the loss of each sample (B,), weights included."""
        logits = network(adversarials)
        losses = (1.0 - self.care.distillation) * functional.cross_entropy(logits, batch.labels, reduction="none")
        if self.care.asks_dense:
            with attack_mode(self.dense), torch.no_grad():
                reference = self.dense(adversarials)
            losses = losses + self._follow(logits, reference, batch.labels)
        if self.care.clean_distillation > 0.0:
            losses = losses + self.care.clean_distillation * self._follow_clean(network, batch)
        return losses * self.weights[batch.positions].to(losses.device)

    def _follow(self, logits: Tensor, reference: Tensor, labels: Tensor) -> Tensor:
        """Give distillation and hinge (B,) against the dense logits on the same adversarials."""
        dense_gaps = measure_gaps(reference, labels)
        is_right = dense_gaps > 0.0
        share = torch.where(is_right, 1.0, self.care.wrong_share)
        shortfall = functional.relu(dense_gaps - measure_gaps(logits, labels))
        kept = torch.where(is_right, shortfall, 0.0)
        return self.care.distillation * share * diverge(reference, logits) + self.care.keeping * kept

    def _follow_clean(self, network: nn.Module, batch: Batch) -> Tensor:
        """Give the divergence (B,) from the dense network on the clean images."""
        with attack_mode(self.dense), torch.no_grad():
            reference = self.dense(batch.images)
        is_right = measure_gaps(reference, batch.labels) > 0.0
        return torch.where(is_right, 1.0, self.care.wrong_share) * diverge(reference, network(batch.images))

    def count_passes(self, pgd_steps: int) -> Passes:
        """Count those of PGD-AT and those of the care."""
        return super().count_passes(pgd_steps) + self.care.passes


def build_thin_ice_loss(
    dense: nn.Module,
    images: Tensor,
    labels: Tensor,
    eps: float,
    care: Care,
    *,
    margins: Tensor | None = None,
    on_batch: Callable[[], None] | None = None,
) -> ThinIceLoss:
    """Build the loss from the dense margins (N,) of all training images (N, C, H, W).

    Where none are given they are estimated, `MARGIN_PASSES` each; `on_batch` is called after each batch of that, and
    what it raises ends it.

    Raises:
        ValueError: not one margin an image, or as in `ThinIceLoss`.
    """
    if margins is None:
        margins = estimate_margins(dense, images, labels, reach=MARGIN_REACH * eps, on_batch=on_batch)
    if len(margins) != len(images):
        raise ValueError(f"each training image needs one margin; got {len(margins):,} for {len(images):,} images")
    return ThinIceLoss(dense, margins, eps, care)
