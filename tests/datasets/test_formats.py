"""A file's format is told by its bytes; through the child every one ends in the same kept form."""

import os
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest

from backend.datasets.child import take_dataset
from backend.datasets.formats import read_samples
from backend.datasets.published import ARCHIVES, PUBLISHED, find_published, name_split
from backend.datasets.readers import read_npz
from backend.datasets.samples import sample_ids
from backend.errors import InvalidRequest, UnknownName, UnreadableDataset
from backend.sandbox import Limits
from tests.datasets.published_archives import (
    draw,
    listing,
    number,
    pack_records,
    pickle_batch,
    pickle_entries,
    write_cifar10,
    write_svhn,
    write_tar,
)
from tests.datasets.test_cifar import Shell

LIMITS = Limits(memory_mb=256, cpu_seconds=20, wall_seconds=60.0, file_mb=64)
TRAIN, TEST = draw(12, seed=1), draw(7, seed=2)


def test_published_says_what_everybody_knows() -> None:
    assert [len(entry.classes) for entry in PUBLISHED.values()] == [10, 10, 100, 10]
    assert find_published("cifar100").classes == tuple(sorted(find_published("cifar100").classes))
    assert find_published("cifar10").classes[3] == "cat"
    assert name_split("cifar10", "test") == "cifar10-test"
    assert name_split("fashion-mnist", "test") == "fashion-mnist-test-all", "the shipped slice has the plain name"
    assert find_published("fashion-mnist").shape == (28, 28, 1)
    assert len(ARCHIVES) == 6 and all(len(name) == 64 for name in ARCHIVES)
    with pytest.raises(UnknownName, match="Known: cifar10, cifar100, fashion-mnist, svhn"):
        find_published("imagenet")


@pytest.mark.parametrize("mode", ["w:gz", "w"])
def test_read_samples_tells_a_cifar_archive_by_its_bytes(tmp_path: Path, mode: str) -> None:
    path = write_tar(tmp_path / "upload", {"cifar-10-batches-py/test_batch": pickle_batch(*TEST)}, mode)
    read = read_samples(path)
    assert (read.published, read.split) == ("cifar10", "test")
    assert np.array_equal(read.images, TEST[0]) and np.array_equal(read.labels, TEST[1])
    with pytest.raises(UnreadableDataset, match="lacks data_batch_1"):
        read_samples(path, split="train")


def test_read_samples_takes_the_split_of_svhn_from_the_caller(tmp_path: Path) -> None:
    path = write_svhn(tmp_path / "upload", *TEST)
    assert (read_samples(path).published, read_samples(path).split) == ("svhn", "test")
    assert read_samples(path, split="train").split == "train"


def test_read_samples_of_an_npz_has_no_split(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=TEST[0], y=TEST[1])
    assert read_samples(tmp_path / "a.npz").published is None
    with pytest.raises(InvalidRequest, match="have splits"):
        read_samples(tmp_path / "a.npz", split="train")


def test_take_dataset_archive_is_kept_as_the_same_npz_would_be(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=TRAIN[0], y=TRAIN[1])
    archive = write_cifar10(tmp_path / "cifar-10-python.tar.gz", TRAIN, TEST)
    plain = take_dataset(tmp_path / "a.npz", out_dir=tmp_path / "kept", limits=LIMITS)
    imported = take_dataset(archive, out_dir=tmp_path / "kept", limits=LIMITS, split="train")
    assert imported.sha256 == plain.sha256, "the same samples give the same bytes"
    assert (imported.published, imported.split, imported.size) == ("cifar10", "train", 12)
    assert (plain.published, plain.split) == (None, None)
    images, labels = read_npz(tmp_path / "kept" / imported.file_name)
    assert np.array_equal(images, TRAIN[0]) and np.array_equal(labels, TRAIN[1])
    assert sample_ids(images) == sample_ids(TRAIN[0])
    assert "has 50,000 images, this file 12" in imported.warnings[-2]
    assert "differs from the published file's" in imported.warnings[-1]
    assert imported.warnings[:-2] == plain.warnings


def test_take_dataset_hostile_archive_runs_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    content = pickle.dumps({"data": Shell(f"touch {marker}"), "labels": [0]}, protocol=2)
    path = write_tar(tmp_path / "a.tar.gz", {"cifar-10-batches-py/test_batch": content})
    with pytest.raises(UnreadableDataset) as refused:
        take_dataset(path, out_dir=tmp_path / "kept", limits=LIMITS)
    assert (refused.value.code, refused.value.details) == ("unreadable_dataset", {"asked": "posix.system"})
    assert not marker.exists() and os.listdir(tmp_path / "kept") == []
    outside = tmp_path / "outside"
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo(f"cifar-10-batches-py/../../../../..{outside}")
        archive.addfile(entry)
    with pytest.raises(UnreadableDataset, match="points outside"):
        take_dataset(path, out_dir=tmp_path / "kept", limits=LIMITS)
    assert not outside.exists()


@pytest.mark.parametrize(("highest", "words"), [(0, "at least two classes"), (10, "has the classes 0..9")])
def test_take_dataset_labels_that_the_published_set_does_not_have_are_refused(
    tmp_path: Path, highest: int, words: str
) -> None:
    images, labels = draw(4)
    members = {"cifar-10-batches-bin/test_batch.bin": pack_records(images, labels * 0 + highest)}
    with pytest.raises(UnreadableDataset, match=words):
        take_dataset(write_tar(tmp_path / "a.tar", members, "w"), out_dir=tmp_path, limits=LIMITS)


def test_write_archives_are_read_by_python_itself() -> None:
    """The archives of these tests are real pickles: Python reads them as it reads the published ones."""
    batch = pickle.loads(pickle_batch(*TEST), encoding="bytes")
    assert set(batch) == {b"batch_label", b"labels", b"data", b"filenames"}
    assert np.array_equal(batch[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), TEST[0])
    assert batch[b"labels"] == TEST[1].tolist()
    assert pickle.loads(pickle_entries({"a": listing([number(3)])}), encoding="bytes") == {b"a": [3]}
