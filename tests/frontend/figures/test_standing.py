"""Networks as marks: places, intervals, and lines that join a method's levels only."""

import pytest

from frontend.figures.overlaid import NetworkLook
from frontend.figures.sparsity import place_level
from frontend.figures.standing import MarkedShare, StandingMark, draw_levels, draw_standing
from frontend.theme import LIGHT


def mark(number: int, method: str, level: float | None, lost: float = 3.0) -> StandingMark:
    look = NetworkLook(f"{method} {number}", None if number < 0 else number)
    shares = [MarkedShare(value, value - 1, value + 2) for value in (85.0, 70.0, lost)]
    return StandingMark(look, number, method, level, *shares)


def test_draw_standing_has_a_trace_with_both_intervals_for_each_network() -> None:
    figure = draw_standing([mark(-1, "", None), mark(0, "lwm", 0.95)], LIGHT)
    dense, pruned = figure.data
    assert (dense.marker.symbol, list(dense.customdata), list(pruned.customdata)) == ("circle-open", [-1], [0])
    assert (list(pruned.x), list(pruned.y)) == ([85.0], [70.0])
    assert (list(pruned.error_x.array), list(pruned.error_y.arrayminus)) == ([2.0], [1.0])


def test_draw_levels_joins_the_levels_of_a_method_and_leaves_the_unpruned_out() -> None:
    marks = [mark(-1, "", None), mark(0, "lwm", 0.99, 9.0), mark(1, "lwm", 0.9), mark(2, "harp", 0.9)]
    figure = draw_levels(marks, LIGHT, quantity="lost", title="Lost at ε (%)")
    lwm, harp = figure.data
    assert (lwm.name, lwm.mode, list(lwm.y), list(lwm.customdata)) == ("lwm", "lines+markers", [3.0, 9.0], [1, 0])
    assert lwm.x[0] == pytest.approx(place_level(0.9)) and lwm.x[1] == pytest.approx(place_level(0.99), abs=0.03)
    assert lwm.x[0] != harp.x[0], "marks of one level stand aside of each other"
    assert list(figure.layout.xaxis.ticktext) == ["90", "99"]


def test_draw_levels_joins_no_trainings_of_one_level() -> None:
    figure = draw_levels([mark(0, "lwm", 0.9), mark(1, "lwm", 0.9)], LIGHT, quantity="robust", title="")
    assert figure.data[0].mode == "markers" and list(figure.data[0].y) == [70.0, 70.0]


def test_draw_levels_of_nothing_pruned_says_so() -> None:
    figure = draw_levels([mark(-1, "", None)], LIGHT, quantity="lost", title="")
    assert figure.layout.annotations[0].text == "Nothing is pruned here."
