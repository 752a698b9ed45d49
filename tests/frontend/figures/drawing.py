"""Samples and bins that the tests of several figures draw."""

from typing import Any

import plotly.graph_objects as go

from frontend.figures.scatter import Point, margin_scatter, scale_for
from frontend.figures.share_lost import LostShare
from frontend.figures.units import LINF
from frontend.theme import LIGHT, Theme

POINTS = [
    Point(0, "S11", 40 / 255, 30 / 255),
    Point(1, "S10", 3 / 255, 0.0),
    Point(2, "S01", 0.0, 12 / 255),
    Point(3, "S00", 0.0, 0.0),
    Point(4, "S11", None, 50 / 255),
    Point(5, "S11", 60 / 255, None),
]


SHARES = [LostShare(0.0, 10 / 255, 40, 20, 0.5, 0.35, 0.65), LostShare(10 / 255, 30 / 255, 50, 0, 0.0, 0.0, 0.07)]


def draw(points: list[Point] = POINTS, theme: Theme = LIGHT, **changed: Any) -> go.Figure:
    scales = (
        scale_for([point.dense for point in points], LINF, 60.0),
        scale_for([point.pruned for point in points], LINF, 60.0),
    )
    values: dict[str, Any] = {"eps": 25.5, "eps_label": "25.5/255", "delta": 14.0, "scales": scales} | changed
    return margin_scatter(points, theme, LINF, **values)


def marks(figure: go.Figure) -> dict[str, Any]:
    return {trace.name: trace for trace in figure.data}
