"""The shipped checkpoints: cards tell the truth about the files, and the files do what the cards say."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from torch import Tensor

import models.zoo
from models.pruning.plans import METHODS
from models.zoo.cards import is_built, load_checkpoint
from models.zoo.entries import ENTRIES, ZooEntry

ROOT = Path(__file__).resolve().parents[3]
ZOO = Path(models.zoo.__file__).parent
CARDS = {path.stem for path in ZOO.glob("*.json")}
SHIPPED = [entry for entry in ENTRIES if entry.name in CARDS]
NAMES = [entry.name for entry in SHIPPED]
PRUNABLE = ("conv1.weight", "conv2.weight", "conv3.weight", "linear.weight")
FIELDS = {
    *("name", "architecture", "dataset", "role", "parent", "method", "structure", "declared_sparsity"),
    *("measured_sparsity", "normalization", "recipe", "seed", "sha256", "claimed_robust_accuracy", "claimed_attack"),
    *("claimed_norm", "claimed_eps", "claimed_n", "claimed_source", "clean_accuracy", "clean_n"),
    *("validation_robust_accuracy", "torch_version", "train_seconds", "passes", "training_sha256"),
}
LEAST_ROBUST_ACCURACY = {"cnn-dense": 0.70, "cnn-dense-seed1": 0.70, "cnn-control": 0.70}


@cache
def read_card(name: str) -> dict[str, Any]:
    """Read a card by plain JSON."""
    card: dict[str, Any] = json.loads((ZOO / f"{name}.json").read_text())
    return card


@cache
def read_slice() -> tuple[Tensor, Tensor]:
    """Read the shipped test images: float32 (2000, 1, 28, 28) in [0, 1] and int64 (2000,)."""
    with np.load(ROOT / "backend/datasets/embedded/fashion_mnist_test.npz", allow_pickle=False) as archive:
        return torch.from_numpy(archive["x"] / np.float32(255)).unsqueeze(1), torch.from_numpy(archive["y"])


def test_zoo_holds_every_listed_checkpoint_and_no_other_each_with_its_card_under_12_mb() -> None:
    files = {path.name for path in ZOO.iterdir() if path.suffix not in (".py", ".md", "")}
    assert [entry.name for entry in ENTRIES] == NAMES
    assert files == {"results.thinice"} | {f"{name}{suffix}" for name in NAMES for suffix in (".json", ".safetensors")}
    assert (ZOO / "results.thinice").stat().st_size < 6_000_000
    assert sum((ZOO / file).stat().st_size for file in files - {"results.thinice"}) < 12_000_000


@pytest.mark.parametrize("name", NAMES)
def test_card_has_every_field_and_the_hash_of_its_file(name: str) -> None:
    card = read_card(name)
    assert set(card) == FIELDS | ({"note"} if card["method"] == "thin-ice" else set())
    assert card["name"] == name
    assert card["sha256"] == hashlib.sha256((ZOO / f"{name}.safetensors").read_bytes()).hexdigest()
    assert card["dataset"] == "fashion-mnist-test"
    assert (card["claimed_attack"], card["claimed_norm"], card["claimed_eps"]) == ("PGD-10", "Linf", "25.5/255")
    assert card["claimed_source"] == f"card: PGD-10 on the {card['claimed_n']:,} shipped test images"


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_finite_float32_with_the_sparsity_of_the_card(name: str) -> None:
    card, tensors = read_card(name), load_file(ZOO / f"{name}.safetensors")
    trained = [value for key, value in tensors.items() if not key.endswith("num_batches_tracked")]
    assert all(value.dtype == np.float32 and np.isfinite(value).all() for value in trained)
    zeros = [int((tensors[key] == 0).sum()) for key in PRUNABLE]
    sizes = [tensors[key].size for key in PRUNABLE]
    assert card["measured_sparsity"] == sum(zeros) / sum(sizes)
    assert abs(card["measured_sparsity"] - card["declared_sparsity"]) < 3e-5
    if card["method"] in ("lwm", "r-admm") and card["structure"]["kind"] == "weight":
        assert zeros == [round(size * card["declared_sparsity"]) for size in sizes]
    if card["method"] == "hydra":
        assert zeros == [int(size * card["declared_sparsity"] + 1e-9) for size in sizes]
    assert all(
        np.count_nonzero(tensors[f"bn{number}.weight"]) == len(tensors[f"bn{number}.weight"]) for number in (1, 2, 3)
    )


@pytest.mark.parametrize("name", NAMES)
def test_parent_chain_ends_at_a_dense_checkpoint_with_the_recorded_hash(name: str) -> None:
    card = read_card(name)
    if card["role"] == "pruned":
        assert card["method"] in METHODS
        if card["structure"]["kind"] == "weight":
            assert card["structure"]["rate"] == card["declared_sparsity"]
    else:
        assert card["declared_sparsity"] == 0
        assert card["structure"] is None
    if card["parent"] is None:
        assert (card["role"], card["method"], card["recipe"]["parent_sha256"]) == ("dense", None, None)
    else:
        parent = read_card(card["parent"])
        assert (parent["role"], parent["parent"]) == ("dense", None)
        assert card["recipe"]["parent_sha256"] == parent["sha256"]


def test_control_was_finetuned_by_the_recipe_of_its_pruned_siblings() -> None:
    control = read_card("cnn-control")
    assert (control["method"], control["parent"]) == ("control", "cnn-dense")
    for percent in (80, 90, 95):
        assert read_card(f"cnn-lwm-{percent}")["recipe"] == control["recipe"]
    for name in NAMES:
        card = read_card(name)
        assert card["parent"] is None or 0 <= control["passes"]["total"] - card["passes"]["total"] < 100


@pytest.mark.parametrize("entry", SHIPPED, ids=NAMES)
def test_shipped_checkpoint_counts_as_built_so_that_the_job_skips_it(entry: ZooEntry) -> None:
    assert is_built(ZOO, entry)


@pytest.mark.parametrize("name", NAMES)
def test_clean_accuracy_of_the_card_is_reproduced_on_the_shipped_images(name: str) -> None:
    card, (images, labels) = read_card(name), read_slice()
    with torch.no_grad():
        right = load_checkpoint(ZOO, name)(images).argmax(dim=1) == labels
    assert card["clean_n"] == card["claimed_n"] == len(labels)
    # Another CPU may add in another order and tip a sample that lies exactly on the edge.
    assert abs(int(right.sum()) - card["clean_accuracy"] * len(labels)) < 2.5


@pytest.mark.parametrize("name", NAMES)
def test_claim_lies_below_clean_accuracy_and_near_the_validation(name: str) -> None:
    card = read_card(name)
    assert LEAST_ROBUST_ACCURACY.get(name, 0.60) < card["claimed_robust_accuracy"] < card["clean_accuracy"]
    assert abs(card["claimed_robust_accuracy"] - card["validation_robust_accuracy"]) < 0.04
    if card["role"] == "dense":
        assert card["clean_accuracy"] > 0.82


def test_claim_of_a_pruned_checkpoint_is_reproduced_by_an_attack_written_here() -> None:
    images, labels = (part[:500] for part in read_slice())
    network = load_checkpoint(ZOO, "cnn-lwm-90").requires_grad_(False)
    torch.manual_seed(11)
    moved = (images + torch.empty_like(images).uniform_(-0.1, 0.1)).clamp(0, 1)
    for _ in range(10):
        moved.requires_grad_(True)
        torch.nn.functional.cross_entropy(network(moved), labels).backward()
        assert moved.grad is not None
        stepped = moved.detach() + 0.025 * moved.grad.sign()
        moved = torch.minimum(torch.maximum(stepped, images - 0.1), images + 0.1).clamp(0, 1)
    with torch.no_grad():
        robust = ((network(moved).argmax(1) == labels) & (network(images).argmax(1) == labels)).double().mean().item()
    # 500 of the claim's 2,000 images: a deviation of the share is about 2 points.
    assert abs(robust - read_card("cnn-lwm-90")["claimed_robust_accuracy"]) < 0.06
