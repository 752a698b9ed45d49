"""Readers give arrays or one sentence that says what is wrong, and never inflate what was not announced."""

import gzip
import io
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.datasets.readers import read_idx, read_npz
from backend.errors import TooLarge, UnreadableDataset

MB = 1024 * 1024


def save_npz(path: Path, x: Any, y: Any, **others: Any) -> Path:
    np.savez_compressed(path, x=x, y=y, **others)
    return path


def draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def pack(shape: tuple[int, ...], content: bytes, dtype: str = "|u1") -> bytes:
    """An .npy file whose header says what it likes."""
    stream = io.BytesIO()
    header = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + content


def zip_entries(path: Path, entries: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


LABELS = pack((2,), struct.pack("<2q", 0, 1), "<i8")


@pytest.mark.parametrize("shape", [(5, 4, 3, 3), (5, 4, 3, 1), (5, 4, 3)], ids=["colour", "one-channel", "grey"])
@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.int64, np.dtype(">i2")])
def test_read_npz_sound_file_gives_one_form(tmp_path: Path, shape: tuple[int, ...], kind: Any) -> None:
    x, y = draw(*shape), np.array([0, 1, 2, 1, 0], dtype=kind)
    images, labels = read_npz(save_npz(tmp_path / "a.npz", x, y))
    assert np.array_equal(images, x.reshape(5, 4, 3, -1)) and images.dtype == np.uint8
    assert np.array_equal(labels, y) and labels.dtype == np.int64


def test_read_npz_column_order_and_stored_entries_are_read(tmp_path: Path) -> None:
    x = np.asfortranarray(draw(3, 4, 5, 3))
    np.savez(tmp_path / "a.npz", x=x, y=np.array([0, 1, 1]))
    images, _ = read_npz(tmp_path / "a.npz")
    assert np.array_equal(images, x) and images.flags.c_contiguous


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (draw(3, 4, 4).astype(np.float32), [0, 1, 2], "must be uint8 pixels"),
        (draw(3, 3, 8, 8), [0, 1, 2], r"looks like \(N, C, H, W\)"),
        (draw(3, 4, 4, 2), [0, 1, 2], "1 or 3 channels"),
        (draw(3, 4), [0, 1, 2], r"shape \(N, H, W, C\)"),
        (draw(0, 4, 4), [], "is empty"),
        (draw(1, 5000, 1), [0], "at most 4096 pixels"),
        (draw(3, 4, 4), [0, 1], r"one label per image, shape \(3,\); it has \(2,\)"),
        (draw(3, 4, 4), [[0], [1], [2]], r"it has \(3, 1\)"),
        (draw(3, 4, 4), [0.0, 1.0, 2.0], "integer class labels; it is float64"),
        (draw(3, 4, 4), [-1, 0, 1], "from -1 to 1"),
        (draw(3, 4, 4), [0, 1, 5000], "K at most 1000"),
        (draw(3, 4, 4), [0, 0, 0], "at least two classes"),
    ],
)
def test_read_npz_wrong_arrays_are_named(tmp_path: Path, x: np.ndarray, y: list[Any], words: str) -> None:
    labels = np.array(y) if y else np.zeros(0, np.int64)
    with pytest.raises(UnreadableDataset, match=words):
        read_npz(save_npz(tmp_path / "a.npz", x, labels))


def test_read_npz_further_or_missing_arrays_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDataset, match="it holds 'x', 'y', 'z'"):
        read_npz(save_npz(tmp_path / "a.npz", draw(2, 3, 3), np.arange(2), z=np.zeros(1)))
    with pytest.raises(UnreadableDataset, match="it holds 'x'"):
        read_npz(zip_entries(tmp_path / "b.npz", {"x.npy": pack((1,), b"a")}))


def test_read_npz_objects_are_not_unpickled(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    objects = np.empty(2, dtype=object)
    objects[:] = [Touch(marker), None]
    np.savez(tmp_path / "a.npz", x=objects, y=np.arange(2))
    with pytest.raises(UnreadableDataset, match="holds Python objects"):
        read_npz(tmp_path / "a.npz")
    assert not marker.exists()


class Touch:
    """Creates a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)


def test_read_npz_bomb_is_refused_before_it_is_inflated(tmp_path: Path) -> None:
    size = 300 * MB
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("x.npy", "w") as entry:
            entry.write(pack((size // 100, 10, 10), b""))
            for _ in range(size // MB):
                entry.write(bytes(MB))
        archive.writestr("y.npy", pack((size // 100,), bytes(size // 100)))
    assert path.stat().st_size < 3 * MB
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge, match="the limit is 100 MB"):
            read_npz(path, max_bytes=100 * MB)
        assert tracemalloc.get_traced_memory()[1] < 5 * MB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("shape", "content", "words"),
    [
        ((10**6, 1000, 1000), b"x" * 18, "declares shape"),
        ((2, 3, 3), b"x" * 17, "declares shape"),
        ((2, 3, 3), b"x" * 40, "declares shape"),
        ((-2, 3, 3), b"x" * 18, "declares the shape"),
        ((2**40, 2**40, 1), b"x", "declares shape"),
    ],
    ids=["huge", "short", "long", "negative", "overflow"],
)
def test_read_npz_header_that_lies_is_refused(
    tmp_path: Path, shape: tuple[int, ...], content: bytes, words: str
) -> None:
    path = zip_entries(tmp_path / "a.npz", {"x.npy": pack(shape, content), "y.npy": LABELS})
    with pytest.raises(UnreadableDataset, match=words):
        read_npz(path)


def test_read_npz_entry_larger_than_its_directory_says_is_refused(tmp_path: Path) -> None:
    path = zip_entries(tmp_path / "a.npz", {"x.npy": pack((2, 300, 300), bytes(180_000)), "y.npy": LABELS})
    raw = bytearray(path.read_bytes())
    honest = struct.pack("<L", len(pack((2, 300, 300), bytes(180_000))))
    where = raw.rfind(honest)
    raw[where : where + 4] = struct.pack("<L", 1000)
    path.write_bytes(bytes(raw))
    with pytest.raises(UnreadableDataset):
        read_npz(path)


@pytest.mark.parametrize(
    "content", [b"", b"not a zip", b"PK\x03\x04" + bytes(50), pack((2,), b"ab")], ids=["empty", "text", "zip", "npy"]
)
def test_read_npz_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(UnreadableDataset, match=r"not a valid \.npz"):
        read_npz(tmp_path / "a.npz")


def test_read_npz_cut_or_damaged_anywhere_is_refused_or_read(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "a.npz", draw(4, 5, 5), np.array([0, 1, 2, 1]))
    raw = path.read_bytes()
    for end in range(0, len(raw), max(1, len(raw) // 40)):
        path.write_bytes(raw[:end])
        with pytest.raises(UnreadableDataset):
            read_npz(path)
    generator = np.random.default_rng(0)
    refused = 0
    for _ in range(200):
        broken = bytearray(raw)
        broken[generator.integers(len(broken))] ^= int(generator.integers(1, 256))
        path.write_bytes(bytes(broken))
        try:
            read_npz(path)
        except (UnreadableDataset, TooLarge):
            refused += 1
    assert refused > 100


def pack_idx(array: np.ndarray, code: int = 0x08) -> bytes:
    shape = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, code, array.ndim]) + shape + array.tobytes()


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gz"])
def test_read_idx_round_trip_gives_the_same_array(tmp_path: Path, zipped: bool) -> None:
    array = draw(3, 4, 5)
    content = pack_idx(array)
    (tmp_path / "a").write_bytes(gzip.compress(content) if zipped else content)
    assert np.array_equal(read_idx(tmp_path / "a"), array)


def test_read_idx_larger_types_come_in_native_order(tmp_path: Path) -> None:
    array = np.array([[1, -2], [300, 4]], dtype=">i4")
    (tmp_path / "a").write_bytes(pack_idx(array, 0x0C))
    read = read_idx(tmp_path / "a")
    assert np.array_equal(read, array) and read.dtype == np.int32


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "starts with two zero bytes"),
        (b"\x01\0\x08\x01\0\0\0\x01a", "starts with two zero bytes"),
        (b"\0\0\x07\x01\0\0\0\x01a", "starts with two zero bytes"),
        (b"\0\0\x08\0", "starts with two zero bytes"),
        (b"\0\0\x08\x03\0\0\0\x01", "not a valid IDX file"),
        (pack_idx(draw(4, 4))[:-1], "16 bytes; the file has 15"),
        (pack_idx(draw(4, 4)) + b"x", "16 bytes; the file has more"),
        (gzip.compress(pack_idx(draw(4, 4)))[:-9], "not a valid IDX file"),
        (b"\x1f\x8bnonsense", "not a valid IDX file"),
    ],
    ids=["empty", "magic", "type", "rank", "no-shape", "short", "long", "cut-gz", "broken-gz"],
)
def test_read_idx_malformed_file_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(UnreadableDataset, match=words):
        read_idx(tmp_path / "a")


def test_read_idx_declared_size_over_the_limit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\0\0\x08\x04" + struct.pack(">4I", *[2**31] * 4))
    with pytest.raises(TooLarge, match="the limit is 2,048 MB"):
        read_idx(tmp_path / "a")


def test_read_idx_bomb_is_read_no_further_than_announced(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(gzip.compress(pack_idx(draw(4, 4)) + bytes(100 * MB), compresslevel=1))
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableDataset, match="the file has more"):
            read_idx(tmp_path / "a")
        assert tracemalloc.get_traced_memory()[1] < 5 * MB
    finally:
        tracemalloc.stop()
