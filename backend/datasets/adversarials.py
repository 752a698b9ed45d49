"""Takes uploaded adversarials (.npy): read in a child process, kept as one float32 array under its hash.

Whether a single image is finite, inside the box and adversarial is not judged here: a worker does, one by one.
"""

from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np

from backend.errors import NotFound, TooLarge, UnreadableAdversarials
from backend.sandbox import MB, Limits, hash_file, make_in_child

MAX_HEADER_BYTES = 10_000
# What NumPy raises over a header that is no literal, or promises what the file does not hold.
DAMAGES = (ValueError, EOFError, OSError, SyntaxError, TypeError, OverflowError, RecursionError, TokenError)


@dataclass(frozen=True)
class ImportedAdversarials:
    """Kept adversarials: the artefact's name, how many there are, and the hash of the file as it was sent."""

    file_name: str
    n: int
    source_sha256: str


def take_adversarials(
    path: Path, *, shape: tuple[int, int, int], out_dir: Path, limits: Limits
) -> ImportedAdversarials:
    """Read the upload at `path` and keep it in `out_dir` as `<sha256>.npy`, float32 (n, C, H, W).

    Args:
        path: the uploaded file; stays where it is.
        shape: (C, H, W) of the data set's images.
        out_dir: folder of the kept files.
        limits: of the child; a quarter of its memory is the most the array may take.

    Raises:
        NotFound: no file at `path`.
        UnreadableAdversarials: it is no .npy of float32 images of that shape, or killed the child that read it.
        TooLarge: the array exceeds the limits.
    """
    if not path.is_file():
        raise NotFound("The uploaded file is missing. Send it again.")
    made = make_in_child(
        "backend.datasets.adversarials:write_canonical",
        {"path": str(path.resolve()), "shape": list(shape), "max_bytes": limits.memory_mb * MB // 4},
        out_dir=out_dir,
        suffix=".npy",
        limits=limits,
        rejection=UnreadableAdversarials,
    )
    return ImportedAdversarials(made.path.name, made.result["n"], hash_file(path))


def write_canonical(path: str, shape: list[int], max_bytes: int, out: str) -> dict[str, Any]:
    """Read the .npy at `path`, write it to `out` in its one form and say how many images it holds (runs in the child).

    The header is believed only as far as the file is as long as it says, and before anything is read by it.
    """
    try:
        with Path(path).open("rb") as stream:
            check_header(stream, tuple(shape), Path(path).stat().st_size, max_bytes)
            stream.seek(0)
            array = np.lib.format.read_array(stream, allow_pickle=False, max_header_size=MAX_HEADER_BYTES)
    except DAMAGES as error:
        raise UnreadableAdversarials(f"The file is not a valid .npy array: {error}.") from error
    with Path(out).open("wb") as file:
        canonical = np.ascontiguousarray(array, dtype="<f4")
        np.lib.format.write_array(file, canonical, version=(1, 0), allow_pickle=False)
    return {"n": len(array)}


def check_header(stream: IO[bytes], shape: tuple[int, ...], size_bytes: int, max_bytes: int) -> None:
    """Refuse what the header alone shows to be wrong."""
    if stream.read(2) == b"PK":
        raise UnreadableAdversarials("The file is a zip archive, perhaps an .npz; send a single array as .npy.")
    stream.seek(0)
    version = np.lib.format.read_magic(stream)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise UnreadableAdversarials(f"The file has .npy version {version}; only 1.0 and 2.0 can be read.")
    found, _, dtype = readers[version](stream, max_header_size=MAX_HEADER_BYTES)
    if dtype.hasobject:
        raise UnreadableAdversarials("The file holds Python objects, which would need unpickling; save float32.")
    if dtype.newbyteorder("=") != np.float32:
        raise UnreadableAdversarials(f"Adversarials must be float32 in [0, 1]; these are {dtype}. Use astype('f4').")
    if len(found) != 4 or tuple(found[1:]) != shape or found[0] < 1:
        hint = ""
        if len(found) == 4 and tuple(found[1:]) == (*shape[1:], shape[0]):
            hint = " They look like (n, H, W, C): use transpose(0, 3, 1, 2)."
        wanted = ", ".join(str(size) for size in shape)
        raise UnreadableAdversarials(
            f"Adversarials of this data set must have the shape (n, {wanted}), n at least 1; got {found}.{hint}",
            expected=list(shape),
            got=list(found),
        )
    array_bytes = int(np.prod(found, dtype=object)) * dtype.itemsize
    if size_bytes != stream.tell() + array_bytes:
        raise UnreadableAdversarials(
            f"The header declares shape {found} ({array_bytes:,} bytes), the file has {size_bytes - stream.tell():,}."
        )
    if array_bytes > max_bytes:
        raise TooLarge(
            f"The array takes {array_bytes / MB:,.0f} MB; the limit is {max_bytes // MB:,} MB.",
            size_bytes=array_bytes,
            limit_bytes=max_bytes,
        )
