"""Claimed against re-evaluated robust accuracy, one row per checkpoint: a diamond, a dot with its interval, the gap.

Names and values stand above each row inside the plot, so that it reads at any width.
"""

from dataclasses import dataclass
from typing import Any, Literal

import plotly.graph_objects as go

from frontend.figures.frame import frame
from frontend.theme import Theme

ROW_HEIGHT = 50
WORDS, MARKS = 13, 34  # how deep in a row its words and its marks stand
HEAD_HEIGHT = 30
EDGES_HEIGHT = 64


@dataclass(frozen=True)
class Dumbbell:
    """One checkpoint. Shares are 0..1; None where nothing is claimed or measured. `effort`: `AutoAttack, n 200`.

    `is_too_high`: whether the claim exceeds what was measured by more than chance.
    """

    name: str
    place: Literal["dense", "control", "pruned"]
    claimed: float | None
    measured: float | None
    low: float | None
    high: float | None
    claim: str
    effort: str
    evaluation_id: str | None
    is_too_high: bool = False


Placed = tuple[Dumbbell, float]
"""A row and the depth of its marks in the figure, in pixels."""


@dataclass(frozen=True)
class DumbbellGroup:
    """Checkpoints of one parent; `title` is empty where there is one group only."""

    title: str
    rows: list[Dumbbell]


def figure_height(groups: list[DumbbellGroup]) -> int:
    """Height in pixels, so that every row has the same."""
    return EDGES_HEIGHT + sum(ROW_HEIGHT * len(group.rows) + (HEAD_HEIGHT if group.title else 0) for group in groups)


def dumbbells(groups: list[DumbbellGroup], theme: Theme, *, x_title: str) -> go.Figure:
    """The figure; x in percent. Rows run downwards in the order given.

    Marks of one kind are one trace and the lines one shape each, set together: Plotly checks all annotations again for
    each one that is added, which took 20 s for 200 checkpoints.
    """
    low, high = shown_range(groups)
    rows, headings, depth = place_rows(groups)
    figure = frame(theme, x_title=x_title, y_title="")
    figure.add_traces(
        [
            *gap_lines(rows, theme),
            *interval_bars(rows, theme),
            *dots(rows, theme),
            *diamonds(rows, theme),
            *row_words(rows, headings, (low, high), theme),
        ]
    )
    line = {"color": theme.line, "width": 1}
    common = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "line": line, "layer": "below"}
    figure.update_layout(shapes=[{**common, "y0": place, "y1": place} for _, place in rows])
    figure.update_yaxes(
        range=[depth, 0], showgrid=False, showticklabels=False, showline=False, ticks="", fixedrange=True
    )
    figure.update_xaxes(range=[low, high], ticksuffix=" %", nticks=7, fixedrange=True)
    figure.update_layout(margin={"l": 4, "r": 4, "t": 12, "b": 52}, dragmode=False, height=figure_height(groups))
    return figure


def place_rows(groups: list[DumbbellGroup]) -> tuple[list[Placed], list[tuple[str, float]], float]:
    """Each row with the depth of its marks, each title with its own, and where the last row ends."""
    rows: list[Placed] = []
    headings: list[tuple[str, float]] = []
    depth = 0.0
    for group in groups:
        if group.title:
            headings.append((group.title, depth + HEAD_HEIGHT * 0.6))
            depth += HEAD_HEIGHT
        for row in group.rows:
            rows.append((row, depth + MARKS))
            depth += ROW_HEIGHT
    return rows, headings, depth


def shown_range(groups: list[DumbbellGroup]) -> list[float]:
    """The part of 0..100 % that holds every mark, with air; never so narrow that noise looks like a gap."""
    rows = [row for group in groups for row in group.rows]
    marks = [
        100 * value for row in rows for value in (row.claimed, row.measured, row.low, row.high) if value is not None
    ]
    if not marks:
        return [0.0, 100.0]
    low, high = min(marks), max(marks)
    air = max(1.0, 0.06 * (high - low), (10 - (high - low)) / 2)
    return [max(0.0, low - air), min(100.0, high + air)]


def gap_lines(rows: list[Placed], theme: Theme) -> list[go.Scatter]:
    """From claim to measurement, solid and in colour where the claim is too high."""
    traces = []
    for is_too_high in (False, True):
        ends = [
            ((100 * row.claimed, 100 * row.measured), place)
            for row, place in rows
            if row.claimed is not None and row.measured is not None and row.is_too_high == is_too_high
        ]
        colour, dash = (theme.lost, "solid") if is_too_high else (theme.edge, "2px,3px")
        traces += segments(ends, line={"color": colour, "width": 2, "dash": dash})
    return traces


def interval_bars(rows: list[Placed], theme: Theme) -> list[go.Scatter]:
    """The 95 % intervals of what was measured, in the colours of the dots."""
    traces = []
    for colour in dict.fromkeys(colour_of(row, theme) for row, _ in rows):
        ends = [
            ((100 * row.low, 100 * row.high), place)
            for row, place in rows
            if row.measured is not None and row.low is not None and row.high is not None
            if colour_of(row, theme) == colour
        ]
        traces += segments(ends, line={"color": colour, "width": 6}, opacity=0.3)
    return traces


def segments(ends: list[tuple[tuple[float, float], float]], **style: Any) -> list[go.Scatter]:
    """Level lines as one trace, none where there is no line."""
    if not ends:
        return []
    x = [place for (first, last), _ in ends for place in (first, last, None)]
    y = [place for _, depth in ends for place in (depth, depth, None)]
    return [go.Scatter(x=x, y=y, mode="lines", hoverinfo="skip", **style)]


def dots(rows: list[Placed], theme: Theme) -> list[go.Scatter]:
    """What was measured, in the role's colour; a control is a ring. A click opens the evaluation."""
    shown = [(row, place) for row, place in rows if row.measured is not None]
    if not shown:
        return []
    colours = [colour_of(row, theme) for row, _ in shown]
    fills = [theme.card if row.place == "control" else colour for (row, _), colour in zip(shown, colours, strict=True)]
    return [
        go.Scatter(
            x=[100 * (row.measured or 0) for row, _ in shown],
            y=[place for _, place in shown],
            mode="markers",
            marker={"color": fills, "size": 12, "line": {"color": colours, "width": 2.5}},
            customdata=[row.evaluation_id for row, _ in shown],
            hovertext=[f"{row.name}<br>{measured_words(row)}<br>{row.effort}" for row, _ in shown],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    ]


def diamonds(rows: list[Placed], theme: Theme) -> list[go.Scatter]:
    """What is claimed."""
    shown = [(row, place) for row, place in rows if row.claimed is not None]
    if not shown:
        return []
    return [
        go.Scatter(
            x=[100 * (row.claimed or 0) for row, _ in shown],
            y=[place for _, place in shown],
            mode="markers",
            marker={"symbol": "diamond", "size": 11, "color": theme.card, "line": {"color": theme.ink, "width": 2}},
            hovertext=[f"{row.name}<br>{100 * (row.claimed or 0):.2f} % claimed<br>{row.claim}" for row, _ in shown],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    ]


def row_words(
    rows: list[Placed], headings: list[tuple[str, float]], ends: tuple[float, float], theme: Theme
) -> list[go.Scatter]:
    """Names at the left, values at the right, above the marks; and the titles of groups."""
    lines = [place - MARKS + WORDS for _, place in rows]
    names = [f"<b>{row.name}</b>" for row, _ in rows]
    titles = [f"<span style='color:{theme.muted}'>{title}</span>" for title, _ in headings]
    left = (names + titles, lines + [place for _, place in headings], ends[0], "middle right")
    right = ([value_words(row, theme) for row, _ in rows], lines, ends[1], "middle left")
    return [
        go.Scatter(
            x=[edge] * len(texts),
            y=places,
            text=texts,
            mode="text",
            textposition=position,
            textfont={"size": 12, "color": theme.ink},
            cliponaxis=False,
            hoverinfo="skip",
        )
        for texts, places, edge, position in (left, right)
    ]


def colour_of(row: Dumbbell, theme: Theme) -> str:
    return theme.pruned[0] if row.place == "pruned" else theme.dense


def measured_words(row: Dumbbell) -> str:
    assert row.measured is not None
    words = f"{100 * row.measured:.2f} % re-evaluated"
    if row.low is None or row.high is None:
        return words
    return f"{words} [{100 * row.low:.2f}, {100 * row.high:.2f}]"


def value_words(row: Dumbbell, theme: Theme) -> str:
    """The gap and how it was measured, or what is missing."""
    muted = f"<span style='color:{theme.muted}'>{{}}</span>"
    if row.measured is None:
        return muted.format("claimed, not re-evaluated yet" if row.claimed is not None else "not evaluated yet")
    if row.claimed is None:
        return f"<b>{100 * row.measured:.2f} %</b> {muted.format(f'{row.effort}, no claim')}"
    return f"{gap_text(row, theme)}  {muted.format(row.effort)}"


def gap_text(row: Dumbbell, theme: Theme) -> str:
    """Claimed minus re-evaluated, `+3.60` points; in colour and with a shape where the claim is too high."""
    assert row.claimed is not None and row.measured is not None
    gap = 100 * (row.claimed - row.measured)
    colour = theme.lost if row.is_too_high else theme.ink
    mark = "▼ " if row.is_too_high else ""
    return f"<b><span style='color:{colour}'>{mark}{gap:+.2f}</span></b>".replace("-", "−")
