"""Numbers as the browser writes them, against Python's own words for the same."""

import numpy as np
import pytest

from frontend.words import percent, size_words
from tests.frontend.assets.scripts import call_all

N = 2000


@pytest.mark.parametrize("digits", [0, 1, 2, 3])
def test_fixed_writes_every_number_as_python_does(digits: int) -> None:
    generator = np.random.default_rng(digits)
    ties = generator.integers(0, 4000, N) / 8.0  # many lie exactly between two numbers of so many digits
    near = np.nextafter(ties, generator.choice([-1.0, 1e6], N)).clip(0)
    values = [*ties.tolist(), *near.tolist(), *generator.exponential(100.0, N).tolist(), 0.0, 0.05, 1e-12, 1e15]
    answers = call_all([("numbers.fixed", [value, digits]) for value in values])
    assert answers == [f"{value:.{digits}f}" for value in values]


def test_count_groups_thousands_as_python_does() -> None:
    values = [0, 999, 1000, 10_000, 1_234_567, *np.random.default_rng(0).integers(0, 10**7, 200).tolist()]
    assert call_all([("numbers.count", [value]) for value in values]) == [f"{value:,}" for value in values]


def test_percent_is_that_of_the_pages() -> None:
    generator = np.random.default_rng(1)
    whole = generator.integers(1, 10_001, N)
    shares = [0.0, 1.0, 1 / 400, 3 / 800, *(generator.integers(0, whole + 1) / whole).tolist()]
    answers = call_all([("numbers.percent", [share, digits]) for share in shares for digits in (1, 2)])
    assert answers == [percent(share, digits=digits) for share in shares for digits in (1, 2)]


def test_size_words_are_those_of_the_pages() -> None:
    sizes = [0, 1, 999, 1000, 1250, 1350, 99_950, 999_999, 10**9, 5 * 10**12, 10**16]
    sizes += np.random.default_rng(2).integers(0, 10**13, N).tolist()
    assert call_all([("numbers.sizeWords", [size]) for size in sizes]) == [size_words(size) for size in sizes]
