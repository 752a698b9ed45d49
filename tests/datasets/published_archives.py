"""Writes archives as CIFAR and SVHN publish them: pickles of Python 2 opcode by opcode, binary records, MATLAB 5."""

import gzip
import hashlib
import io
import pickle
import struct
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from backend.datasets.child import write_published
from backend.datasets.published import PUBLISHED, Archive, PublishedDataset

PIXELS = 3072
N = 30  # images of the small Fashion-MNIST


def draw(n: int, classes: int = 10, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 (n, 32, 32, 3) and labels int64 (n,), the last of which is the last class."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, n)
    labels[-1] = classes - 1
    return generator.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8), labels


def flatten(images: np.ndarray) -> np.ndarray:
    """As CIFAR stores them: all red values of an image, then green, then blue."""
    return images.transpose(0, 3, 1, 2).reshape(len(images), -1)


def text(value: str) -> bytes:
    """A str of Python 2."""
    return pickle.SHORT_BINSTRING + bytes([len(value)]) + value.encode()


def number(value: int) -> bytes:
    return pickle.BININT + struct.pack("<i", value)


def listing(items: list[bytes]) -> bytes:
    return pickle.EMPTY_LIST + pickle.MARK + b"".join(items) + pickle.APPENDS


def tuple_of(*items: bytes) -> bytes:
    return pickle.MARK + b"".join(items) + pickle.TUPLE


def name_of(module: str, name: str) -> bytes:
    return pickle.GLOBAL + f"{module}\n{name}\n".encode()


def pickle_array(pixels: np.ndarray, shape: tuple[int, ...] | None = None, kind: str = "u1") -> bytes:
    """An array as NumPy of 2009 pickled it; `shape` and `kind` may lie."""
    content = pixels.tobytes()
    empty = tuple_of(name_of("numpy", "ndarray"), tuple_of(number(0)), text("b"))
    dtype = name_of("numpy", "dtype") + tuple_of(text(kind), number(0), number(1)) + pickle.REDUCE
    order = tuple_of(number(3), text("|"), *[pickle.NONE] * 3, number(-1), number(-1), number(0))
    state = tuple_of(
        number(1),
        tuple_of(*(number(size) for size in shape or pixels.shape)),
        dtype + order + pickle.BUILD,
        pickle.NEWFALSE,
        pickle.BINSTRING + struct.pack("<i", len(content)) + content,
    )
    return name_of("numpy.core.multiarray", "_reconstruct") + empty + pickle.REDUCE + state + pickle.BUILD


def pickle_entries(entries: dict[str, bytes]) -> bytes:
    body = b"".join(text(key) + value for key, value in entries.items())
    return pickle.PROTO + b"\x02" + pickle.EMPTY_DICT + pickle.MARK + body + pickle.SETITEMS + pickle.STOP


def pickle_batch(images: np.ndarray, labels: np.ndarray, label_key: str = "labels") -> bytes:
    """One batch, with the names and the title that the published ones carry next to it."""
    return pickle_entries(
        {
            "batch_label": text("testing batch 1 of 1"),
            label_key: listing([number(int(label)) for label in labels]),
            "data": pickle_array(flatten(images)),
            "filenames": listing([text(f"image_{row}.png") for row in range(len(labels))]),
        }
    )


def pack_records(images: np.ndarray, labels: np.ndarray, coarse: bool = False) -> bytes:
    """Binary records; with `coarse`, a byte of CIFAR-100's twenty superclasses comes first."""
    columns = [labels[:, None].astype(np.uint8), flatten(images)]
    return np.concatenate([np.full((len(labels), 1), 19, np.uint8)] * coarse + columns, axis=1).tobytes()


def write_tar(path: Path, members: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def split_batches(images: np.ndarray, labels: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    return list(zip(np.array_split(images, 5), np.array_split(labels, 5), strict=True))


def write_cifar10(path: Path, train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]) -> Path:
    """cifar-10-python.tar.gz, with what else lies in it; the members in no special order, as published."""
    folder = "cifar-10-batches-py"
    members = {
        f"{folder}/batches.meta": pickle_entries({"num_vis": number(3072)}),
        f"{folder}/readme.html": b"<html></html>",
    }
    batches = [(f"data_batch_{row}", batch) for row, batch in enumerate(split_batches(*train), 1)]
    for name, (images, labels) in [*reversed(batches), ("test_batch", test)]:
        members[f"{folder}/{name}"] = pickle_batch(images, labels)
    return write_tar(path, members)


def write_svhn(path: Path, images: np.ndarray, labels: np.ndarray, *, compressed: bool = True) -> Path:
    digits = np.where(labels == 0, 10, labels).astype(np.uint8)[:, None]
    savemat(path, {"X": images.transpose(1, 2, 3, 0), "y": digits}, do_compression=compressed)
    return path


def make_idx_pair(seed: int = 0) -> list[bytes]:
    """Images uint8 (N, 28, 28) and labels as Fashion-MNIST's files hold them, not packed."""
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (N, 28, 28), dtype=np.uint8)
    labels = np.arange(N, dtype=np.uint8) % 10
    heads = struct.pack(">4B3I", 0, 0, 8, 3, N, 28, 28), struct.pack(">4BI", 0, 0, 8, 1, N)
    return [heads[0] + images.tobytes(), heads[1] + labels.tobytes()]


def write_idx_pair(folder: Path, seed: int = 0, level: int = 9) -> list[str]:
    """The training files of a small Fashion-MNIST; gives their names."""
    names = [archive.file_name for archive in PUBLISHED["fashion-mnist"].downloads["train"]]
    for name, content in zip(names, make_idx_pair(seed), strict=True):
        (folder / name).write_bytes(gzip.compress(content, level))
    return names


def small_fashion(address: str) -> PublishedDataset:
    """Fashion-MNIST as if those small files were the published ones, and no package installed any."""
    entry = PUBLISHED["fashion-mnist"]
    archives = tuple(
        Archive(archive.file_name, f"{address}/{archive.file_name}", hashlib.sha256(content).hexdigest(), 10_000, True)
        for archive, content in zip(entry.downloads["train"], make_idx_pair(), strict=True)
    )
    return replace(
        entry, downloads={"train": archives, "test": archives}, sizes={"train": N, "test": N}, installed=None
    )


def write_published_in(folder: Path, address: str) -> dict[str, Any]:
    """What `write_published` says of the small Fashion-MNIST, run in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PUBLISHED, "fashion-mnist", small_fashion(address))
        return write_published("fashion-mnist", "train", str(folder), None, 2**30, str(folder / "out.npz"))
