"""The histogram of dense margins."""

from frontend.figures.histogram import BARS, bin_words, count_margins, margin_histogram
from frontend.figures.scatter import AxisScale, Point
from frontend.figures.units import LINF
from frontend.theme import LIGHT
from tests.frontend.figures.drawing import POINTS


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
    assert [trace.name for trace in figure.data] == ["lost", "gained", "wrong on both", "kept"]
    assert [trace.hovertemplate for trace in figure.data] == [
        f"%{{customdata}}: %{{y}} {name}<extra></extra>" for name in ("lost", "gained", "wrong on both", "kept")
    ]
    assert figure.layout.barmode == "stack"
