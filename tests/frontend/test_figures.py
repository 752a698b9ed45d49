"""Figures: what is drawn where, without numpy in what the browser sends back."""

import json
import math
from typing import Any

import plotly.graph_objects as go
import pytest

from frontend.figures.classes import MOST, ClassShare, class_flips
from frontend.figures.curve import CurveLine, robustness_curve
from frontend.figures.histogram import BARS, bin_words, count_margins, margin_histogram
from frontend.figures.scatter import WEBGL_FROM, AxisScale, Point, jitter, margin_scatter, scale_for
from frontend.figures.share_lost import LostShare, share_lost
from frontend.figures.units import L2, LINF, axis_limit, tick_step, unit_of
from frontend.theme import DARK, LIGHT, Theme

POINTS = [
    Point(0, "S11", 40 / 255, 30 / 255),
    Point(1, "S10", 3 / 255, 0.0),
    Point(2, "S01", 0.0, 12 / 255),
    Point(3, "S00", 0.0, 0.0),
    Point(4, "S11", None, 50 / 255),
    Point(5, "S11", 60 / 255, None),
]


def draw(points: list[Point] = POINTS, theme: Theme = LIGHT, **changed: Any) -> go.Figure:
    scales = (
        scale_for([point.dense for point in points], LINF, 60.0),
        scale_for([point.pruned for point in points], LINF, 60.0),
    )
    values: dict[str, Any] = {"eps": 25.5, "eps_label": "25.5/255", "delta": 14.0, "scales": scales} | changed
    return margin_scatter(points, theme, LINF, **values)


def marks(figure: go.Figure) -> dict[str, Any]:
    return {trace.name: trace for trace in figure.data}


# --- units -----------------------------------------------------------------------------------------------------------
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


# --- scatter ---------------------------------------------------------------------------------------------------------
def test_margin_scatter_draws_sets_in_their_own_shape_and_colour() -> None:
    traces = marks(draw())
    assert {name: traces[name].marker.symbol for name in traces} == {
        "S11": "circle",
        "S10": "triangle-down",
        "S01": "triangle-up",
        "S00": "square-open",
    }
    assert traces["S10"].marker.color == LIGHT.lost
    assert len({trace.marker.color for trace in traces.values()}) == 4


def test_margin_scatter_puts_real_margins_where_they_are() -> None:
    kept = marks(draw())["S11"]
    assert (kept.x[0], kept.y[0]) == (pytest.approx(40), pytest.approx(30))


def test_margin_scatter_puts_zero_and_missing_margins_outside_the_real_range() -> None:
    traces = marks(draw())
    assert traces["S10"].y[0] < 0 < traces["S10"].x[0]
    assert traces["S01"].x[0] < 0 < traces["S01"].y[0]
    assert traces["S11"].x[1] > 60 and traces["S11"].y[2] > 60


def test_margin_scatter_counts_samples_wrong_twice_instead_of_piling_them_up() -> None:
    figure = draw([*POINTS, Point(9, "S00", 0.0, 0.0)])
    assert len(marks(figure)["S00"].x) == 0
    assert "□<br>2" in [note.text for note in figure.layout.annotations]


def test_margin_scatter_draws_a_robust_never_sample_with_real_margins() -> None:
    assert len(marks(draw([Point(3, "S00", 4 / 255, 2 / 255)]))["S00"].x) == 1


def test_margin_scatter_is_the_same_every_time() -> None:
    assert draw().to_json() == draw().to_json()


def test_margin_scatter_sends_plain_numbers_back_when_clicked() -> None:
    sent = [index for trace in draw().data for index in trace.customdata]
    assert sorted(sent) == [0, 1, 2, 4, 5]
    assert all(type(index) is int for index in sent)


def test_margin_scatter_names_its_gutters_and_lines() -> None:
    figure = draw()
    assert {"<br>wrong", "<br>not found"} <= set(figure.layout.xaxis.ticktext)
    assert {"wrong", "not found"} <= set(figure.layout.yaxis.ticktext)
    shapes = {shape.name: shape for shape in figure.layout.shapes if shape.name != "eps"}
    assert (shapes["ice"].x0, shapes["ice"].x1, shapes["ice-edge"].x0) == (0, 14, 14)
    eps = [shape for shape in figure.layout.shapes if shape.name == "eps"]
    assert [(line.x0, line.y0) for line in eps] == [(25.5, 0), (0, 25.5)]
    assert figure.layout.title.text is None


def test_margin_scatter_without_missing_margins_has_no_end_gutter() -> None:
    figure = draw(POINTS[:4])
    assert "not found" not in figure.layout.yaxis.ticktext


@pytest.mark.parametrize(("count", "kind"), [(10, go.Scatter), (WEBGL_FROM + 1, go.Scattergl)])
def test_margin_scatter_uses_webgl_only_where_it_is_needed(count: int, kind: type) -> None:
    many = [Point(index, "S11", 10 / 255, 10 / 255) for index in range(count)]
    assert isinstance(draw(many).data[0], kind)


def test_scale_for_keeps_a_few_far_margins_from_squeezing_the_rest() -> None:
    margins: list[float | None] = [index / 1000 * 50 / 255 for index in range(1, 1000)]
    scale = scale_for([*margins, 200 / 255], LINF)
    assert scale.limit == pytest.approx(50)
    assert scale.has_beyond and not scale.has_missing
    assert scale.place(200.0, 1) > scale.limit
    assert scale.end_words() == "over 50"


def test_scale_for_reaches_to_the_largest_margin_where_none_is_far_out() -> None:
    scale = scale_for([10 / 255, 20 / 255, 30 / 255, None], LINF)
    assert scale.limit >= 30 and scale.end_words() == "not found"


def test_scale_range_holds_every_place() -> None:
    scale = AxisScale(60.0, has_missing=True)
    places = [scale.place(margin, key) for key in range(500) for margin in (0.0, 30.0, 60.0, None)]
    assert scale.range[0] < min(places) and max(places) < scale.range[1]


def test_jitter_spreads_over_the_unit_interval() -> None:
    values = [jitter(key) for key in range(1000)]
    assert min(values) >= 0 and max(values) < 1
    counts = [sum(tenth <= value * 10 < tenth + 1 for value in values) for tenth in range(10)]
    assert min(counts) > 80


# --- histogram -------------------------------------------------------------------------------------------------------
def test_count_margins_counts_each_real_margin_once() -> None:
    _, counts = count_margins(POINTS, LINF, 60.0)
    assert {name: sum(of_set) for name, of_set in counts.items()} == {"S11": 2, "S10": 1, "S01": 0, "S00": 0}


def test_count_margins_beyond_the_axis_go_into_the_open_bin() -> None:
    edges, counts = count_margins([Point(0, "S11", 100 / 255, 1.0)], LINF, 60.0)
    assert counts["S11"][BARS] == 1 and sum(counts["S11"]) == 1
    assert bin_words(edges)[-1] == "over 60.0"


def test_margin_histogram_stacks_lost_at_the_foot() -> None:
    figure = margin_histogram(
        POINTS, LIGHT, LINF, eps=25.5, eps_label="25.5/255", delta=14.0, scale=AxisScale(60.0, True)
    )
    assert [trace.name for trace in figure.data] == ["S10", "S11"]
    assert figure.layout.barmode == "stack"


# --- share lost ------------------------------------------------------------------------------------------------------
SHARES = [LostShare(0.0, 10 / 255, 40, 20, 0.5, 0.35, 0.65), LostShare(10 / 255, 30 / 255, 50, 0, 0.0, 0.0, 0.07)]


def test_share_lost_draws_bins_in_the_middle_with_their_band() -> None:
    figure = share_lost([*SHARES, LostShare(0.2, 0.3, 0, 0, 0.0, 0.0, 1.0)], LIGHT, LINF, delta=14.0, limit=60.0)
    band, line = figure.data
    assert list(line.x) == pytest.approx([5, 20]) and list(line.y) == [0.5, 0.0]
    assert list(band.y) == [0.65, 0.07, 0.0, 0.35]


def test_share_lost_without_bins_draws_no_line() -> None:
    assert len(share_lost([], LIGHT, LINF, delta=14.0, limit=60.0).data[-1].x) == 0


# --- curve -----------------------------------------------------------------------------------------------------------
def make_curves() -> list[CurveLine]:
    return [
        CurveLine(
            "dense", LIGHT.dense, [0.0, 0.1, 0.2], [0.8, 0.6, 0.1], [0.75, 0.55, 0.05], [0.85, 0.65, 0.15], 0.6123
        ),
        CurveLine(
            "pruned", LIGHT.pruned[0], [0.0, 0.1, 0.2], [0.7, 0.5, 0.0], [0.65, 0.45, 0.0], [0.75, 0.55, 0.1], 0.4987
        ),
    ]


def test_robustness_curve_writes_the_exact_value_at_eps_beside_each_line() -> None:
    figure = robustness_curve(make_curves(), LIGHT, LINF, eps=0.1, eps_label="25.5/255", limit=60.0)
    texts = [note.text for note in figure.layout.annotations]
    assert "<b>dense</b> 61.23 %" in texts and "<b>pruned</b> 49.87 %" in texts
    assert [trace.name for trace in figure.data if trace.name] == ["dense", "pruned"]


@pytest.mark.parametrize(("eps", "sides"), [(0.01, {"left"}), (0.1, {"left", "right"})])
def test_robustness_curve_near_the_axis_writes_both_values_to_the_right(eps: float, sides: set[str]) -> None:
    figure = robustness_curve(make_curves(), LIGHT, LINF, eps=eps, eps_label="", limit=60.0)
    assert {note.xanchor for note in figure.layout.annotations if note.text.startswith("<b>")} == sides


# --- classes ---------------------------------------------------------------------------------------------------------
def test_class_flips_colours_only_classes_that_lose_more_beyond_chance() -> None:
    classes = [
        ClassShare("bag", 100, 1, 0.01, 0.0, 0.05, 0.01),
        ClassShare("coat", 100, 5, 0.05, 0.02, 0.1, 0.8),
        ClassShare("shirt", 100, 20, 0.2, 0.1, 0.3, 0.001),
    ]
    bars = class_flips(classes, LIGHT, overall=0.08).data[0]
    assert list(bars.y) == ["bag", "coat", "shirt"]
    assert list(bars.marker.color) == [LIGHT.kept, LIGHT.kept, LIGHT.lost]
    assert bars.error_x.array[2] == pytest.approx(0.1)


def test_class_flips_of_a_hundred_classes_draws_the_most_affected() -> None:
    classes = [ClassShare(f"class {n}", 10, n, n / 100, 0.0, 1.0, 1.0) for n in range(100)]
    bars = class_flips(classes, LIGHT, overall=0.5).data[0]
    assert len(bars.y) == MOST and bars.y[-1] == "class 99"


# --- both themes -----------------------------------------------------------------------------------------------------
def test_figures_in_dark_hold_no_colour_of_light() -> None:
    text = draw(theme=DARK).to_json() + share_lost(SHARES, DARK, LINF, delta=14.0, limit=60.0).to_json()
    assert not [colour for colour in (LIGHT.card, LIGHT.ink, LIGHT.muted, LIGHT.lost, LIGHT.kept) if colour in text]
    json.loads(draw(theme=DARK).to_json())
