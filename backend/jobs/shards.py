"""Adversarials as they are kept: shards of float32 images, named by their content, and each sample's row in one."""

import io

import numpy as np
from numpy.typing import NDArray

from backend.store.artefacts import artefact_path, put_bytes

Shard = tuple[str | None, list[int | None]]
"""Name of a stored array of adversarials, None where it would be empty, and each sample's row in it."""


def store_shard(images: NDArray[np.float32], is_kept: NDArray[np.bool_]) -> Shard:
    """Write the kept ones of some images as float32 (K, C, H, W); gives the shard's name and each image's row in it."""
    rows = (np.cumsum(is_kept) - 1).tolist()
    shard_rows = [row if kept else None for row, kept in zip(rows, is_kept.tolist(), strict=True)]
    return (write_shard(images[is_kept]) if is_kept.any() else None), shard_rows


def write_shard(images: NDArray[np.float32]) -> str:
    """Keep adversarials float32 (K, C, H, W), K at least 1; gives the artefact's name."""
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(images, dtype=np.float32), allow_pickle=False)
    return put_bytes(buffer.getvalue(), ".npy")


def read_shard_row(shard: str, row: int) -> NDArray[np.float32]:
    """One adversarial of a shard, float32 (C, H, W)."""
    return np.array(np.load(artefact_path(shard), mmap_mode="r", allow_pickle=False)[row], dtype=np.float32)
