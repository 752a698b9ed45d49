"""A dense network with its pruned children and controls, what they do on 240 samples, and counts in plain Python."""

from pathlib import Path
from uuid import UUID

import numpy as np

from backend.schemas.datasets import DatasetOut
from backend.store.tables import Checkpoint
from tests.services.fabrication import Measured, add_checkpoint, add_dataset, compare_weights, make_pixels, measure

N = 240


def add_family(dataset_id: UUID) -> dict[str, Checkpoint]:
    """A dense root, two pruned children, a control and another seed."""
    dense = add_checkpoint(dataset_id, "dense")
    family = {"dense": dense}
    for name, sparsity in (("pruned-95", 0.95), ("pruned-80", 0.8)):
        fields = {"role": "pruned", "parent_id": dense.id, "method": "lwm", "declared_sparsity": sparsity}
        family[name] = add_checkpoint(dataset_id, name, **fields)
    family["control"] = add_checkpoint(dataset_id, "control", parent_id=dense.id, method="control")
    family["seed"] = add_checkpoint(dataset_id, "seed", inspection=compare_weights(dense))
    return family


def thin_ice_losses(dense: Measured, labels: np.ndarray, seed: int, strength: float) -> Measured:
    """A pruned network that loses samples of small dense margin more often."""
    generator = np.random.default_rng(seed)
    pruned = measure(labels, seed, wrong=0.0)
    chance = strength * np.exp(-np.minimum(dense.margin, 1.0) / 0.05)
    is_lost = generator.random(len(labels)) < np.where(dense.margin == 0, 0.7, chance)
    pruned.predictions = np.where(is_lost, (labels + 1) % 4, labels)
    pruned.margin = np.where(is_lost, 0.0, pruned.margin)
    pruned.logit_gap = np.where(is_lost, -1.0, 1.0)
    return pruned


def evaluate_pair(folder: Path) -> tuple[DatasetOut, dict[str, Checkpoint], dict[str, Measured], np.ndarray]:
    dataset = add_dataset(folder, "digits", n=N)
    _, labels = make_pixels(N)
    measured = {"dense": measure(labels, 1)}
    measured["pruned-95"] = thin_ice_losses(measured["dense"], labels, 2, 0.8)
    return dataset, add_family(dataset.id), measured, labels


def count_by_hand(first: np.ndarray, second: np.ndarray) -> dict[str, int]:
    counts = {"n11": 0, "n10": 0, "n01": 0, "n00": 0}
    for left, right in zip(first, second, strict=True):
        counts[f"n{int(left)}{int(right)}"] += 1
    return counts


def auroc_by_hand(margin: list[float], is_lost: list[bool]) -> float:
    """Share of (lost, kept) pairs in which the lost one has the smaller margin, ties half."""
    points = 0.0
    lost = [value for value, flag in zip(margin, is_lost, strict=True) if flag]
    kept = [value for value, flag in zip(margin, is_lost, strict=True) if not flag]
    for low in lost:
        points += sum(1.0 if low < high else 0.5 if low == high else 0.0 for high in kept)
    return points / (len(lost) * len(kept))
