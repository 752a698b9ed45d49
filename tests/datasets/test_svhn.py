"""SVHN's .mat files come back image by image, the digit 0 as class 0; other content is refused before it is read."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from backend.datasets.svhn import read_svhn
from backend.errors import TooLarge, UnreadableDataset
from tests.datasets.published_archives import draw, write_svhn

LIMIT = 10**7
IMAGES, LABELS = draw(9)


@pytest.mark.parametrize("compressed", [True, False])
def test_read_svhn_gives_images_and_digits(tmp_path: Path, compressed: bool) -> None:
    labels = LABELS.copy()
    labels[:2] = 0
    read, digits = read_svhn(write_svhn(tmp_path / "a.mat", IMAGES, labels, compressed=compressed), max_bytes=LIMIT)
    assert np.array_equal(read, IMAGES) and read.dtype == np.uint8 and read.flags.c_contiguous
    assert np.array_equal(digits, labels) and digits.dtype == np.int64


X, Y = IMAGES.transpose(1, 2, 3, 0), np.ones((9, 1), np.uint8)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"X": X}, "holds 'X'"),
        ({"X": X, "y": Y, "more": Y}, "exactly X and y"),
        ({"X": X.astype(float), "y": Y}, "must be uint8"),
        ({"X": X[:16], "y": Y}, r"shape \(32, 32, 3, N\)"),
        ({"X": IMAGES, "y": Y}, r"shape \(32, 32, 3, N\)"),
        ({"X": X, "y": Y[:8]}, "one label per image"),
        ({"X": X, "y": Y * 0}, "1 to 10"),
        ({"X": X, "y": Y * 11}, "1 to 10"),
        ({"X": X, "y": Y * 1.5}, "1 to 10"),
        ({"X": {"a": 1}, "y": Y}, "not an array of real numbers"),
        ({"X": X * (1 + 2j), "y": Y}, "not an array of real numbers"),
        ({"X": "text", "y": Y}, "not an array of real numbers"),
    ],
)
def test_read_svhn_wrong_variables_are_named(tmp_path: Path, variables: dict[str, Any], words: str) -> None:
    savemat(tmp_path / "a.mat", variables)
    with pytest.raises(UnreadableDataset, match=words):
        read_svhn(tmp_path / "a.mat", max_bytes=LIMIT)


def test_read_svhn_over_the_limit_is_too_large(tmp_path: Path) -> None:
    with pytest.raises(TooLarge):
        read_svhn(write_svhn(tmp_path / "a.mat", IMAGES, LABELS), max_bytes=1000)


def test_read_svhn_cut_or_damaged_anywhere_is_refused_or_read(tmp_path: Path) -> None:
    path = write_svhn(tmp_path / "a.mat", IMAGES, LABELS, compressed=False)
    raw = path.read_bytes()
    for end in range(0, len(raw), len(raw) // 20):
        path.write_bytes(raw[:end])
        with pytest.raises((UnreadableDataset, TooLarge)):
            read_svhn(path, max_bytes=LIMIT)
    generator = np.random.default_rng(0)
    refused = 0
    for _ in range(200):
        broken = bytearray(raw)
        broken[generator.integers(128, 220)] ^= int(generator.integers(1, 256))
        path.write_bytes(bytes(broken))
        try:
            read_svhn(path, max_bytes=LIMIT)
        except (UnreadableDataset, TooLarge):
            refused += 1
    assert refused > 100
