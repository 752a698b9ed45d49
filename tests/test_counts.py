"""Counts in sentences."""

import pytest

from backend.counts import count_words


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
