"""Building zoo entries from arrays: cards, exact sparsity, and what counts as built already."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from models.pruning.plans import Plan
from models.training.progress import Progress
from models.training.recipe import Recipe
from models.zoo.build import Images, build_entry
from models.zoo.cards import build_fresh_network, is_built, load_checkpoint, read_card
from models.zoo.entries import ZooEntry, find_entry

RECIPE = Recipe(epochs=1, learning_rate=0.05, batch_size=50, pgd_steps=1, validation_samples=40, validation_pgd_steps=1)
DENSE = ZooEntry("dense", "dense", RECIPE)
RAMP = replace(RECIPE, epochs=2, mask_share=0.5)


def prune_by(name: str, method: str, rate: float, recipe: Recipe = RECIPE, **fields: Any) -> ZooEntry:
    """Give an entry that prunes the dense one."""
    return ZooEntry(name, "pruned", recipe, 0, "dense", method, Plan(method, rate, recipe, **fields))


PRUNED = prune_by("pruned", "lwm", 0.9)
RAMPED = prune_by("ramped", "lwm", 0.99, RAMP)
LAYER_SIZES = {"conv1.weight": 800, "conv2.weight": 18_432, "conv3.weight": 64_512, "linear.weight": 17_920}


def draw_images(samples: int) -> Images:
    """Draw noise with labels; what is learned does not matter here."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (samples, 28, 28, 1), dtype=np.uint8)
    return Images.from_bytes(pixels, generator.integers(0, 10, samples))


def build_into(folder: Path, *entries: ZooEntry) -> None:
    """Build entries one after the other."""
    for entry in entries:
        build_entry(entry, draw_images(140), draw_images(30), folder)


def test_build_refuses_margins_that_the_plan_does_not_take_and_asks_for_those_it_does(tmp_path: Path) -> None:
    build_into(tmp_path, DENSE)
    measured = prune_by("measured", "thin-ice", 0.9, settings={"measured_margins": 1.0, "clean_weight": 1.0})
    images, margins = draw_images(140), torch.full((140,), 0.1)
    with pytest.raises(ValueError, match="measured needs measured margins"):
        build_entry(measured, images, draw_images(30), tmp_path)
    with pytest.raises(ValueError, match="pruned needs no measured margins"):
        build_entry(PRUNED, images, draw_images(30), tmp_path, margins=margins)
    with pytest.raises(ValueError, match="got 139 for 140 images"):
        build_entry(measured, images, draw_images(30), tmp_path, margins=margins[1:])
    assert build_entry(measured, images, draw_images(30), tmp_path, margins=margins)[
        "measured_sparsity"
    ] == pytest.approx(0.9, abs=1e-4)


def test_images_from_bytes_are_scaled_to_one_and_channels_first() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(1, 2, 4, 3)
    pixels[0, 1, 2, 0] = 255
    converted = Images.from_bytes(pixels, np.array([3], dtype=np.uint8))
    assert converted.images.shape == (1, 3, 2, 4)
    assert converted.images.dtype == torch.float32
    assert converted.images[0, 0, 1, 2] == 1.0
    assert converted.images[0, 2, 0, 1].item() == pytest.approx(5 / 255)
    assert converted.labels.tolist() == [3]
    assert converted.labels.dtype == torch.int64


@pytest.mark.parametrize(
    ("pixels", "labels"),
    [
        (np.zeros((2, 4, 4, 1), np.float32), np.zeros(2, np.int64)),
        (np.zeros((2, 4, 4), np.uint8), np.zeros(2, np.int64)),
        (np.zeros((2, 4, 4, 1), np.uint8), np.zeros(3, np.int64)),
    ],
    ids=["float", "no-channel", "labels"],
)
def test_images_from_unfit_arrays_are_refused(pixels: np.ndarray, labels: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"expected uint8 pixels \(N, H, W, C\)"):
        Images.from_bytes(pixels, labels)


def test_built_chain_has_exact_zeros_and_cards_that_match_the_files(tmp_path: Path) -> None:
    build_into(tmp_path, DENSE, PRUNED, RAMPED)
    parent_sha256 = json.loads((tmp_path / "dense.json").read_text())["sha256"]
    for entry, share in ((DENSE, 0.0), (PRUNED, 0.9), (RAMPED, 0.99)):
        card = json.loads((tmp_path / f"{entry.name}.json").read_text())
        assert card["sha256"] == hashlib.sha256((tmp_path / f"{entry.name}.safetensors").read_bytes()).hexdigest()
        tensors = load_file(tmp_path / f"{entry.name}.safetensors")
        zeros = {name: int((tensors[name] == 0).sum()) for name in LAYER_SIZES}
        assert zeros == {name: round(size * share) for name, size in LAYER_SIZES.items()}
        assert card["measured_sparsity"] == sum(zeros.values()) / sum(LAYER_SIZES.values())
        assert card["recipe"]["parent_sha256"] == (parent_sha256 if entry.parent else None)
        assert card["claimed_n"] == card["clean_n"] == 30
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json"] * 3 + [".safetensors"] * 3


def test_is_built_holds_only_for_the_same_recipe_parent_and_bytes(tmp_path: Path) -> None:
    assert not is_built(tmp_path, DENSE)
    build_into(tmp_path, DENSE, PRUNED)
    assert is_built(tmp_path, DENSE)
    assert is_built(tmp_path, PRUNED)
    assert not is_built(tmp_path, replace(PRUNED, recipe=replace(RECIPE, learning_rate=0.06)))
    assert not is_built(tmp_path, prune_by("pruned", "lwm", 0.8))
    assert not is_built(tmp_path, prune_by("pruned", "lwm", 0.9, searching=RECIPE))
    assert not is_built(tmp_path, prune_by("pruned", "lwm", 0.9, settings={"global_ranking": 1.0}))
    assert not is_built(tmp_path, replace(PRUNED, seed=1))
    weights = tmp_path / "pruned.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert not is_built(tmp_path, PRUNED)
    weights.write_bytes(content)
    build_into(tmp_path, replace(DENSE, seed=1))
    assert not is_built(tmp_path, PRUNED)


def test_build_entry_without_its_parent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="pruned is made from dense, which has to be built first"):
        build_into(tmp_path, PRUNED)
    assert list(tmp_path.iterdir()) == []


def test_build_entry_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    build_into(tmp_path / "first", DENSE)
    build_into(tmp_path / "second", DENSE)
    first, second = ((tmp_path / folder / "dense.safetensors").read_bytes() for folder in ("first", "second"))
    assert first == second


def test_fresh_networks_follow_the_seed_and_leave_the_global_generator_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    first, again = (build_fresh_network(DENSE).state_dict()["conv1.weight"] for _ in range(2))
    other = build_fresh_network(replace(DENSE, seed=1)).state_dict()["conv1.weight"]
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.rand(1), expected)


def test_loaded_checkpoint_equals_what_was_written(tmp_path: Path) -> None:
    build_into(tmp_path, DENSE)
    network = load_checkpoint(tmp_path, "dense")
    tensors = load_file(tmp_path / "dense.safetensors")
    assert not network.training
    assert {key: value.tolist() for key, value in network.state_dict().items()} == {
        key: value.tolist() for key, value in tensors.items()
    }
    assert read_card(tmp_path, "dense")["architecture"] == "small-cnn"


def test_built_entry_of_a_method_with_a_search_says_both_recipes_and_its_passes(tmp_path: Path) -> None:
    harp = prune_by("harp", "harp", 0.95, searching=RECIPE, settings={"gamma": 0.1})
    build_into(tmp_path, DENSE, harp)
    card = read_card(tmp_path, "harp")
    assert card["recipe"]["search"] == {"training": "PGD-AT", **RECIPE.to_record()}
    assert card["recipe"]["settings"] == {"gamma": 0.1}
    assert card["declared_sparsity"] == 0.95
    assert card["measured_sparsity"] == round(0.95 * 101_664) / 101_664
    # 100 of 140 images train, 2 forward and 2 backward passes each, in each of two parts.
    assert card["passes"] == {"forward": 400, "backward": 400, "total": 800}
    assert is_built(tmp_path, harp)


def test_built_entry_with_channels_declares_the_weights_under_its_masks(tmp_path: Path) -> None:
    entry = prune_by("channel", "lwm", 0.5, granularity="channel")
    build_into(tmp_path, DENSE, entry)
    card = read_card(tmp_path, "channel")
    assert card["structure"] == {"kind": "channel", "rate": 0.5}
    assert card["declared_sparsity"] == card["measured_sparsity"] == (9216 + 32_256 + 8960) / 101_664


def test_built_entry_with_care_for_thin_ice_has_the_exact_count(tmp_path: Path) -> None:
    entry = prune_by("thin", "thin-ice", 0.9, settings={"clean_weight": 1.0, "distillation": 0.5})
    build_into(tmp_path, DENSE, entry)
    card = read_card(tmp_path, "thin")
    assert card["measured_sparsity"] == pytest.approx(0.9, abs=1e-5)
    # The margins of 140 images by two steps, and 3 forward, 2 backward passes for each of 100.
    assert card["passes"] == {"forward": 580, "backward": 480, "total": 1060}


def test_interrupted_build_goes_on_and_leaves_no_state(tmp_path: Path) -> None:
    entry = replace(DENSE, recipe=replace(RECIPE, epochs=3))

    def end_at_the_second_epoch(progress: Progress) -> None:
        if progress.epoch == 2:
            raise KeyboardInterrupt

    arguments = (entry, draw_images(140), draw_images(30))
    with pytest.raises(KeyboardInterrupt):
        build_entry(*arguments, tmp_path / "out", state_folder=tmp_path / "s", on_progress=end_at_the_second_epoch)
    assert not (tmp_path / "out").exists() and len(list((tmp_path / "s").iterdir())) == 1
    seen: list[int] = []
    build_entry(
        *arguments,
        tmp_path / "out",
        state_folder=tmp_path / "s",
        on_progress=lambda progress: seen.append(progress.epoch),
    )
    assert seen == [2, 3]
    assert list((tmp_path / "s").iterdir()) == []
    build_entry(*arguments, tmp_path / "straight")
    first, second = ((tmp_path / folder / "dense.safetensors").read_bytes() for folder in ("out", "straight"))
    assert first == second


def test_entry_with_unknown_name_lists_what_exists() -> None:
    with pytest.raises(ValueError, match=r"'cnn'.*cnn-dense, .*cnn-control"):
        find_entry("cnn")
