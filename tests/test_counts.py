"""Counts in sentences."""

import pytest

from backend.counts import FEW_SAMPLES, count_words, share_words


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((1, "sample"), "1 sample"),
        ((0, "sample"), "0 samples"),
        ((2000, "sample"), "2,000 samples"),
        ((1, "tensor is", "tensors are"), "1 tensor is"),
        ((3, "tensor is", "tensors are"), "3 tensors are"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_count_words_gives_the_noun_of_the_number(words: tuple[int, str], expected: str) -> None:
    assert count_words(*words) == expected


def test_share_words_of_few_samples_are_their_interval() -> None:
    assert share_words(0.8, 0.6641, 0.8924, FEW_SAMPLES) == "80.00"
    assert share_words(0.8, 0.6641, 0.8924, FEW_SAMPLES - 1) == "66 to 89"
