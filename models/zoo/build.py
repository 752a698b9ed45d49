"""Build the zoo from arrays: train, prune, finetune, measure, write. Reads no data set of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.pruning.methods import build_search
from models.pruning.plans import THIN_ICE, Plan
from models.pruning.thin_ice import build_thin_ice_loss
from models.training.losses import AdversarialLoss
from models.training.mask_search import MaskSearch
from models.training.masks import measure_sparsity
from models.training.parts import StateFolder, TrainingPart, prune
from models.training.passes import Passes
from models.training.pgd import check_correct, check_robust
from models.training.progress import Progress, TrainingReport
from models.training.recipe import Recipe
from models.training.state import take_fingerprint
from models.zoo.cards import (
    Card,
    build_fresh_network,
    describe_recipe,
    load_checkpoint,
    read_parent_card,
    write_checkpoint,
)
from models.zoo.entries import DATASET, IMAGE_SHAPE, ZooEntry

NOTES = {
    THIN_ICE: "At equal budget thin-ice-aware pruning has not lost measurably fewer samples than HARP at 95 % (three "
    "seeds), and more at 90 % (one seed): decision 0001 of models/pruning."
}
"""What the card of a method's networks has to say about the method."""
CLAIM_STEPS = 10
CLAIM_SEED = 0


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
    *,
    training_sha256: str | None = None,
    margins: Tensor | None = None,
    state_folder: Path | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Card:
    """Make one checkpoint in `folder` and give its card; one that stands there is replaced.

    Args:
        entry: what to make; its parent must be in `folder`.
        training: the training images; a part of them picks the epoch.
        shipped: the test images that go with the product; they measure the claim and decide nothing.
        folder: where `<name>.safetensors` and `<name>.json` go.
        training_sha256: what the training images are called by, for the card.
        margins: float (N,), the parent's margins on the training images, where the plan takes measured ones.
        state_folder: where a run keeps its state, so that a killed one goes on; None keeps none.
        on_progress: as in `train`.

    Raises:
        FileNotFoundError: the parent has not been built.
        ValueError: margins are missing, or given where the plan estimates them.
    """
    if entry.run.takes_measured_margins != (margins is not None):
        raise ValueError(f"{entry.name} needs {'measured' if margins is None else 'no measured'} margins")
    recipe = describe_recipe(entry, read_parent_card(folder, entry))
    network = load_checkpoint(folder, entry.parent) if entry.parent else build_fresh_network(entry)
    search = build_search(entry.run, IMAGE_SHAPE)
    loss = _build_loss(entry, training, folder, margins)
    searching = entry.run.searching
    known = [] if margins is None else [float(margins[margins.isfinite()].double().sum())]
    states = _open_states(state_folder, training, entry.name, entry.seed, entry.structure, recipe, *known)
    report = prune(
        network,
        training.images,
        training.labels,
        search=search,
        searching=TrainingPart(searching, loss) if searching else None,
        finetuning=TrainingPart(entry.recipe, loss),
        seed=entry.seed,
        states=states,
        on_progress=on_progress,
    )
    finished = write_checkpoint(
        folder,
        describe_entry(
            entry,
            recipe,
            training_sha256,
            declared_sparsity=declare_sparsity(entry.run, search),
            measured_sparsity=measure_sparsity(network).share,
            passes=count_passes(entry, len(training.images)),
            claim=measure_claim(network, shipped, entry.recipe),
            report=report,
        ),
        network,
    )
    if states is not None:
        states.remove()
    return finished


def describe_entry(
    entry: ZooEntry,
    recipe: dict[str, Any],
    training_sha256: str | None,
    *,
    declared_sparsity: float,
    measured_sparsity: float,
    passes: Passes,
    claim: dict[str, Any],
    report: TrainingReport,
) -> Card:
    """Give the card of a checkpoint that was made: what was asked for, and what came of it."""
    card: Card = {
        "name": entry.name,
        "architecture": entry.architecture,
        "dataset": DATASET,
        "role": entry.role,
        "parent": entry.parent,
        "method": entry.method,
        "structure": entry.structure,
        "declared_sparsity": declared_sparsity,
        "measured_sparsity": measured_sparsity,
        "normalization": "none",
        "recipe": recipe,
        "passes": passes.to_record(),
        "training_sha256": training_sha256,
        "seed": entry.seed,
        **claim,
        "validation_robust_accuracy": report.validation_robust_accuracy,
        "torch_version": str(torch.__version__).partition("+")[0],
        "train_seconds": round(report.train_seconds, 1),
    }
    if entry.method in NOTES:
        card["note"] = NOTES[entry.method]
    return card


def count_passes(entry: ZooEntry, images: int) -> Passes:
    """Count the passes of training, validation aside, with `images` training images."""
    return entry.run.count_passes(images)


def declare_sparsity(plan: Plan, search: MaskSearch) -> float:
    """Give the share of zero weights that the plan promises; for groups of weights, that of the masks found."""
    if plan.granularity == "weight":
        return plan.rate
    masks = search.find_masks().values()
    return sum(int((~mask).sum()) for mask in masks) / sum(mask.numel() for mask in masks)


def measure_claim(
    network: nn.Module, shipped: Images, recipe: Recipe, *, on_batch: Callable[[], None] | None = None
) -> dict[str, Any]:
    """Measure clean accuracy and the PGD-10 claim at the recipe's eps on the shipped images, as the fields of a card.

    PGD as adversarial pruning papers run it: step eps / 4, random start, one restart. It claims too much, and how
    much is what the product measures. `on_batch` is called after each batch; what it raises ends the measurement.
    """
    is_right = check_correct(network, shipped.images, shipped.labels)
    attack: dict[str, Any] = {"eps": recipe.eps, "steps": CLAIM_STEPS, "seed": CLAIM_SEED}
    is_robust = check_robust(network, shipped.images, shipped.labels, **attack, on_batch=on_batch)
    samples = len(shipped.images)
    return {
        "claimed_robust_accuracy": int(is_robust.sum()) / samples,
        "claimed_attack": f"PGD-{CLAIM_STEPS}",
        "claimed_norm": "Linf",
        "claimed_eps": recipe.eps_text,
        "claimed_n": samples,
        "claimed_source": f"card: PGD-{CLAIM_STEPS} on the {samples:,} shipped test images",
        "clean_accuracy": int(is_right.sum()) / samples,
        "clean_n": samples,
    }


def _build_loss(entry: ZooEntry, training: Images, folder: Path, margins: Tensor | None) -> AdversarialLoss | None:
    """Build the thin-ice loss of an entry, with dense margins given or estimated; None leaves it to the recipe."""
    care = entry.run.care
    if care is None or entry.parent is None:
        return None
    dense = load_checkpoint(folder, entry.parent)
    return build_thin_ice_loss(dense, training.images, training.labels, entry.recipe.eps, care, margins=margins)


def _open_states(state_folder: Path | None, training: Images, *parts: Any) -> StateFolder | None:
    """Give the place of a run's states; what decides the run, data included, decides the name."""
    if state_folder is None:
        return None
    data = [len(training.images), float(training.images.double().sum()), int(training.labels.sum())]
    return StateFolder(state_folder, take_fingerprint(*parts, data, torch.__version__))
