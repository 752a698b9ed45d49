"""The embedded slice: its content, and the script that makes it byte for byte."""

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from backend.datasets.make_slice import main

EMBEDDED = Path(__file__).resolve().parents[2] / "backend" / "datasets" / "embedded"


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write a gzipped idx file of unsigned bytes by the format's definition."""
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes()))


def test_embedded_slice_is_the_first_2000_test_images() -> None:
    with np.load(EMBEDDED / "fashion_mnist_test.npz", allow_pickle=False) as archive:
        assert set(archive) == {"x", "y"}
        x, y = archive["x"], archive["y"]
    assert (x.shape, x.dtype, y.shape, y.dtype) == ((2000, 28, 28), np.uint8, (2000,), np.int64)
    assert y[:10].tolist() == [9, 2, 1, 1, 6, 1, 4, 6, 5, 7]
    assert hashlib.sha256(x.tobytes()).hexdigest() == "09bbac78738f0229a68f7ca74e62665d7fb34f45ea7a3509ab5c4a202c1370de"
    assert hashlib.sha256(y.tobytes()).hexdigest() == "1391f08dce1f46df15b47daeaf99650808c2a3899fbcdee7c3a3597093712826"


def test_embedded_slice_carries_its_licence() -> None:
    licence = (EMBEDDED / "LICENSE").read_text(encoding="utf-8")
    assert "The MIT License" in licence
    assert "2017 Zalando SE" in licence
    assert "1708.07747" in (EMBEDDED / "README.md").read_text(encoding="utf-8")


def test_make_slice_twice_gives_the_first_images_in_the_same_bytes(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (2050, 3, 2), dtype=np.uint8)
    labels = generator.integers(0, 10, 2050, dtype=np.uint8)
    write_idx(tmp_path / "t10k-images-idx3-ubyte.gz", images)
    write_idx(tmp_path / "t10k-labels-idx1-ubyte.gz", labels)
    outputs = [tmp_path / "first" / "slice.npz", tmp_path / "second" / "slice.npz"]
    for output in outputs:
        assert main(["--source", str(tmp_path), "--out", str(output)]) == 0
    assert outputs[0].read_bytes() == outputs[1].read_bytes()
    with np.load(outputs[0], allow_pickle=False) as archive:
        assert np.array_equal(archive["x"], images[:2000])
        assert np.array_equal(archive["y"], labels[:2000])


def test_make_slice_without_sources_or_with_too_few_images_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--source", str(tmp_path), "--out", str(tmp_path / "slice.npz")]
    assert main(words) == 1
    assert "install the Debian package dataset-fashion-mnist" in capsys.readouterr().err
    write_idx(tmp_path / "t10k-images-idx3-ubyte.gz", np.zeros((5, 2, 2), np.uint8))
    write_idx(tmp_path / "t10k-labels-idx1-ubyte.gz", np.zeros(5, np.uint8))
    assert main(words) == 1
    assert "expected at least 2000 images with labels, found 5 and 5" in capsys.readouterr().err
    assert not (tmp_path / "slice.npz").exists()
