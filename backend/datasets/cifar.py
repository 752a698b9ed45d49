"""Readers of the canonical CIFAR-10 and CIFAR-100 archives, Python and binary version.

The archive is read as a stream, member by member; nothing is written to disk under a name that it chose.
"""

import gzip
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np
from numpy.typing import NDArray

from backend.datasets.pickled import read_pickled, unpack_pixels
from backend.errors import TooLarge, UnreadableDataset
from backend.schemas import Split

MB = 1024 * 1024
SIDE = 32
PIXELS = 3 * SIDE * SIDE
MAX_MEMBERS = 100
DAMAGES = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, OSError, ValueError)


@dataclass(frozen=True)
class ArchiveLayout:
    """How an archive is laid out: the files of each split, and where a label is.

    `label_key` is that of a pickle; None means binary records, `label_bytes` long before the pixels, the last of which
    is the label.
    """

    dataset: str
    files: dict[Split, tuple[str, ...]]
    label_key: str | None = None
    label_bytes: int = 1


LAYOUTS: dict[str, ArchiveLayout] = {
    "cifar-10-batches-py": ArchiveLayout(
        "cifar10",
        {"train": tuple(f"data_batch_{number}" for number in range(1, 6)), "test": ("test_batch",)},
        label_key="labels",
    ),
    "cifar-10-batches-bin": ArchiveLayout(
        "cifar10",
        {"train": tuple(f"data_batch_{number}.bin" for number in range(1, 6)), "test": ("test_batch.bin",)},
    ),
    "cifar-100-python": ArchiveLayout("cifar100", {"train": ("train",), "test": ("test",)}, label_key="fine_labels"),
    "cifar-100-binary": ArchiveLayout("cifar100", {"train": ("train.bin",), "test": ("test.bin",)}, label_bytes=2),
}


def read_cifar(path: Path, split: Split, *, max_bytes: int) -> tuple[str, NDArray[np.uint8], NDArray[np.int64]]:
    """Read one split of a CIFAR archive.

    Args:
        path: cifar-10-python.tar.gz or one of its three kin, or a plain .tar of the same content.
        split: which images; in the order of the files.
        max_bytes: the most that the archive may hold once inflated.

    Returns:
        The data set's name ("cifar10" or "cifar100"), images uint8 (N, 32, 32, 3), labels int64 (N,).

    Raises:
        UnreadableDataset: another archive, a damaged one, or one that holds more than images and labels.
        TooLarge: over `max_bytes`.
    """
    try:
        with tarfile.open(path, "r|*") as archive:
            layout, members = collect_members(archive, split, max_bytes)
    except DAMAGES as error:
        raise UnreadableDataset(f"The file is not a valid .tar.gz archive: {error}.") from error
    missing = [name for name in layout.files[split] if name not in members]
    if missing:
        raise UnreadableDataset(f"The archive lacks {', '.join(missing)}, where the {split} images should be.")
    parts = [read_member(layout, members[name]) for name in layout.files[split]]
    flat, labels = (np.concatenate(column) for column in zip(*parts, strict=True))
    images = flat.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    return layout.dataset, np.ascontiguousarray(images), labels


def collect_members(archive: tarfile.TarFile, split: Split, max_bytes: int) -> tuple[ArchiveLayout, dict[str, bytes]]:
    """The archive's layout and the files of the split; every member is looked at before any more is inflated."""
    layout, folder, total = None, "", 0
    found: dict[str, bytes] = {}
    for number, member in enumerate(archive):
        check_member(member, number)
        total += member.size
        if total > max_bytes:
            raise TooLarge(f"The archive unpacks to more than {max_bytes // MB:,} MB.", limit_bytes=max_bytes)
        path = PurePosixPath(member.name)
        if layout is None:
            folder = path.parts[0] if path.parts else ""
            layout = find_layout(folder)
        if path.parts[0] != folder:
            raise UnreadableDataset(f"The archive holds {member.name!r:.100} outside its folder {folder!r}.")
        if member.isdir() or path.name not in layout.files[split]:
            continue
        if len(path.parts) != 2 or path.name in found:
            raise UnreadableDataset(f"The archive holds {member.name!r:.100} twice, or in a subfolder.")
        stream: IO[bytes] | None = archive.extractfile(member)
        assert stream is not None, "a regular file has content"
        found[path.name] = stream.read()
    if layout is None:
        raise UnreadableDataset("The archive is empty.")
    return layout, found


def check_member(member: tarfile.TarInfo, number: int) -> None:
    """Refuse what no published archive holds: links, devices, sparse files, paths that lead out, thousands of files."""
    parts = PurePosixPath(member.name).parts
    if not parts or member.name.startswith("/") or ".." in parts or "\\" in member.name:
        raise UnreadableDataset(f"The archive holds the path {member.name!r:.100}, which points outside its folder.")
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE) or member.size < 0:
        raise UnreadableDataset(f"{member.name!r:.100} in the archive is neither a plain file nor a folder.")
    if number >= MAX_MEMBERS:
        raise UnreadableDataset(f"The archive holds more than {MAX_MEMBERS} members; the published ones have a few.")


def find_layout(folder: str) -> ArchiveLayout:
    """The layout that a first folder belongs to."""
    if folder not in LAYOUTS:
        known = ", ".join(LAYOUTS)
        raise UnreadableDataset(f"The archive begins with the folder {folder!r:.100}; known folders: {known}.")
    return LAYOUTS[folder]


def read_member(layout: ArchiveLayout, content: bytes) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pixels (N, 3072), channel by channel, and labels (N,) of one file."""
    if layout.label_key is None:
        return read_records(content, layout.label_bytes)
    batch = read_pickled(content)
    pixels, labels = unpack_pixels(batch.get("data"), PIXELS), batch.get(layout.label_key)
    if not isinstance(labels, list) or any(type(label) is not int for label in labels):
        raise UnreadableDataset(f"The pickle's {layout.label_key!r} is not a list of whole numbers.")
    if len(labels) != len(pixels):
        raise UnreadableDataset(f"The pickle holds {len(pixels):,} images and {len(labels):,} labels.")
    if any(not 0 <= label < 2**31 for label in labels):
        raise UnreadableDataset(f"The pickle's {layout.label_key!r} holds numbers that are not class labels.")
    return pixels, np.asarray(labels, np.int64)


def read_records(content: bytes, label_bytes: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The same of a binary file: records of label and pixels, one after the other."""
    width = label_bytes + PIXELS
    if not content or len(content) % width:
        raise UnreadableDataset(f"A binary file must be made of records of {width:,} bytes; it has {len(content):,}.")
    records = np.frombuffer(content, np.uint8).reshape(-1, width)
    return records[:, label_bytes:], records[:, label_bytes - 1].astype(np.int64)
