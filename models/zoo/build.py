"""Build the zoo from arrays: train, prune, finetune, measure, write. Reads no data set of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.pruning.magnitude import cubic_sparsity, find_layerwise_masks
from models.pruning.masks import Masks, find_prunable_weights, measure_sparsity
from models.training.pgd import check_correct, check_robust
from models.training.training import MaskPlan, Progress, train
from models.zoo.cards import (
    Card,
    build_fresh_network,
    describe_recipe,
    load_checkpoint,
    read_parent_card,
    write_checkpoint,
)
from models.zoo.entries import DATASET, ZooEntry

CLAIM_STEPS = 10
CLAIM_SEED = 0
STEPS_BETWEEN_MASKS = 50


@dataclass(frozen=True)
class Images:
    """Images float32 (N, C, H, W) in [0, 1] with labels int64 (N,)."""

    images: Tensor
    labels: Tensor

    @classmethod
    def from_bytes(cls, pixels: NDArray[np.uint8], labels: NDArray[np.integer[Any]]) -> "Images":
        """Convert uint8 pixels (N, H, W, C), 0..255, and integer labels (N,).

        Raises:
            ValueError: another type or shape.
        """
        if pixels.dtype != np.uint8 or pixels.ndim != 4 or labels.shape != pixels.shape[:1]:
            raise ValueError(
                f"expected uint8 pixels (N, H, W, C), labels (N,); got {pixels.dtype} {pixels.shape}, {labels.shape}"
            )
        scaled = torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)).astype(np.float32) / 255.0)
        return cls(scaled, torch.from_numpy(labels.astype(np.int64)))


def build_entry(
    entry: ZooEntry,
    training: Images,
    shipped: Images,
    folder: Path,
    on_progress: Callable[[Progress], None] | None = None,
) -> Card:
    """Make one checkpoint in `folder` and give its card; one that stands there is replaced.

    Args:
        entry: what to make; its parent must be in `folder`.
        training: the training images; a part of them picks the epoch.
        shipped: the test images that go with the product; they measure the claim and decide nothing.
        folder: where `<name>.safetensors` and `<name>.json` go.
        on_progress: as in `train`.

    Raises:
        FileNotFoundError: the parent has not been built.
    """
    parent_card = read_parent_card(folder, entry)
    network = load_checkpoint(folder, entry.parent) if entry.parent else build_fresh_network(entry)
    report = train(
        network,
        training.images,
        training.labels,
        entry.recipe,
        seed=entry.seed,
        plan_masks=plan_lwm_masks(entry.sparsity, entry.recipe.mask_share) if entry.role == "pruned" else None,
        on_progress=on_progress,
    )
    card: Card = {
        "name": entry.name,
        "architecture": entry.architecture,
        "dataset": DATASET,
        "role": entry.role,
        "parent": entry.parent,
        "method": entry.method,
        "structure": entry.structure,
        "declared_sparsity": entry.sparsity,
        "measured_sparsity": measure_sparsity(network).share,
        "normalization": "none",
        "recipe": describe_recipe(entry, parent_card),
        "seed": entry.seed,
        **measure_claim(network, shipped, entry),
        "validation_robust_accuracy": report.validation_robust_accuracy,
        "torch_version": str(torch.__version__).partition("+")[0],
        "train_seconds": round(report.train_seconds, 1),
    }
    return write_checkpoint(folder, card, network)


def measure_claim(network: nn.Module, shipped: Images, entry: ZooEntry) -> dict[str, Any]:
    """Measure clean accuracy and the PGD-10 claim on the shipped images, as the fields of a card.

    PGD as adversarial pruning papers run it: step eps / 4, random start, one restart. It claims too much, and how
    much is what the product measures.
    """
    is_right = check_correct(network, shipped.images, shipped.labels)
    is_robust = check_robust(
        network, shipped.images, shipped.labels, eps=entry.recipe.eps, steps=CLAIM_STEPS, seed=CLAIM_SEED
    )
    samples = len(shipped.images)
    return {
        "claimed_robust_accuracy": int(is_robust.sum()) / samples,
        "claimed_attack": f"PGD-{CLAIM_STEPS}",
        "claimed_norm": "Linf",
        "claimed_eps": entry.recipe.eps_text,
        "claimed_n": samples,
        "claimed_source": f"card: PGD-{CLAIM_STEPS} on the {samples:,} shipped test images",
        "clean_accuracy": int(is_right.sum()) / samples,
        "clean_n": samples,
    }


def plan_lwm_masks(sparsity: float, mask_share: float) -> MaskPlan:
    """Give the layerwise LWM plan: all at once before training, or along the cubic schedule.

    With a `mask_share` above 0 the masks grow every 50 steps and are final after that share of all steps.
    """
    held: Masks | None = None

    def plan(network: nn.Module, step: int, steps: int) -> Masks | None:
        nonlocal held
        final_step = int(mask_share * steps)
        if step > final_step or (step % STEPS_BETWEEN_MASKS and step != final_step):
            return None
        now = cubic_sparsity(step, final_step, sparsity) if final_step else sparsity
        held = find_layerwise_masks(find_prunable_weights(network), now, pruned_before=held)
        return held

    return plan
