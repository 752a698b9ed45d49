"""Make the embedded slice: the first 2,000 Fashion-MNIST test images as one compressed `.npz`.

Run `python -m backend.datasets.make_slice` on a machine with the Debian package dataset-fashion-mnist.
The same input files and the same zlib give the same bytes: NumPy stamps every archive member with 1980-01-01.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.datasets.catalogue import DATASETS
from backend.datasets.readers import read_idx
from backend.errors import ThinIceError

SOURCE_FOLDER = Path("/usr/share/datasets/fashion-mnist")
SLICE = DATASETS["fashion-mnist-test"]


def read_split(folder: Path, prefix: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Read one split of Fashion-MNIST as Debian installs it.

    Args:
        folder: where the four `*-ubyte.gz` files lie.
        prefix: `train` (60,000 images) or `t10k` (10,000).

    Returns:
        Images uint8 (N, 28, 28), 0..255, and labels uint8 (N,), 0..9, in the order of the files.

    Raises:
        FileNotFoundError: a file is missing; the message names the package that brings it.
        UnreadableDataset: a file is damaged.
    """
    paths = folder / f"{prefix}-images-idx3-ubyte.gz", folder / f"{prefix}-labels-idx1-ubyte.gz"
    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing: install the Debian package dataset-fashion-mnist.")
    return read_idx(paths[0]), read_idx(paths[1])


def make_slice(source_folder: Path, slice_path: Path, size: int = SLICE.size) -> None:
    """Write the first `size` test images and labels of `source_folder` to `slice_path`.

    The archive holds `x` uint8 (size, 28, 28), 0..255, and `y` int64 (size,), classes 0..9; no pickled objects.

    Raises:
        FileNotFoundError: the idx files are not in `source_folder`.
        UnreadableDataset: they are damaged.
        ValueError: they hold fewer than `size` images with labels.
    """
    images, labels = read_split(source_folder, "t10k")
    if len(images) != len(labels) or len(images) < size:
        raise ValueError(f"expected at least {size} images with labels, found {len(images)} and {len(labels)}")
    slice_path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(slice_path, x=images[:size], y=labels[:size].astype(np.int64))


def main(words: list[str] | None = None) -> int:
    """Parse the command line and write the slice; 1 and a sentence where the source files are missing or damaged."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--source", type=Path, default=SOURCE_FOLDER, help="folder of the idx files (%(default)s)")
    parser.add_argument("--out", type=Path, default=SLICE.path, help="the .npz to write")
    arguments = parser.parse_args(words)
    try:
        make_slice(arguments.source, arguments.out)
    except (FileNotFoundError, ThinIceError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
