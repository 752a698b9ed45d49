"""Readers of data set files: .npz as users upload it, IDX as MNIST is published.

Nothing is unpickled, and sizes are known before anything is inflated: an archive of a few KB can declare many GB.
"""

import gzip
import io
import math
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import TooLarge, UnreadableDataset

MB = 1024 * 1024
MAX_INFLATED_BYTES = 2048 * MB
MAX_CLASSES = 1000
MAX_SIDE = 4096
MAX_HEADER_BYTES = 10_000
ARRAYS = ("x", "y")
DAMAGES = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    ValueError,
    OSError,
    NotImplementedError,
    RuntimeError,
    struct.error,
)

IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


@dataclass(frozen=True)
class ArrayHeader:
    """What an .npy header promises."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    size_bytes: int
    header_bytes: int


def read_npz(path: Path, *, max_bytes: int = MAX_INFLATED_BYTES) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Read images and labels from an .npz file.

    Args:
        path: a zip of exactly x.npy and y.npy, stored or deflated.
        max_bytes: largest size of both arrays together once inflated.

    Returns:
        Images uint8 (N, H, W, C), C 1 or 3, grey (N, H, W) files included; labels int64 (N,), 0..K-1.

    Raises:
        UnreadableDataset: anything else, in one sentence.
        TooLarge: over `max_bytes`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = _find_entries(archive)
            headers = {name: _read_header(archive, entry, name) for name, entry in entries.items()}
            total = sum(header.size_bytes for header in headers.values())
            if total > max_bytes:
                raise TooLarge(
                    f"The arrays unpack to {total / MB:,.0f} MB; the limit is {max_bytes // MB:,} MB.",
                    size_bytes=total,
                    limit_bytes=max_bytes,
                )
            _check_headers(headers["x"], headers["y"])
            images, labels = (_read_array(archive, entries[name]) for name in ARRAYS)
    except DAMAGES as error:
        raise UnreadableDataset(f"The file is not a valid .npz archive: {error}.") from error
    return _check_values(images, labels)


def _find_entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Give the entries of x and y; refuse any other content."""
    names = [entry.filename for entry in archive.infolist()]
    if sorted(names) != [f"{name}.npy" for name in ARRAYS]:
        held = ", ".join(repr(name.removesuffix(".npy")) for name in names[:8]) or "nothing"
        raise UnreadableDataset(
            f"The .npz must hold exactly the arrays 'x' and 'y'; it holds {held}.", arrays=names[:50]
        )
    return {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}


def _read_header(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> ArrayHeader:
    """Read the first bytes of an entry and check that shape, dtype and stored size agree."""
    with archive.open(entry) as stream:
        start = io.BytesIO(stream.read(MAX_HEADER_BYTES + 16))
    version = np.lib.format.read_magic(start)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(start, max_header_size=MAX_HEADER_BYTES)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(start, max_header_size=MAX_HEADER_BYTES)
    else:
        raise UnreadableDataset(f"Array '{name}' has .npy version {version}; only 1.0 and 2.0 can be read.")
    if dtype.hasobject:
        raise UnreadableDataset(f"Array '{name}' holds Python objects, which would need unpickling; save numbers.")
    if any(size < 0 for size in shape):
        raise UnreadableDataset(f"Array '{name}' declares the shape {shape}, which has a negative size.")
    size_bytes = math.prod(shape) * dtype.itemsize
    if entry.file_size != start.tell() + size_bytes:
        raise UnreadableDataset(
            f"Array '{name}' declares shape {shape} of {dtype} ({size_bytes} bytes), but its entry has "
            f"{entry.file_size - start.tell()} bytes."
        )
    return ArrayHeader(shape, dtype, size_bytes, start.tell())


def _check_headers(x: ArrayHeader, y: ArrayHeader) -> None:
    """Refuse what the headers alone show to be wrong."""
    if x.dtype != np.uint8:
        raise UnreadableDataset(f"'x' must be uint8 pixels, 0 to 255; it is {x.dtype}.")
    if len(x.shape) not in (3, 4):
        raise UnreadableDataset(f"'x' must have shape (N, H, W, C) or (N, H, W); it has {x.shape}.")
    if len(x.shape) == 4 and x.shape[3] not in (1, 3):
        hint = " It looks like (N, C, H, W): use x.transpose(0, 2, 3, 1)." if x.shape[1] in (1, 3) else ""
        raise UnreadableDataset(f"'x' must have 1 or 3 channels in its last axis; its shape is {x.shape}.{hint}")
    if 0 in x.shape:
        raise UnreadableDataset(f"'x' is empty: its shape is {x.shape}.")
    if max(x.shape[1:3]) > MAX_SIDE:
        raise UnreadableDataset(f"Images are at most {MAX_SIDE} pixels wide and high; these are {x.shape[1:3]}.")
    if y.dtype.kind not in "iu":
        raise UnreadableDataset(f"'y' must hold integer class labels; it is {y.dtype}.")
    if y.shape != x.shape[:1]:
        raise UnreadableDataset(f"'y' must have one label per image, shape {x.shape[:1]}; it has {y.shape}.")


def _read_array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> NDArray[Any]:
    """Inflate one array whose size has been checked."""
    with archive.open(entry) as stream:
        array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False, max_header_size=MAX_HEADER_BYTES)
        if stream.read(1):
            raise UnreadableDataset(f"Entry {entry.filename!r} has extra bytes after its array.")
    return array


def _check_values(images: NDArray[Any], labels: NDArray[Any]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Check the range of the labels and bring both arrays into their one form."""
    lowest, highest = int(labels.min()), int(labels.max())
    if lowest < 0 or highest >= MAX_CLASSES:
        raise UnreadableDataset(
            f"Labels must be 0..K-1 with K at most {MAX_CLASSES}; these go from {lowest} to {highest}."
        )
    if highest == 0:
        raise UnreadableDataset("Every label is 0: a data set needs at least two classes.")
    pixels = np.ascontiguousarray(images if images.ndim == 4 else images[..., np.newaxis])
    return pixels, np.ascontiguousarray(labels.astype(np.int64))


def read_idx(path: Path, *, max_bytes: int = MAX_INFLATED_BYTES) -> NDArray[Any]:
    """Read an IDX file (the format of MNIST and Fashion-MNIST), gzipped or plain.

    Returns:
        An array of the file's shape and type, in the machine's byte order.

    Raises:
        UnreadableDataset: wrong magic number, or sizes that do not fit the content.
        TooLarge: the header declares more than `max_bytes`.
    """
    try:
        with path.open("rb") as file:
            is_gzip = file.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if is_gzip else path.open("rb") as stream:
            return _read_idx_stream(stream, max_bytes)
    except DAMAGES as error:
        raise UnreadableDataset(f"The file is not a valid IDX file: {error}.") from error


def _read_idx_stream(stream: IO[bytes] | gzip.GzipFile, max_bytes: int) -> NDArray[Any]:
    """Read header and content; one byte more than promised is enough to see that there is more."""
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in IDX_TYPES or magic[3] == 0:
        raise UnreadableDataset(f"An IDX file starts with two zero bytes, a type and a rank; got {magic!r}.")
    rank = magic[3]
    shape = struct.unpack(f">{rank}I", stream.read(4 * rank))
    dtype = np.dtype(IDX_TYPES[magic[2]])
    size_bytes = math.prod(shape) * dtype.itemsize
    if size_bytes > max_bytes:
        raise TooLarge(f"The IDX header declares {size_bytes / MB:,.0f} MB; the limit is {max_bytes // MB:,} MB.")
    content = stream.read(size_bytes + 1)
    if len(content) != size_bytes:
        found = "more" if len(content) > size_bytes else str(len(content))
        raise UnreadableDataset(f"The IDX header declares shape {shape}, {size_bytes} bytes; the file has {found}.")
    return np.frombuffer(content, dtype=dtype).reshape(shape).astype(dtype.newbyteorder("="))
