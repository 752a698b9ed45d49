"""Make the embedded slice: the first 2,000 Fashion-MNIST test images as one compressed `.npz`.

Run `python -m backend.datasets.make_slice` on a machine with the Debian package dataset-fashion-mnist.
The same input files and the same zlib give the same bytes: NumPy stamps every archive member with 1980-01-01.
"""

import argparse
import gzip
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SOURCE_FOLDER = Path("/usr/share/datasets/fashion-mnist")
SLICE_PATH = Path(__file__).parent / "embedded" / "fashion_mnist_test.npz"
SLICE_SIZE = 2000
UNSIGNED_BYTE = 0x08


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read one gzipped idx file of unsigned bytes.

    Args:
        path: a `.gz` file in the format of LeCun's MNIST page: two zero bytes, the type code, the number of
            dimensions, one big-endian 32-bit size per dimension, then the data in C order.

    Returns:
        uint8 array, (N, H, W) for images and (N,) for labels, values 0..255.

    Raises:
        ValueError: another magic number, another type than unsigned byte, or fewer or more bytes than the
            header announces.
    """
    content = gzip.decompress(path.read_bytes())
    if len(content) < 4 or content[:2] != b"\x00\x00" or content[2] != UNSIGNED_BYTE:
        raise ValueError(f"{path.name} is not an idx file of unsigned bytes: it starts with {content[:4].hex()}")
    dimensions = content[3]
    header_size_bytes = 4 + 4 * dimensions
    shape = tuple(int(size) for size in np.frombuffer(content[4:header_size_bytes], dtype=">u4"))
    expected_size_bytes = int(np.prod(shape, dtype=np.int64))
    if len(shape) != dimensions or len(content) - header_size_bytes != expected_size_bytes:
        raise ValueError(
            f"{path.name} announces {expected_size_bytes} bytes of shape {shape} "
            f"and holds {len(content) - header_size_bytes}: the file is cut or damaged"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=header_size_bytes).reshape(shape)


def make_slice(source_folder: Path, slice_path: Path, size: int = SLICE_SIZE) -> None:
    """Write the first `size` test images and labels of `source_folder` to `slice_path`.

    The archive holds `x` uint8 (size, 28, 28), 0..255, and `y` int64 (size,), classes 0..9; no pickled objects.

    Raises:
        FileNotFoundError: the idx files are not in `source_folder`.
        ValueError: they hold fewer than `size` images.
    """
    images = read_idx(source_folder / "t10k-images-idx3-ubyte.gz")
    labels = read_idx(source_folder / "t10k-labels-idx1-ubyte.gz")
    if len(images) != len(labels) or len(images) < size:
        raise ValueError(f"expected at least {size} images with labels, found {len(images)} and {len(labels)}")
    slice_path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(slice_path, x=images[:size], y=labels[:size].astype(np.int64))


def main() -> int:
    """Parse the command line and write the slice; 1 and a sentence where the source files are missing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--source", type=Path, default=SOURCE_FOLDER, help="folder of the four idx files")
    parser.add_argument("--out", type=Path, default=SLICE_PATH, help="the .npz to write")
    arguments = parser.parse_args()
    try:
        make_slice(arguments.source, arguments.out)
    except FileNotFoundError as error:
        sentence = f"{error.filename} is missing: install the Debian package dataset-fashion-mnist, or pass --source"
        print(sentence, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
