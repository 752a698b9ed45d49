"""The share lost by class."""

import pytest

from frontend.figures.classes import MOST, ClassShare, class_flips
from frontend.theme import LIGHT


def test_class_flips_colours_only_classes_that_lose_more_beyond_chance() -> None:
    classes = [
        ClassShare("bag", 100, 1, 0.01, 0.0, 0.05, 0.01, 8),
        ClassShare("coat", 100, 5, 0.05, 0.02, 0.1, 0.8, 4),
        ClassShare("shirt", 100, 20, 0.2, 0.1, 0.3, 0.001, 6),
    ]
    bars = class_flips(classes, LIGHT, overall=0.08).data[0]
    assert list(bars.y) == ["bag", "coat", "shirt"]
    assert list(bars.marker.color) == [LIGHT.kept, LIGHT.kept, LIGHT.lost]
    assert bars.error_x.array[2] == pytest.approx(0.1)


def test_class_flips_of_a_hundred_classes_draws_the_most_affected() -> None:
    classes = [ClassShare(f"class {n}", 10, n, n / 100, 0.0, 1.0, 1.0, n) for n in range(100)]
    bars = class_flips(classes, LIGHT, overall=0.5).data[0]
    assert len(bars.y) == MOST and bars.y[-1] == "class 99"
