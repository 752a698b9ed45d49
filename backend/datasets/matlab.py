"""Numeric arrays of MATLAB 5 files, as far as data sets need them.

Written by us because SciPy's reader, faster and far more complete, crashes (segmentation fault) on files that are
damaged in the right place. Format: MathWorks, "MAT-File Format", level 5.
"""

import math
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import TooLarge, UnreadableDataset

MB = 1024 * 1024
MAGIC = b"MATLAB 5.0 MAT-file"
HEADER_BYTES, TAG_BYTES = 128, 8
ENDIAN = {b"IM": "<", b"MI": ">"}
MATRIX, COMPRESSED, INT8, INT32, UINT32 = 14, 15, 1, 5, 6
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
NUMERIC_CLASSES = range(6, 16)
IS_COMPLEX = 0x0800


def read_arrays(path: Path, *, max_bytes: int) -> dict[str, NDArray[Any]]:
    """Every variable of the file, in MATLAB's axes; numbers keep the type they are stored in.

    Raises:
        UnreadableDataset: damaged, or a variable is no array of real numbers.
        TooLarge: the file, or what it inflates to, is over `max_bytes`.
    """
    size = path.stat().st_size
    if size > max_bytes:
        raise TooLarge(f"The file is larger than {max_bytes // MB:,} MB.", limit_bytes=max_bytes)
    content = memoryview(path.read_bytes())
    if bytes(content[: len(MAGIC)]) != MAGIC or bytes(content[126:128]) not in ENDIAN:
        raise UnreadableDataset("The file is not a MATLAB 5 file; version 7.3 (HDF5) is not supported.")
    order = ENDIAN[bytes(content[126:128])]
    arrays: dict[str, NDArray[Any]] = {}
    try:
        for kind, body in walk(content[HEADER_BYTES:], order):
            if kind == COMPRESSED:
                ((kind, body),) = walk(inflate(body, max_bytes), order)
            if kind != MATRIX:
                raise UnreadableDataset(f"The file holds an element of type {kind} where a variable should be.")
            name, array = read_matrix(body, order)
            if name in arrays:
                raise UnreadableDataset(f"The file holds {name!r:.60} twice.")
            arrays[name] = array
    except (struct.error, zlib.error, ValueError, UnicodeDecodeError) as error:
        raise UnreadableDataset(f"The file is not a valid MATLAB 5 file: {error}.") from error
    return arrays


def inflate(packed: memoryview, max_bytes: int) -> memoryview:
    """A compressed element, no further than `max_bytes`."""
    machine = zlib.decompressobj()
    plain = machine.decompress(packed, max_bytes + 1)
    if len(plain) > max_bytes:
        raise TooLarge(f"A variable unpacks to more than {max_bytes // MB:,} MB.", limit_bytes=max_bytes)
    if not machine.eof:
        raise UnreadableDataset("A compressed variable ends too early.")
    return memoryview(plain)


def walk(content: memoryview, order: str) -> list[tuple[int, memoryview]]:
    """The elements that lie one after the other: type and content of each."""
    found, place = [], 0
    while place < len(content):
        kind, size = struct.unpack_from(f"{order}II", content, place)
        start = place + TAG_BYTES
        if kind >> 16:  # a small one: size and type share four bytes, and the content the other four
            kind, size, start = kind & 0xFFFF, kind >> 16, place + 4
            place += TAG_BYTES
        else:
            place = start + size if kind == COMPRESSED else start + math.ceil(size / 8) * 8
        if start + size > len(content) or (start == place - 4 and size > 4):
            raise UnreadableDataset(f"An element declares {size:,} bytes, more than the file has.")
        found.append((kind, content[start : start + size]))
    return found


def read_matrix(body: memoryview, order: str) -> tuple[str, NDArray[Any]]:
    """Name and values of one variable."""
    parts = walk(body, order)
    if [kind for kind, _ in parts[:3]] != [UINT32, INT32, INT8]:
        raise UnreadableDataset("A variable lacks its flags, shape or name.")
    (flags,) = struct.unpack_from(f"{order}I", parts[0][1])
    name = bytes(parts[2][1]).decode("ascii")
    if (flags & 0xFF) not in NUMERIC_CLASSES or flags & IS_COMPLEX or len(parts) != 4 or parts[3][0] not in NUMBERS:
        raise UnreadableDataset(f"The variable {name!r:.60} is not an array of real numbers.")
    shape = tuple(int(size) for size in np.frombuffer(parts[1][1], f"{order}i4"))
    dtype = np.dtype(order + NUMBERS[parts[3][0]])
    values = parts[3][1]
    if any(size < 0 for size in shape) or math.prod(shape) * dtype.itemsize != len(values):
        raise UnreadableDataset(f"{name!r:.60} declares the shape {shape} of {dtype}, but has {len(values):,} bytes.")
    return name, np.frombuffer(values, dtype).reshape(shape, order="F")
