"""Which of the readable formats a file is, by its first bytes, and what it holds in one form for all."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.datasets import matlab
from backend.datasets.cifar import read_cifar
from backend.datasets.readers import MAX_INFLATED_BYTES, read_npz
from backend.datasets.svhn import read_svhn
from backend.errors import InvalidRequest
from backend.schemas import Split

GZIP = b"\x1f\x8b"
TAR, TAR_AT = b"ustar", 257


@dataclass(frozen=True)
class Samples:
    """Images uint8 (N, H, W, C), 0..255, and labels int64 (N,), 0..K-1, in the order of the file.

    `published` names the data set of `published.PUBLISHED`, and `split` its split; None for a user's own.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    published: str | None = None
    split: Split | None = None


def read_samples(path: Path, *, split: Split | None = None, max_bytes: int = MAX_INFLATED_BYTES) -> Samples:
    """Read a data set file: .npz with x and y, a CIFAR archive, or SVHN's .mat.

    Args:
        path: the file; its name does not matter.
        split: which images of a published archive, "test" by default; SVHN's files hold one split, and `split` says
            which.
        max_bytes: of the arrays, or of the archive once inflated.

    Raises:
        UnreadableDataset, TooLarge: see the readers.
        InvalidRequest: a split of a file that has none.
    """
    with path.open("rb") as file:
        start = file.read(TAR_AT + len(TAR))
    if start.startswith(GZIP) or start[TAR_AT:] == TAR:
        name, images, labels = read_cifar(path, split or "test", max_bytes=max_bytes)
        return Samples(images, labels, name, split or "test")
    if start.startswith(matlab.MAGIC):
        return Samples(*read_svhn(path, max_bytes=max_bytes), "svhn", split or "test")
    if split is not None:
        raise InvalidRequest("Only CIFAR and SVHN archives have splits; leave `split` out for an .npz.", split=split)
    return Samples(*read_npz(path, max_bytes=max_bytes))
