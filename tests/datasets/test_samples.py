"""Sample ids depend on the content and nothing else, and smaller sets are nested in larger ones."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from backend.datasets.catalogue import DATASETS, find_dataset
from backend.datasets.samples import load, sample_ids
from backend.errors import InvalidRequest, UnknownName, UnreadableDataset


@dataclass
class Record:
    path: Path


def draw(n: int = 6, shape: tuple[int, ...] = (4, 5, 3), seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), dtype=np.uint8)


def test_sample_ids_are_the_hash_of_shape_and_pixels() -> None:
    images = draw()
    assert sample_ids(images) == [hashlib.sha256(b"4x5x3" + image.tobytes()).hexdigest() for image in images]


def test_sample_ids_grey_images_equal_those_with_one_channel() -> None:
    images = draw(shape=(4, 5))
    assert sample_ids(images) == sample_ids(images[..., np.newaxis])


def test_sample_ids_same_bytes_in_another_shape_differ() -> None:
    images = draw(shape=(4, 6, 1))
    assert not set(sample_ids(images)) & set(sample_ids(images.reshape(6, 6, 4, 1)))


def test_sample_ids_repeated_images_are_numbered_in_file_order() -> None:
    images = draw(2)
    ids = sample_ids(images[[0, 1, 0, 0, 1]])
    first, second = sample_ids(images)
    assert ids == [first, second, f"{first}-1", f"{first}-2", f"{second}-1"]


def test_sample_ids_memory_layout_does_not_matter() -> None:
    images = draw()
    turned = np.asfortranarray(images)
    assert sample_ids(turned) == sample_ids(images)


@pytest.mark.parametrize("images", [np.zeros((2, 3, 3, 1)), np.zeros((3, 3), np.uint8)], ids=["float", "one-image"])
def test_sample_ids_other_arrays_are_refused(images: np.ndarray) -> None:
    with pytest.raises(InvalidRequest, match="uint8 of shape"):
        sample_ids(images)


@pytest.mark.parametrize("name", DATASETS)
def test_load_built_in_data_set_is_what_the_catalogue_says(name: str) -> None:
    entry = find_dataset(name)
    arrays = load(entry)
    assert arrays.images.shape == (entry.size, *entry.shape) and arrays.images.dtype == np.uint8
    assert arrays.labels.shape == (entry.size,) and arrays.labels.dtype == np.int64
    assert set(arrays.labels.tolist()) == set(range(len(entry.classes)))
    assert len(set(arrays.ids)) == entry.size
    with pytest.raises(ValueError, match="read-only"):
        arrays.images[0] = 0


def test_load_fashion_mnist_ids_never_change() -> None:
    # Stored evaluations are matched by these: a change here orphans every one of them.
    arrays = load(find_dataset("fashion-mnist-test"))
    first = arrays.ids.index(min(arrays.ids))
    assert arrays.ids[first] == hashlib.sha256(b"28x28x1" + arrays.images[first].tobytes()).hexdigest()
    everything = "\n".join(sorted(arrays.ids)).encode()
    assert hashlib.sha256(everything).hexdigest() == EXPECTED_IDS_SHA256


EXPECTED_IDS_SHA256 = "0d9cbb51c5292be5b3a99611f1fc88169e575c0a85d43be334e63d1c8d751e24"


def test_load_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    for seed in (1, 2):
        np.savez(path, x=draw(seed=seed), y=np.arange(6))
        assert np.array_equal(load(Record(path)).images, draw(seed=seed))


def test_load_missing_file_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDataset):
        load(Record(tmp_path / "gone.npz"))


def test_find_dataset_unknown_name_lists_what_exists() -> None:
    with pytest.raises(UnknownName, match="fashion-mnist-test"):
        find_dataset("imagenet")
