"""The scatter of margins: what is drawn where, without numpy in what the browser sends back."""

import plotly.graph_objects as go
import pytest

from frontend.figures.scatter import WEBGL_FROM, AxisScale, Point, jitter, scale_for
from frontend.figures.units import LINF
from frontend.theme import LIGHT
from tests.frontend.figures.drawing import POINTS, draw, marks


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
