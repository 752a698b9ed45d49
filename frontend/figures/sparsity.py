"""One quantity against how much is pruned: a line a method with intervals, what is not pruned as horizontal bands."""

import math
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from frontend.figures.frame import faded, frame, message
from frontend.theme import Theme, mark_of

DODGE = 0.022  # between neighbouring methods at one level, in decades of what is kept
AIR = 0.16  # next to the outermost levels, in decades
ENOUGH = 8.0  # the least that a percent axis spans, so that noise does not look like a gap
HEIGHT = 264


@dataclass(frozen=True)
class SparsityMark:
    """A value at a level (share pruned, 0..1), in the unit of the axis, with its interval. `link`: evaluation ids."""

    level: float
    value: float
    low: float
    high: float
    words: str
    link: list[str]


@dataclass(frozen=True)
class Trail:
    """A method's marks by level; `place` is its number in the key, which decides colour and shape."""

    name: str
    place: int
    marks: list[SparsityMark]


@dataclass(frozen=True)
class Band:
    """What nothing was pruned from: a line with its interval. `is_control`: dashed."""

    name: str
    value: float
    low: float
    high: float
    is_control: bool


def draw_sparsity(
    trails: list[Trail],
    bands: list[Band],
    theme: Theme,
    *,
    x_title: str,
    y_title: str,
    levels: list[float],
    is_share: bool,
) -> go.Figure:
    """The panel; `is_share`: values are percent, otherwise an AUROC, which has its line of guessing at 0.5.

    The axis shows what is kept in decades, so that 90, 95 and 99 % stand apart as they differ.
    """
    if not any(trail.marks for trail in trails):
        return message(theme, "Not measured yet.")
    figure = frame(theme, x_title=x_title, y_title=y_title)
    for band in bands:
        add_band(figure, band, theme)
    count = max(trail.place for trail in trails) + 1
    for trail in trails:
        if trail.marks:
            add_trail(figure, trail, (trail.place - (count - 1) / 2) * DODGE, theme)
    if not is_share:
        figure.add_hline(y=0.5, line={"color": theme.edge, "width": 1, "dash": "2px,3px"})
    ticks = [place_level(level) for level in levels]
    figure.update_xaxes(
        tickvals=ticks,
        ticktext=[f"{100 * level:g}" for level in levels],
        range=[min(ticks) - AIR, max(ticks) + AIR],
        fixedrange=True,
        showgrid=False,
    )
    figure.update_yaxes(range=shown_range(trails, bands, is_share), fixedrange=True, nticks=5)
    figure.update_layout(margin={"l": 48, "r": 8, "t": 8, "b": 44}, dragmode=False, height=HEIGHT)
    return figure


def place_level(level: float) -> float:
    """Where a level stands: decades of what is kept, 0 for nothing pruned, 1 for 90 %, 2 for 99 %."""
    return -math.log10(max(1e-4, 1 - level))


def shown_range(trails: list[Trail], bands: list[Band], is_share: bool) -> list[float]:
    """Every mark with its interval, with air."""
    marks = [end for trail in trails for mark in trail.marks for end in (mark.low, mark.high)]
    marks += [end for band in bands for end in (band.low, band.high)]
    low, high = min(marks), max(marks)
    if not is_share:
        return [min(0.45, low - 0.03), 1.02]
    air = max(0.06 * (high - low), (ENOUGH - (high - low)) / 2)
    low, high = max(0.0, low - air), min(100.0, high + air)
    return [-0.03 * high if low == 0.0 else low, high]


def add_band(figure: go.Figure, band: Band, theme: Theme) -> None:
    """A rectangle over the whole width, and its line."""
    common: dict[str, Any] = {"xref": "paper", "x0": 0, "x1": 1, "layer": "below"}
    figure.add_shape(
        type="rect", y0=band.low, y1=band.high, fillcolor=faded(theme.dense, 0.1), line={"width": 0}, **common
    )
    dash = "5px,4px" if band.is_control else "solid"
    line = {"color": theme.dense, "width": 1.5, "dash": dash}
    figure.add_shape(name=band.name, type="line", y0=band.value, y1=band.value, line=line, **common)


def add_trail(figure: go.Figure, trail: Trail, shift: float, theme: Theme) -> None:
    """Marks and the line through them, moved aside a little so that intervals of one level do not cover each other."""
    colour, look = theme.of_method(trail.place), mark_of(trail.place)
    marks = sorted(trail.marks, key=lambda mark: mark.level)
    figure.add_trace(
        go.Scatter(
            name=trail.name,
            x=[place_level(mark.level) + shift for mark in marks],
            y=[mark.value for mark in marks],
            mode="lines+markers",
            line={"color": colour, "width": 1.5, "dash": look.dash},
            marker={
                "symbol": look.symbol,
                "size": 9,
                "color": colour,
                "line": {"color": theme.card, "width": 1},
            },
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [mark.high - mark.value for mark in marks],
                "arrayminus": [mark.value - mark.low for mark in marks],
                "color": colour,
                "thickness": 1.2,
                "width": 0,
            },
            customdata=[mark.link for mark in marks],
            text=[mark.words for mark in marks],
            hovertemplate="%{text}<extra></extra>",
        )
    )
