"""Uploaded data sets are read in a child and kept in one form."""

import hashlib
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from backend.datasets.catalogue import find_dataset
from backend.datasets.child import take_dataset, write_canonical
from backend.datasets.imported import ImportedDataset
from backend.datasets.readers import read_npz
from backend.errors import NotFound, TooLarge, UnreadableDataset
from backend.sandbox import Limits

LIMITS = Limits(memory_mb=256, cpu_seconds=20, wall_seconds=60.0, file_mb=64)


def draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_take_dataset_sound_file_is_kept_in_its_one_form(tmp_path: Path) -> None:
    x, y = draw(6, 4, 5), np.array([0, 1, 3, 1, 0, 3], dtype=np.uint8)
    x[5] = x[0]
    np.savez_compressed(tmp_path / "up.npz", x=x, y=y)
    imported = take_dataset(tmp_path / "up.npz", out_dir=tmp_path / "kept", limits=LIMITS)
    kept = tmp_path / "kept" / imported.file_name
    assert os.listdir(tmp_path / "kept") == [f"{imported.sha256}.npz"]
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == imported.sha256
    assert imported.source_sha256 == hashlib.sha256((tmp_path / "up.npz").read_bytes()).hexdigest()
    assert (imported.size, imported.shape, imported.classes) == (6, (4, 5, 1), 4)
    assert imported.class_counts == [2, 2, 0, 2] and imported.duplicates == 1
    assert (
        "Labels without any image: 2" in imported.warnings[0] and "an earlier one and got an id" in imported.warnings[1]
    )
    images, labels = read_npz(kept)
    assert np.array_equal(images, x[..., None]) and np.array_equal(labels, y)
    assert ImportedDataset.model_validate_json(imported.model_dump_json()) == imported


def test_take_dataset_kept_file_can_be_taken_again_unchanged(tmp_path: Path) -> None:
    entry = find_dataset("fashion-mnist-test")
    first = take_dataset(entry.path, out_dir=tmp_path, limits=LIMITS)
    again = take_dataset(tmp_path / first.file_name, out_dir=tmp_path, limits=LIMITS)
    assert again.sha256 == first.sha256 == again.source_sha256
    assert first.shape == entry.shape and first.classes == len(entry.classes)


def test_take_dataset_malformed_file_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "up.npz").write_bytes(b"not a zip")
    with pytest.raises(UnreadableDataset, match=r"not a valid \.npz"):
        take_dataset(tmp_path / "up.npz", out_dir=tmp_path / "kept", limits=LIMITS)
    assert os.listdir(tmp_path / "kept") == []


def test_take_dataset_more_than_the_memory_allows_is_too_large(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "up.npz", x=np.zeros((7000, 100, 100), np.uint8), y=np.arange(7000) % 10)
    with pytest.raises(TooLarge, match="the limit is 64 MB"):
        take_dataset(tmp_path / "up.npz", out_dir=tmp_path / "kept", limits=LIMITS)


def test_take_dataset_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        take_dataset(tmp_path / "gone.npz", out_dir=tmp_path, limits=LIMITS)


def test_write_canonical_same_samples_give_the_same_bytes(tmp_path: Path) -> None:
    x, y = draw(4, 3, 3, 1), np.array([0, 1, 1, 0])
    np.savez(tmp_path / "a.npz", x=x, y=y)
    np.savez_compressed(tmp_path / "b.npz", y=y.astype(np.int8), x=np.asfortranarray(x[..., 0]))
    for name in "ab":
        write_canonical(str(tmp_path / f"{name}.npz"), 10**6, str(tmp_path / f"{name}.out"))
    assert (tmp_path / "a.out").read_bytes() == (tmp_path / "b.out").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.out") as archive:
        assert archive.namelist() == ["x.npy", "y.npy"]


def test_write_canonical_pixels_of_0_and_1_are_suspicious(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=draw(4, 3, 3) // 128, y=np.array([0, 1, 1, 0]))
    imported = write_canonical(str(tmp_path / "a.npz"), 10**6, str(tmp_path / "out"))
    assert "scaled to 0..1" in imported["warnings"][0]
