"""The losses of adversarial training, per sample: PGD-AT, TRADES and MART, each with the attack it trains on.

References: Madry et al., 2018, arXiv 1706.06083 (PGD-AT); Zhang et al., 2019, arXiv 1901.08573 (TRADES); Wang et al.,
"Improving adversarial robustness requires revisiting misclassified examples", ICLR 2020 (MART).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.training.passes import LOSS_PASSES, Passes
from models.training.pgd import attack_mode, climb, find_adversarials
from models.training.recipe import Recipe, TrainingAttack

TRADES_START = 0.001
"""Standard deviation of the noise that TRADES starts from: at the image itself the divergence has no gradient."""

TINY = 1e-12


@dataclass(frozen=True)
class Batch:
    """Images float32 (B, C, H, W) in [0, 1], labels int64 (B,), and their rows int64 (B,) in the training images."""

    images: Tensor
    labels: Tensor
    positions: Tensor


class AdversarialLoss:
    """PGD-AT: the cross-entropy of adversarial images alone. The other losses override what differs."""

    def find_adversarials(
        self, network: nn.Module, batch: Batch, attack: TrainingAttack, generator: torch.Generator
    ) -> Tensor:
        """Give adversarial images (B, C, H, W) for `batch`, as in `pgd.find_adversarials`."""
        return find_adversarials(
            network,
            batch.images,
            batch.labels,
            eps=attack.eps,
            step_size=attack.step_size,
            steps=attack.steps,
            generator=generator,
        )

    def measure_samples(self, network: nn.Module, batch: Batch, adversarials: Tensor) -> Tensor:
        """Give the loss of each sample (B,), with gradients; `network` is in training mode."""
        return functional.cross_entropy(network(adversarials), batch.labels, reduction="none")

    def measure(self, network: nn.Module, batch: Batch, adversarials: Tensor) -> Tensor:
        """Give the mean over the samples, a scalar with gradients."""
        return self.measure_samples(network, batch, adversarials).mean()

    def count_passes(self, pgd_steps: int) -> Passes:
        """Give the passes of one image through one training step."""
        return LOSS_PASSES["PGD-AT"](pgd_steps)


class TradesLoss(AdversarialLoss):
    """TRADES: the clean cross-entropy plus beta times KL(clean || adversarial), which the attack climbs too."""

    def __init__(self, beta: float = 6.0) -> None:
        self.beta = beta

    def find_adversarials(
        self, network: nn.Module, batch: Batch, attack: TrainingAttack, generator: torch.Generator
    ) -> Tensor:
        """Climb the divergence from the clean prediction, from a small Gaussian start."""
        with attack_mode(network), torch.no_grad():
            clean = functional.softmax(network(batch.images), dim=1)
        noise = torch.randn(batch.images.shape, generator=generator, device=batch.images.device)

        def objective(logits: Tensor) -> Tensor:
            return functional.kl_div(functional.log_softmax(logits, dim=1), clean, reduction="sum")

        return climb(network, batch.images, batch.images + TRADES_START * noise, attack, objective)

    def measure_samples(self, network: nn.Module, batch: Batch, adversarials: Tensor) -> Tensor:
        """Give CE(clean) + beta KL(clean || adversarial), gradients through both sides."""
        clean = network(batch.images)
        cross_entropy = functional.cross_entropy(clean, batch.labels, reduction="none")
        return cross_entropy + self.beta * diverge(clean, network(adversarials))

    def count_passes(self, pgd_steps: int) -> Passes:
        """Count the clean reference, the attack, and the two images of the update."""
        return LOSS_PASSES["TRADES"](pgd_steps)


class MartLoss(AdversarialLoss):
    """MART: a boosted cross-entropy, and lambda KL(clean || adversarial), most where the clean image is uncertain."""

    def __init__(self, weight: float = 5.0) -> None:
        self.weight = weight

    def measure_samples(self, network: nn.Module, batch: Batch, adversarials: Tensor) -> Tensor:
        """Give BCE(adversarial) + lambda KL(clean || adversarial) (1 - p_clean[label])."""
        clean, moved = network(batch.images), network(adversarials)
        uncertainty = 1.0 - functional.softmax(clean, dim=1).gather(1, batch.labels[:, None]).squeeze(1)
        return boost(moved, batch.labels) + self.weight * diverge(clean, moved) * uncertainty

    def count_passes(self, pgd_steps: int) -> Passes:
        """Count the attack and the two images of the update."""
        return LOSS_PASSES["MART"](pgd_steps)


def diverge(reference: Tensor, logits: Tensor) -> Tensor:
    """Give KL(softmax(reference) || softmax(logits)) of each sample: (B, K), (B, K) -> (B,), at least 0."""
    target = functional.log_softmax(reference, dim=1)
    return functional.kl_div(functional.log_softmax(logits, dim=1), target, reduction="none", log_target=True).sum(1)


def boost(logits: Tensor, labels: Tensor) -> Tensor:
    """Give MART's boosted cross-entropy (B,): -log p[label] - log(1 - largest other p)."""
    chances = functional.softmax(logits, dim=1)
    others = chances.scatter(1, labels[:, None], 0.0).amax(dim=1)
    return functional.cross_entropy(logits, labels, reduction="none") - torch.log((1.0 - others).clamp_min(TINY))


def build_loss(recipe: Recipe) -> AdversarialLoss:
    """Give the loss that `recipe` names.

    Raises:
        ValueError: no such loss; the message lists what exists.
    """
    losses = {
        "PGD-AT": AdversarialLoss(),
        "TRADES": TradesLoss(recipe.loss_weight),
        "MART": MartLoss(recipe.loss_weight),
    }
    if recipe.loss not in losses:
        raise ValueError(f"there is no loss {recipe.loss!r}; known: {', '.join(losses)}")
    return losses[recipe.loss]
