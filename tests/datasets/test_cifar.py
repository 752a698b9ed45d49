"""CIFAR's archives, written byte by byte as published, come back image by image; everything else is refused."""

import gzip
import io
import os
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from backend.datasets.cifar import read_cifar
from backend.errors import TooLarge, UnreadableDataset
from tests.datasets.published_archives import (
    draw,
    flatten,
    listing,
    name_of,
    number,
    pack_records,
    pickle_array,
    pickle_batch,
    pickle_entries,
    split_batches,
    text,
    tuple_of,
    write_cifar10,
    write_tar,
)

LIMIT = 64 * 1024 * 1024
TRAIN, TEST = draw(12, seed=1), draw(7, seed=2)
TEST_NAME = "cifar-10-batches-py/test_batch"


def test_read_cifar_python_archive_gives_each_split_in_file_order(tmp_path: Path) -> None:
    path = write_cifar10(tmp_path / "cifar-10-python.tar.gz", TRAIN, TEST)
    for split, (images, labels) in {"train": TRAIN, "test": TEST}.items():
        name, read, answers = read_cifar(path, split, max_bytes=LIMIT)
        assert name == "cifar10"
        assert np.array_equal(read, images) and read.dtype == np.uint8 and read.flags.c_contiguous
        assert np.array_equal(answers, labels) and answers.dtype == np.int64


def test_read_cifar_binary_archives_give_the_same(tmp_path: Path) -> None:
    folder = "cifar-10-batches-bin"
    members = {
        f"{folder}/data_batch_{row}.bin": pack_records(*part) for row, part in enumerate(split_batches(*TRAIN), 1)
    }
    path = write_tar(tmp_path / "a.tar.gz", members | {f"{folder}/test_batch.bin": pack_records(*TEST)})
    for split, (images, labels) in {"train": TRAIN, "test": TEST}.items():
        _, read, answers = read_cifar(path, split, max_bytes=LIMIT)
        assert np.array_equal(read, images) and np.array_equal(answers, labels)


@pytest.mark.parametrize("is_binary", [False, True], ids=["python", "binary"])
def test_read_cifar100_takes_the_fine_labels(tmp_path: Path, is_binary: bool) -> None:
    images, labels = draw(6, classes=100, seed=3)
    if is_binary:
        members = {"cifar-100-binary/test.bin": pack_records(images, labels, coarse=True)}
    else:
        coarse = listing([number(19)] * 6)
        fine = listing([number(int(label)) for label in labels])
        content = {"coarse_labels": coarse, "fine_labels": fine, "data": pickle_array(flatten(images))}
        members = {"cifar-100-python/test": pickle_entries(content)}
    name, read, answers = read_cifar(write_tar(tmp_path / "a.tar.gz", members), "test", max_bytes=LIMIT)
    assert name == "cifar100"
    assert np.array_equal(read, images) and np.array_equal(answers, labels)


@pytest.mark.parametrize("protocol", range(2, 5))
def test_read_cifar_pickles_written_again_are_read(tmp_path: Path, protocol: int) -> None:
    """By this Python and this NumPy, which name and encode things otherwise."""
    images, labels = TEST
    content = pickle.dumps({b"data": flatten(images), b"labels": labels.tolist()}, protocol=protocol)
    path = write_tar(tmp_path / "a.tar", {TEST_NAME: content}, mode="w")
    _, read, answers = read_cifar(path, "test", max_bytes=LIMIT)
    assert np.array_equal(read, images) and np.array_equal(answers, labels)


class Shell:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (self.command,)


@pytest.mark.parametrize("protocol", range(2, 6))
def test_read_cifar_pickle_that_runs_a_command_is_refused(tmp_path: Path, protocol: int) -> None:
    marker = tmp_path / "ran"
    content = pickle.dumps({"data": Shell(f"touch {marker}"), "labels": [0]}, protocol=protocol)
    with pytest.raises(UnreadableDataset, match=r"asks for posix\.system.*was not run") as refused:
        read_cifar(write_tar(tmp_path / "a.tar.gz", {TEST_NAME: content}), "test", max_bytes=LIMIT)
    assert refused.value.code == "unreadable_dataset"
    assert not marker.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [("numpy", "load"), ("builtins", "eval"), ("numpy.core.multiarray", "frombuffer"), ("os", "fork")],
)
def test_read_cifar_pickle_that_names_anything_else_is_refused(tmp_path: Path, module: str, name: str) -> None:
    content = pickle_entries({"data": name_of(module, name) + tuple_of() + pickle.REDUCE, "labels": listing([])})
    with pytest.raises(UnreadableDataset, match=f"asks for {module}.{name}"):
        read_cifar(write_tar(tmp_path / "a.tar.gz", {TEST_NAME: content}), "test", max_bytes=LIMIT)


FLAT = flatten(TEST[0])
LABELS = listing([number(int(label)) for label in TEST[1]])


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"labels": LABELS}, "holds no array"),
        ({"data": text("pixels"), "labels": LABELS}, "holds no array"),
        ({"data": pickle_array(FLAT)}, "'labels' is not a list"),
        ({"data": pickle_array(FLAT), "labels": listing([text("cat")] * 7)}, "'labels' is not a list"),
        ({"data": pickle_array(FLAT), "labels": listing([number(1)] * 6)}, "7 images and 6 labels"),
        ({"data": pickle_array(FLAT), "labels": listing([number(-1)] * 7)}, "numbers that are not class labels"),
        ({"data": pickle_array(FLAT[:, :100]), "labels": LABELS}, r"shape \(N, 3072\)"),
        ({"data": pickle_array(FLAT, kind="O"), "labels": LABELS}, "must be uint8"),
        ({"data": pickle_array(FLAT, kind="f4"), "labels": LABELS}, "must be uint8"),
        ({"data": pickle_array(FLAT, shape=(10**9, 3072)), "labels": LABELS}, "declares 1,000,000,000 images"),
        ({"data": pickle_array(FLAT, shape=(-7, 3072)), "labels": LABELS}, "must be uint8 of shape"),
        ({"data": pickle_array(FLAT, shape=(7, 32, 32, 3)), "labels": LABELS}, "must be uint8 of shape"),
    ],
)
def test_read_cifar_wrong_batch_is_named(tmp_path: Path, entries: dict[str, bytes], words: str) -> None:
    path = write_tar(tmp_path / "a.tar.gz", {TEST_NAME: pickle_entries(entries)})
    with pytest.raises(UnreadableDataset, match=words):
        read_cifar(path, "test", max_bytes=LIMIT)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({}, "empty|not a valid"),
        ({"cifar-10-batches-py/data_batch_1": b"x"}, "lacks test_batch"),
        ({"elsewhere/test_batch": b"x"}, "begins with the folder 'elsewhere'"),
        ({TEST_NAME: b"x", "other/file": b"x"}, "outside its folder"),
        ({"../cifar-10-batches-py/test_batch": b"x"}, "points outside"),
        ({TEST_NAME: b"x", "cifar-10-batches-py/../../../etc/cron.d/x": b"x"}, "points outside"),
        ({TEST_NAME: b"x", "/etc/passwd": b"x"}, "points outside"),
        ({"cifar-10-batches-py/deeper/test_batch": b"x"}, "twice, or in a subfolder"),
        ({TEST_NAME: b"not a pickle"}, "damaged"),
        ({TEST_NAME: b""}, "damaged"),
        ({TEST_NAME: pickle.dumps([1, 2])}, "not hold a dictionary"),
        ({"cifar-10-batches-bin/test_batch.bin": bytes(3072)}, "records of 3,073 bytes"),
        ({"cifar-10-batches-bin/test_batch.bin": b""}, "records of 3,073 bytes"),
        ({f"cifar-10-batches-py/{number}": b"" for number in range(150)}, "more than 100 members"),
    ],
)
def test_read_cifar_wrong_archive_is_named(tmp_path: Path, members: dict[str, bytes], words: str) -> None:
    with pytest.raises(UnreadableDataset, match=words):
        read_cifar(write_tar(tmp_path / "a.tar.gz", members), "test", max_bytes=LIMIT)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_read_cifar_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo(TEST_NAME)
        entry.type, entry.linkname = kind, "/etc/passwd"
        archive.addfile(entry)
    with pytest.raises(UnreadableDataset, match="neither a plain file nor a folder"):
        read_cifar(path, "test", max_bytes=LIMIT)


def test_read_cifar_member_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for _ in range(2):
            content = pickle_batch(*TEST)
            entry = tarfile.TarInfo(TEST_NAME)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    with pytest.raises(UnreadableDataset, match="twice"):
        read_cifar(path, "test", max_bytes=LIMIT)


def test_read_cifar_bomb_is_refused_before_it_is_inflated(tmp_path: Path) -> None:
    """A member of 300 MB that is not even asked for, in an archive of 300 KB."""
    path = tmp_path / "a.tar.gz"
    entry = tarfile.TarInfo("cifar-10-batches-py/readme.html")
    entry.size = 300 * 1024 * 1024
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(entry.tobuf())
        stream.write(bytes(1024 * 1024))
    with pytest.raises(TooLarge, match="unpacks to more than 64 MB"):
        read_cifar(path, "test", max_bytes=LIMIT)


def test_read_cifar_cut_or_damaged_anywhere_is_refused_or_read(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar.gz", {TEST_NAME: pickle_batch(*TEST)})
    raw = path.read_bytes()
    for end in range(0, len(raw) - 60, max(1, len(raw) // 30)):
        path.write_bytes(raw[:end])
        with pytest.raises(UnreadableDataset):
            read_cifar(path, "test", max_bytes=LIMIT)
    plain = bytearray(gzip.decompress(raw))
    generator = np.random.default_rng(0)
    refused = 0
    for _ in range(200):
        broken = bytearray(plain)
        # Where the structure is: the headers of tar, and the start and end of the pickle.
        broken[int(generator.choice([generator.integers(0, 700), generator.integers(22_000, 22_400)]))] ^= 1
        path.write_bytes(bytes(broken))
        try:
            read_cifar(path, "test", max_bytes=LIMIT)
        except (UnreadableDataset, TooLarge):
            refused += 1
    assert refused > 50
