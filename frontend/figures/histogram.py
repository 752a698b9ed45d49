"""Where the samples stand before pruning: a histogram of the dense margins, what was lost at the foot of each bar."""

import math
from dataclasses import replace
from itertools import pairwise

import plotly.graph_objects as go

from frontend.figures.frame import add_eps_line, add_ice, frame
from frontend.figures.scatter import AxisScale, Point
from frontend.figures.units import Unit
from frontend.theme import Theme
from frontend.words import SET_WORDS

ORDER = ("S10", "S01", "S00", "S11")  # from the foot up: what is read against the axis first
BARS = 36


def count_margins(points: list[Point], unit: Unit, limit: float) -> tuple[list[float], dict[str, list[int]]]:
    """Left edges of the bins (shown units) and, for each set, how many real dense margins (> 0, found) fall in each.

    The last bin, from `limit`, is open above.
    """
    width = limit / BARS
    counts = {name: [0] * (BARS + 1) for name in ORDER}
    for point in points:
        if point.dense is not None and point.dense > 0:
            place = min(BARS, math.floor(unit.shown(point.dense) / width * (1 - 1e-12)))
            counts[point.set][place] += 1
    return [width * position for position in range(BARS + 1)], counts


def bin_words(edges: list[float]) -> list[str]:
    """Every bin in words: `10.0 to 12.5`, the last one `over 90.0`."""
    words = [f"{low:.1f} to {high:.1f}" for low, high in pairwise(edges)]
    return [*words, f"over {edges[-1]:.1f}"]


def margin_histogram(
    points: list[Point], theme: Theme, unit: Unit, *, eps: float, eps_label: str, delta: float, scale: AxisScale
) -> go.Figure:
    """Counts by dense margin, stacked by set; those without a distance are not drawn.

    Every set has its bars, also where all are empty: the browser moves them.
    """
    edges, counts = count_margins(points, unit, scale.limit)
    width = scale.limit / BARS
    places = [edge + width / 2 for edge in edges[:-1]] + [scale.limit + 0.66 * scale.gutter]
    figure = frame(theme, x_title=unit.titled("Dense margin"), y_title="Samples")
    add_ice(figure, theme, delta, scale.limit)
    for name in ORDER:
        figure.add_trace(
            go.Bar(
                name=SET_WORDS[name],
                x=places,
                y=counts[name],
                width=width * 0.86,
                marker={
                    "color": theme.of_set(name),
                    "line": {"width": 0},
                    "pattern": {"shape": "/" if name == "S01" else "", "fgcolor": theme.card, "size": 5},
                },
                customdata=bin_words(edges),
                hovertemplate=f"%{{customdata}}: %{{y}} {SET_WORDS[name]}<extra></extra>",
            )
        )
    add_eps_line(figure, theme, eps, f"ε {eps_label}")
    figure.update_layout(barmode="stack", bargap=0)
    ticks = replace(scale, has_missing=False).ticks("<br>")
    figure.update_xaxes(**{**ticks, "range": [0, ticks["range"][1]]})
    figure.update_yaxes(rangemode="tozero")
    return figure
