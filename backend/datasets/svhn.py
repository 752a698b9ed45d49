"""Reader of SVHN's cropped digits: train_32x32.mat and test_32x32.mat."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.datasets.matlab import read_arrays
from backend.errors import UnreadableDataset

SIDE = 32
ZERO = 10  # the label of the digit 0


def read_svhn(path: Path, *, max_bytes: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Read images and labels of a cropped SVHN file; which split it is, the file does not say.

    Args:
        path: a MATLAB 5 file of `X` uint8 (32, 32, 3, N) and `y` (N, 1), 1..10, where 10 is the digit 0.
        max_bytes: the largest that a variable may be once inflated.

    Returns:
        Images uint8 (N, 32, 32, 3) and labels int64 (N,), 0..9, the digit itself.

    Raises:
        UnreadableDataset: any other content, or damaged.
        TooLarge: over `max_bytes`.
    """
    held = read_arrays(path, max_bytes=max_bytes)
    if sorted(held) != ["X", "y"]:
        names = ", ".join(repr(name)[:60] for name in held) or "nothing"
        raise UnreadableDataset(f"An SVHN file must hold exactly X and y; this one holds {names}.")
    images, labels = held["X"], held["y"]
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[:3] != (SIDE, SIDE, 3) or images.shape[3] < 1:
        raise UnreadableDataset(f"X must be uint8 of shape (32, 32, 3, N); it is {images.dtype} {images.shape}.")
    if labels.shape != (images.shape[3], 1):
        raise UnreadableDataset(f"y must hold one label per image, shape ({images.shape[3]}, 1); it is {labels.shape}.")
    if not bool(np.isin(labels, np.arange(1, ZERO + 1)).all()):
        raise UnreadableDataset("SVHN's labels must be 1 to 10, where 10 is the digit 0; y holds others.")
    return np.ascontiguousarray(images.transpose(3, 0, 1, 2)), labels[:, 0].astype(np.int64) % ZERO
