"""Where the samples stand before pruning: a histogram of the dense margins, what was lost at the foot of each bar."""

import math

import plotly.graph_objects as go

from frontend.figures.frame import add_eps_line, add_ice, frame
from frontend.figures.scatter import Point, Scale
from frontend.figures.units import Unit
from frontend.theme import Theme

ORDER = ("S10", "S01", "S00", "S11")  # from the foot up: what is read against the axis first
BARS = 36


def count_margins(points: list[Point], unit: Unit, limit: float) -> tuple[list[float], dict[str, list[int]]]:
    """Left edges of the bins (shown units) and, for each set, how many real dense margins (> 0, found) fall in each."""
    width = limit / BARS
    counts = {name: [0] * BARS for name in ORDER}
    for point in points:
        if point.dense is not None and point.dense > 0:
            place = min(BARS - 1, math.floor(unit.shown(point.dense) / width))
            counts[point.set][place] += 1
    return [width * position for position in range(BARS)], counts


def margin_histogram(
    points: list[Point], theme: Theme, unit: Unit, *, eps: float, eps_label: str, delta: float, scale: Scale
) -> go.Figure:
    """Counts by dense margin, stacked by set. Samples without a distance are not drawn: the card counts them."""
    edges, counts = count_margins(points, unit, scale.limit)
    width = scale.limit / BARS
    figure = frame(theme, x_title=unit.titled("margin of the dense model"), y_title="samples")
    add_ice(figure, theme, delta, scale.limit)
    for name in ORDER:
        if not any(counts[name]):
            continue
        figure.add_trace(
            go.Bar(
                name=name,
                x=[edge + width / 2 for edge in edges],
                y=counts[name],
                width=width * 0.86,
                marker={
                    "color": theme.of_set(name),
                    "line": {"width": 0},
                    "pattern": {"shape": "/" if name == "S01" else "", "fgcolor": theme.card, "size": 5},
                },
                customdata=[[f"{edge:.1f}", f"{edge + width:.1f}"] for edge in edges],
                hovertemplate=f"%{{customdata[0]}} to %{{customdata[1]}}: %{{y}} {name}<extra></extra>",
            )
        )
    add_eps_line(figure, theme, eps, f"ε {eps_label}")
    figure.update_layout(barmode="stack", bargap=0)
    figure.update_xaxes(range=[0, scale.limit * 1.02])
    figure.update_yaxes(rangemode="tozero")
    return figure
