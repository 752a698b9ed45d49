"""Distances as they are shown, and axes that hold them."""

import math
from typing import Any

import pytest

from frontend.figures.units import L2, LINF, axis_limit, tick_step, unit_of


@pytest.mark.parametrize(
    ("unit", "distance", "text"),
    [(LINF, 25.5 / 255, "25.5/255"), (LINF, 0.0, "0.0/255"), (L2, 0.816, "0.82"), (LINF, None, "none found")],
)
def test_unit_text_writes_distances_as_people_read_them(unit: Any, distance: float | None, text: str) -> None:
    assert unit.text(distance) == text


def test_unit_text_of_infinity_is_never_a_number() -> None:
    assert LINF.text(math.inf) == "none found"


def test_unit_of_tells_linf_from_l2() -> None:
    assert unit_of("Linf").shown(0.1) == pytest.approx(25.5)
    assert unit_of("L2").shown(0.1) == 0.1


@pytest.mark.parametrize(("largest", "limit"), [(71.8, 80), (60, 60), (0.93, 1.0), (0.0, 1.0), (math.inf, 1.0)])
def test_axis_limit_is_a_round_number_not_below_the_largest(largest: float, limit: float) -> None:
    assert axis_limit(largest) == pytest.approx(limit)


@pytest.mark.parametrize("limit", [0.03, 0.7, 3, 8, 60, 255, 1000])
def test_tick_step_gives_a_readable_number_of_ticks(limit: float) -> None:
    assert 2 <= limit / tick_step(limit) <= 7.01
