"""The panel of a quantity by how much is pruned: places, intervals, bands, and what it says without numbers."""

import pytest

from frontend.figures.sparsity import (
    DODGE,
    Band,
    SparsityMark,
    Trail,
    draw_sparsity,
    place_level,
    shown_range,
)
from frontend.theme import DARK, LIGHT, Theme, mark_of

LWM = Trail(
    "lwm",
    0,
    [SparsityMark(0.99, 70.0, 66.0, 74.0, "lwm-99", ["a", "b"]), SparsityMark(0.9, 80.0, 77.0, 82.0, "lwm-90", ["c"])],
)
HARP = Trail("harp", 3, [SparsityMark(0.9, 81.0, 78.0, 83.0, "harp-90", ["d"])])
BANDS = [Band("dense", 86.0, 84.0, 88.0, False), Band("control", 86.5, 84.5, 88.5, True)]
TERMS = {"x_title": "weights pruned (%)", "y_title": "", "levels": [0.9, 0.99]}


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_draw_sparsity_puts_marks_with_their_intervals_at_their_levels(theme: Theme) -> None:
    figure = draw_sparsity([LWM, HARP], BANDS, theme, is_share=True, **TERMS)
    lwm, harp = figure.data
    shift = -1.5 * DODGE
    assert list(lwm.x) == pytest.approx([1 + shift, 2 + shift]) and list(lwm.y) == [80.0, 70.0], "by level"
    assert list(harp.x) == pytest.approx([1 - shift])
    assert list(lwm.error_y.array) == [2.0, 4.0] and list(lwm.error_y.arrayminus) == [3.0, 4.0]
    assert [list(each) for each in lwm.customdata] == [["c"], ["a", "b"]]
    assert lwm.marker.color == theme.of_method(0) != harp.marker.color
    assert (lwm.marker.symbol, harp.marker.symbol) == (mark_of(0).symbol, mark_of(3).symbol), (
        "told apart without colour"
    )
    assert lwm.line.dash != harp.line.dash
    lines = {shape.name: shape for shape in figure.layout.shapes if shape.name}
    assert lines["dense"].line.dash == "solid" and lines["control"].line.dash != "solid"
    assert list(figure.layout.xaxis.ticktext) == ["90", "99"]


def test_draw_sparsity_of_nothing_says_so() -> None:
    figure = draw_sparsity([Trail("lwm", 0, [])], BANDS, LIGHT, is_share=True, **TERMS)
    assert figure.layout.annotations[0].text == "Not measured yet." and not figure.data


def test_draw_sparsity_of_an_auroc_has_the_line_of_guessing() -> None:
    trail = Trail("lwm", 0, [SparsityMark(0.9, 0.9, 0.8, 0.95, "lwm", ["a"])])
    figure = draw_sparsity([trail], [], LIGHT, is_share=False, **TERMS)
    assert 0.5 in [shape.y0 for shape in figure.layout.shapes]
    low, high = figure.layout.yaxis.range
    assert low < 0.5 < 1 < high


def test_place_level_is_decades_of_what_is_kept() -> None:
    assert [place_level(level) for level in (0.0, 0.9, 0.99, 1.0)] == pytest.approx([0, 1, 2, 4])


def test_shown_range_never_makes_a_gap_of_noise_and_stays_inside_percent() -> None:
    low, high = shown_range([Trail("a", 0, [SparsityMark(0.9, 50.0, 49.9, 50.1, "", [])])], [], True)
    assert high - low >= 8
    low, high = shown_range([Trail("a", 0, [SparsityMark(0.9, 1.0, 0.0, 100.0, "", [])])], BANDS, True)
    assert low <= 0 and high == 100.0


def test_symbols_and_colours_of_many_methods_do_not_repeat_as_pairs() -> None:
    pairs = [(LIGHT.of_method(place), mark_of(place).symbol) for place in range(20)]
    assert len(set(pairs)) == 20
