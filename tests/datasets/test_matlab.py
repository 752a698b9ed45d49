"""MATLAB 5 files as SciPy writes them come back; those that declare too much are refused."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from backend.datasets.matlab import read_arrays
from backend.errors import TooLarge, UnreadableDataset

LIMIT = 10**6


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("kind", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
def test_read_arrays_gives_what_scipy_wrote(tmp_path: Path, kind: str, compressed: bool) -> None:
    values = np.random.default_rng(0).integers(0, 100, (3, 4, 2)).astype(kind)
    written = {"X": values, "y": values[:, :1, 0], "a_longer_name": values[:1, :1, 0]}
    savemat(tmp_path / "a.mat", written, do_compression=compressed)
    read = read_arrays(tmp_path / "a.mat", max_bytes=LIMIT)
    assert list(read) == list(written)
    for name, array in written.items():
        assert np.array_equal(read[name], array) and read[name].dtype == array.dtype


def build(element: bytes, order: bytes = b"IM") -> bytes:
    """A file of one element."""
    return b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x0100) + order + element


def test_read_arrays_big_endian_files_are_read(tmp_path: Path) -> None:
    flags = struct.pack(">IIII", 6, 8, 11, 0)
    shape = struct.pack(">IIII", 5, 8, 2, 1)
    name = struct.pack(">HHcxxx", 1, 1, b"y")
    values = struct.pack(">HHHH", 4, 4, 7, 300)
    body = flags + shape + name + values
    (tmp_path / "a.mat").write_bytes(build(struct.pack(">II", 14, len(body)) + body, b"MI"))
    assert read_arrays(tmp_path / "a.mat", max_bytes=LIMIT)["y"].tolist() == [[7], [300]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a MATLAB 5 file"),
        (b"MATLAB 7.3 MAT-file".ljust(200), "not a MATLAB 5 file"),
        (build(b"", b"??"), "not a MATLAB 5 file"),
        (build(struct.pack("<II", 14, 1000)), "more than the file has"),
        (build(struct.pack("<II", 2, 8) + bytes(8)), "type 2 where a variable"),
        (build(struct.pack("<II", 14, 8) + bytes(8)), "lacks its flags, shape or name"),
        (build(struct.pack("<I", 15)), "not a valid"),
        (build(struct.pack("<II", 15, 4) + b"abcd"), "not a valid"),
        (build(struct.pack("<II", 15, 12) + zlib.compress(bytes(4))[:12]), "not a valid|ends too early"),
        (build(struct.pack("<HHI", 2, 9, 0)), "declares 9 bytes"),
    ],
    ids=["empty", "hdf5", "order", "long", "type", "bare", "cut", "packed", "short", "small"],
)
def test_read_arrays_malformed_file_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(UnreadableDataset, match=words):
        read_arrays(tmp_path / "a.mat", max_bytes=LIMIT)


def test_read_arrays_bomb_is_inflated_no_further_than_the_limit(tmp_path: Path) -> None:
    packed = zlib.compress(bytes(100 * LIMIT), 1)
    (tmp_path / "a.mat").write_bytes(build(struct.pack("<II", 15, len(packed)) + packed))
    with pytest.raises(TooLarge, match="unpacks to more than"):
        read_arrays(tmp_path / "a.mat", max_bytes=LIMIT)
    with pytest.raises(TooLarge, match="larger than"):
        read_arrays(tmp_path / "a.mat", max_bytes=1000)
