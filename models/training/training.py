"""The adversarial training loop: one recipe, one seed, one network.

On one thread of one machine the same recipe, seed and start give the same weights bit for bit; with more threads the
order of additions, and so the last bits, may change.
"""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.optim import SGD, Optimizer
from torch.utils.hooks import RemovableHandle

from models.pruning.masks import Masks, hold_masks
from models.training.pgd import check_robust, take_adversarial_step
from models.training.recipe import Recipe
from models.training.schedules import cosine_factor

VALIDATION_SPLIT_SEED = 20_231
"""Fixed for every run: a child must not validate on images that its parent was trained on."""

VALIDATION_ATTACK_SEED = 0
"""Fixed for every epoch, so that epochs are compared under the same random starts."""

STEPS_BETWEEN_REPORTS = 50

MaskPlan = Callable[[nn.Module, int, int], Masks | None]
"""(network, step, steps) -> the masks to hold from this step on, or None to keep those held."""


@dataclass(frozen=True)
class Progress:
    """Where a run stands: after `step` of `steps`, with the mean loss of the current epoch so far.

    `validation_robust_accuracy` is 0..1 in the report that ends an epoch, and None in those between.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    validation_robust_accuracy: float | None
    elapsed_seconds: float

    @property
    def seconds_left(self) -> float:
        """Time left at the pace so far; validation passes are inside the pace."""
        return self.elapsed_seconds / self.step * (self.steps - self.step)


@dataclass(frozen=True)
class TrainingReport:
    """What a finished run says about itself; `epoch` (from 1) is the one whose weights were kept."""

    epoch: int
    validation_robust_accuracy: float
    validation_samples: int
    train_seconds: float


def train(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    recipe: Recipe,
    *,
    seed: int,
    plan_masks: MaskPlan | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> TrainingReport:
    """Train `network` in place by PGD adversarial training and leave it with its best epoch's weights.

    Best is the highest PGD robust accuracy on a validation split of the training images, never on test images; the
    later epoch wins a tie. With an iterative mask only epochs that end after the final mask count.

    Args:
        network: float32 images (B, C, H, W) -> logits (B, K); trained from its present weights.
        images: float32 (N, C, H, W) in [0, 1], the training images, validation part included.
        labels: int64 (N,).
        recipe: the run.
        seed: of the batch order and of the attack's random starts. The start weights are the caller's.
        plan_masks: asked before each step; None trains without masks.
        on_progress: called every 50 steps and at the end of each epoch.

    Returns:
        The report; the network is in `eval()` mode.

    Raises:
        ValueError: the validation part would take all images.
    """
    used_images, used_labels, held_images, held_labels = split_validation(images, labels, recipe.validation_samples)
    steps = recipe.epochs * -(-len(used_images) // recipe.batch_size)
    run = _Run(network, recipe, steps, torch.Generator().manual_seed(seed), plan_masks, on_progress)
    masks_final_after = int(recipe.mask_share * steps)
    best_epoch, best_accuracy, best_weights = 0, -1.0, network.state_dict()
    for epoch in range(1, recipe.epochs + 1):
        loss = run.train_epoch(epoch, used_images, used_labels)
        robust = check_robust(
            network,
            held_images,
            held_labels,
            eps=recipe.eps,
            steps=recipe.validation_pgd_steps,
            seed=VALIDATION_ATTACK_SEED,
        )
        accuracy = float(robust.double().mean().item())
        if run.step > masks_final_after and accuracy >= best_accuracy:
            best_epoch, best_accuracy, best_weights = epoch, accuracy, copy.deepcopy(network.state_dict())
        run.report(epoch, loss, accuracy)
    network.load_state_dict(best_weights)
    network.eval()
    return TrainingReport(best_epoch, best_accuracy, len(held_images), run.elapsed_seconds)


def split_validation(images: Tensor, labels: Tensor, samples: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Set `samples` training images apart by a fixed seed.

    Returns:
        Images and labels to train on, then images and labels to validate on.

    Raises:
        ValueError: nothing would be left to train on.
    """
    if samples >= len(images):
        raise ValueError(f"{samples} validation images leave none of {len(images)} to train on")
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(VALIDATION_SPLIT_SEED))
    held_out, used = order[:samples], order[samples:]
    return images[used], labels[used], images[held_out], labels[held_out]


def set_learning_rate(optimizer: Optimizer, rate: float) -> None:
    """Set the rate of every parameter group."""
    for group in optimizer.param_groups:
        group["lr"] = rate


@dataclass
class _Run:
    """The moving parts of one call of `train`."""

    network: nn.Module
    recipe: Recipe
    steps: int
    generator: torch.Generator
    plan_masks: MaskPlan | None
    on_progress: Callable[[Progress], None] | None
    step: int = 0
    optimizer: Optimizer = field(init=False)
    holding: RemovableHandle | None = None
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.optimizer = SGD(
            self.network.parameters(),
            lr=self.recipe.learning_rate,
            momentum=self.recipe.momentum,
            weight_decay=self.recipe.weight_decay,
        )

    @property
    def elapsed_seconds(self) -> float:
        """Wall time since the run began."""
        return time.monotonic() - self.started

    def train_epoch(self, epoch: int, images: Tensor, labels: Tensor) -> float:
        """Go once through the images in a fresh order and give the mean loss."""
        loss_sum = 0.0
        batches = torch.randperm(len(images), generator=self.generator).split(self.recipe.batch_size)
        for position, batch in enumerate(batches, start=1):
            self.renew_masks()
            factor = cosine_factor(self.step, self.steps, self.recipe.warmup_share)
            set_learning_rate(self.optimizer, self.recipe.learning_rate * factor)
            loss_sum += take_adversarial_step(
                self.network,
                self.optimizer,
                images[batch],
                labels[batch],
                eps=self.recipe.eps,
                step_size=self.recipe.eps * self.recipe.pgd_step_share,
                steps=self.recipe.pgd_steps,
                generator=self.generator,
            )
            self.step += 1
            if self.step % STEPS_BETWEEN_REPORTS == 0 and position < len(batches):
                self.report(epoch, loss_sum / position, None)
        return loss_sum / len(batches)

    def renew_masks(self) -> None:
        """Ask the plan before a step; hold new masks through this and all later steps."""
        masks = self.plan_masks(self.network, self.step, self.steps) if self.plan_masks else None
        if masks is not None:
            if self.holding is not None:
                self.holding.remove()
            self.holding = hold_masks(self.network, masks, self.optimizer)

    def report(self, epoch: int, loss: float, accuracy: float | None) -> None:
        """Tell the caller where the run stands, if it asked."""
        if self.on_progress is not None:
            epochs, seconds = self.recipe.epochs, self.elapsed_seconds
            self.on_progress(Progress(epoch, epochs, self.step, self.steps, loss, accuracy, seconds))
