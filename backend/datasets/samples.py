"""Samples and their names: an id is a hash of the pixels, so the same image has the same id in every file."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from backend.datasets.readers import read_npz
from backend.errors import InvalidRequest


class StoredDataset(Protocol):
    """A catalogue entry or a row of the store: anything that knows where its .npz lies."""

    @property
    def path(self) -> Path: ...


@dataclass(frozen=True)
class SampleArrays:
    """The samples of a data set in file order; the arrays are read-only.

    `images` uint8 (N, H, W, C), 0..255; `labels` int64 (N,), 0..K-1; `ids` one per sample, all different.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    ids: tuple[str, ...]


def hash_samples(ids: Sequence[str], labels: NDArray[np.integer[Any]]) -> str:
    """SHA-256 (hex) over ids and labels (N,) in the order of the rows: what a training set is called by."""
    lines = (f"{one} {label}" for one, label in zip(ids, labels.tolist(), strict=True))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def add_channel_axis(images: NDArray[Any]) -> NDArray[Any]:
    """Give images as (N, H, W, C): grey ones (N, H, W) get one channel, the others pass unchanged."""
    return images[..., np.newaxis] if images.ndim == 3 else images


def sample_ids(images: NDArray[np.uint8]) -> list[str]:
    """Name every image by its content.

    Args:
        images: uint8 (N, H, W, C) or (N, H, W), which counts as one channel.

    Returns:
        SHA-256 (hex) over the shape as ASCII ("HxWxC") and the pixels in row order. The k-th repetition of an image
        (k >= 1) carries the suffix "-k", in file order.

    Raises:
        InvalidRequest: another dtype or number of axes.
    """
    if images.dtype != np.uint8 or images.ndim not in (3, 4):
        raise InvalidRequest(f"Images must be uint8 of shape (N, H, W, C), got {images.dtype} {images.shape}.")
    pixels = np.ascontiguousarray(add_channel_axis(images))
    shape = "x".join(str(size) for size in pixels.shape[1:]).encode("ascii")
    seen: dict[str, int] = {}
    ids: list[str] = []
    for image in pixels:
        digest = hashlib.sha256(shape)
        digest.update(image.tobytes())
        name = digest.hexdigest()
        repetition = seen.get(name, 0)
        seen[name] = repetition + 1
        ids.append(f"{name}-{repetition}" if repetition else name)
    return ids


def load(record: StoredDataset) -> SampleArrays:
    """Read the samples of a stored data set. The last few are kept in memory until their file changes.

    Raises:
        UnreadableDataset: the file is missing or breaks a rule of the format.
    """
    path = Path(record.path)
    changed = path.stat().st_mtime_ns if path.exists() else None
    return _load(path, changed)


@lru_cache(maxsize=4)
def _load(path: Path, _changed: int | None) -> SampleArrays:
    images, labels = read_npz(path)
    ids = tuple(sample_ids(images))
    images.flags.writeable = False
    labels.flags.writeable = False
    return SampleArrays(images, labels, ids)
