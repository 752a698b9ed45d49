"""Checkpoint files of the zoo: weights in `<name>.safetensors` and a card in `<name>.json` that describes them."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import nn

from models.architectures.builders import build_architecture
from models.zoo.entries import CHANNELS, CLASSES, ZooEntry

Card = dict[str, Any]
"""The JSON object of a card, as `json` reads it."""


def hash_recipe(
    architecture: str, method: str | None, structure: dict[str, Any] | None, seed: int, recipe: dict[str, Any]
) -> str:
    """Give the SHA-256 over everything that decides a checkpoint; `recipe` holds the hash of the parent's file."""
    record = [architecture, method, structure, seed, recipe]
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def describe_recipe(entry: ZooEntry, parent_card: Card | None) -> dict[str, Any]:
    """Give the recipe of `entry` as its card holds it: the run, the kind of training, and the parent's file hash.

    The parent's hash belongs to the recipe: a child of rebuilt weights is another network and is built again.
    """
    return {**entry.run.describe(), "parent_sha256": parent_card["sha256"] if parent_card else None}


def is_built(folder: Path, entry: ZooEntry) -> bool:
    """Say whether `folder` holds `entry`, made by the present recipe from the present parent, weights intact."""
    try:
        parent_card = read_parent_card(folder, entry)
        card = read_card(folder, entry.name)
        weights_sha256 = hashlib.sha256((folder / f"{entry.name}.safetensors").read_bytes()).hexdigest()
    except FileNotFoundError:
        return False
    found = hash_recipe(card["architecture"], card["method"], card["structure"], card["seed"], card["recipe"])
    recipe = describe_recipe(entry, parent_card)
    wanted = hash_recipe(entry.architecture, entry.method, entry.structure, entry.seed, recipe)
    return found == wanted and weights_sha256 == card["sha256"]


def read_card(folder: Path, name: str) -> Card:
    """Read `<name>.json`.

    Raises:
        FileNotFoundError: `folder` has no such card.
    """
    card: Card = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return card


def read_parent_card(folder: Path, entry: ZooEntry) -> Card | None:
    """Read the card of the parent, None for an entry without one.

    Raises:
        FileNotFoundError: the parent has not been built.
    """
    if entry.parent is None:
        return None
    try:
        return read_card(folder, entry.parent)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{entry.name} is made from {entry.parent}, which has to be built first") from error


def write_checkpoint(folder: Path, card: Card, network: nn.Module) -> Card:
    """Write weights and card and give the card with the file's `sha256`.

    The card comes last and each file appears whole: an interrupted write leaves no card, so the entry is built again.
    """
    tensors = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
    content = save(tensors)
    finished = {**card, "sha256": hashlib.sha256(content).hexdigest()}
    folder.mkdir(parents=True, exist_ok=True)
    _write_whole(folder / f"{card['name']}.safetensors", content)
    _write_whole(folder / f"{card['name']}.json", (json.dumps(finished, indent=2) + "\n").encode())
    return finished


def load_checkpoint(folder: Path, name: str) -> nn.Module:
    """Build the architecture that the card names and load its weights; float32, CPU, `eval()` mode.

    Raises:
        FileNotFoundError: `folder` has no such checkpoint.
        RuntimeError: missing, unexpected or mis-shaped keys (strict loading).
    """
    card = read_card(folder, name)
    network = build_architecture(card["architecture"], CLASSES, CHANNELS)
    network.load_state_dict(load_file(folder / f"{name}.safetensors"), strict=True)
    return network.eval()


def build_fresh_network(entry: ZooEntry) -> nn.Module:
    """Build the architecture of `entry` with weights drawn from its seed, leaving the global generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(entry.seed)
        return build_architecture(entry.architecture, CLASSES, CHANNELS)


def _write_whole(path: Path, content: bytes) -> None:
    """Write next to `path` and rename, so that no reader ever sees half a file."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(content)
    os.replace(partial, path)
