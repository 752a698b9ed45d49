"""Uploaded adversarials: one canonical float32 array out of a sound .npy, and a sentence for anything else."""

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.datasets.adversarials import write_canonical
from backend.errors import TooLarge, UnreadableAdversarials

SHAPE = [1, 6, 5]
ROOM = 10**6


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def images(n: int, shape: tuple[int, ...] = (1, 6, 5), dtype: Any = np.float32) -> np.ndarray:
    return np.random.default_rng(0).random((n, *shape)).astype(dtype)


def take(folder: Path, content: bytes, max_bytes: int = ROOM) -> np.ndarray:
    """The kept array, once the file was taken."""
    path, made = folder / "sent", folder / "made.npy"
    path.write_bytes(content)
    answer = write_canonical(str(path), SHAPE, max_bytes, str(made))
    kept = np.load(made, allow_pickle=False)
    assert answer == {"n": len(kept)}
    return kept


@pytest.mark.parametrize(
    "array",
    [images(3), images(3).astype(">f4"), np.asfortranarray(images(3)), images(3) - 5, images(1) * np.nan],
    ids=["plain", "big endian", "column order", "outside the box", "NaN"],
)
def test_write_canonical_keeps_every_number_as_sent(tmp_path: Path, array: np.ndarray) -> None:
    kept = take(tmp_path, npy(array))
    assert kept.dtype == np.dtype("<f4") and kept.flags.c_contiguous
    np.testing.assert_array_equal(kept, array.astype("<f4"))


class Spy:
    """Unpickling this would write to the disk."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, ("unpickled", "w"))


SOUND = npy(images(2))
MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "text": b"not an array",
    "pickle": pickle.dumps(Spy()),
    "objects": npy(np.array([Spy()], dtype=object)),
    "archive": b"PK\x03\x04" + bytes(100),
    "doubles": npy(images(2, dtype=np.float64)),
    "bytes": npy(np.zeros((2, *SHAPE), dtype=np.uint8)),
    "last channel": npy(images(2, (6, 5, 1))),
    "larger images": npy(images(2, (1, 7, 5))),
    "one image": npy(images(1)[0]),
    "no image": npy(images(0)),
    "cut off": SOUND[:-1],
    "too long": SOUND + b"\0",
    "absurd size": SOUND.replace(b"(2, 1, 6, 5)", b"(9**12, 1,6)", 1),
    "larger than the file": SOUND.replace(b"(2, 1, 6, 5), ", b"(99999,1,6,5),", 1),
    "broken header": SOUND.replace(b"(2, 1, 6, 5), ", b"(((((((((((((,", 1),
    "negative size": SOUND.replace(b"(2, 1, 6, 5)", b"(-2,1, 6, 5)", 1),
    "later version": SOUND[:6] + b"\x09" + SOUND[7:],
}


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED)
def test_write_canonical_of_anything_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnreadableAdversarials):
        take(tmp_path, content)
    assert not (tmp_path / "unpickled").exists()


def test_write_canonical_beyond_the_memory_is_too_large(tmp_path: Path) -> None:
    with pytest.raises(TooLarge):
        take(tmp_path, SOUND, max_bytes=100)
