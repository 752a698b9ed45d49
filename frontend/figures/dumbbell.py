"""Claimed against re-evaluated robust accuracy, one row per checkpoint: a diamond, a dot with its interval, the gap.

Names and values stand above each row inside the plot, so that it reads at any width.
"""

from dataclasses import dataclass
from typing import Any, Literal

import plotly.graph_objects as go

from frontend.figures.frame import frame
from frontend.theme import Theme

ROW_HEIGHT = 50
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


@dataclass(frozen=True)
class DumbbellGroup:
    """Checkpoints of one parent; `title` is empty where there is one group only."""

    title: str
    rows: list[Dumbbell]


def figure_height(groups: list[DumbbellGroup]) -> int:
    """Height in pixels, so that every row has the same."""
    return EDGES_HEIGHT + sum(ROW_HEIGHT * len(group.rows) + (HEAD_HEIGHT if group.title else 0) for group in groups)


def dumbbells(groups: list[DumbbellGroup], theme: Theme, *, x_title: str) -> go.Figure:
    """The figure; x in percent. Rows run downwards in the order given."""
    figure = frame(theme, x_title=x_title, y_title="")
    depth = 0.0
    for group in groups:
        if group.title:
            add_heading(figure, group.title, depth + HEAD_HEIGHT * 0.6, theme)
            depth += HEAD_HEIGHT
        for row in group.rows:
            add_row(figure, row, depth, theme)
            depth += ROW_HEIGHT
    figure.update_yaxes(
        range=[depth, 0], showgrid=False, showticklabels=False, showline=False, ticks="", fixedrange=True
    )
    figure.update_xaxes(range=shown_range(groups), ticksuffix=" %", nticks=7, fixedrange=True)
    figure.update_layout(margin={"l": 4, "r": 4, "t": 12, "b": 52}, dragmode=False, height=figure_height(groups))
    return figure


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


def add_heading(figure: go.Figure, text: str, depth: float, theme: Theme) -> None:
    figure.add_annotation(
        x=0, xref="paper", y=depth, text=text, showarrow=False, xanchor="left", font={"size": 12, "color": theme.muted}
    )


def add_row(figure: go.Figure, row: Dumbbell, top: float, theme: Theme) -> None:
    """Texts on the upper third of the row's height, marks below them."""
    add_words(figure, row, top + 13, theme)
    middle = top + 34
    figure.add_shape(
        type="line",
        xref="paper",
        x0=0,
        x1=1,
        y0=middle,
        y1=middle,
        line={"color": theme.line, "width": 1},
        layer="below",
    )
    if row.claimed is not None and row.measured is not None:
        add_gap(figure, row, middle, theme)
    if row.measured is not None:
        add_measured(figure, row, middle, theme)
    if row.claimed is not None:
        add_claim(figure, row, middle, theme)


def add_words(figure: go.Figure, row: Dumbbell, depth: float, theme: Theme) -> None:
    common: dict[str, Any] = {"xref": "paper", "y": depth, "showarrow": False, "font": {"size": 12}}
    figure.add_annotation(x=0, xanchor="left", text=f"<b>{row.name}</b>", **common)
    muted = f"<span style='color:{theme.muted}'>{{}}</span>"
    if row.measured is None:
        text = muted.format("claimed, not re-evaluated yet" if row.claimed is not None else "not evaluated yet")
    elif row.claimed is None:
        text = f"<b>{100 * row.measured:.2f} %</b> {muted.format(f'{row.effort}, no claim')}"
    else:
        text = f"{gap_text(row, theme)}  {muted.format(row.effort)}"
    figure.add_annotation(x=1, xanchor="right", text=text, **common)


def gap_text(row: Dumbbell, theme: Theme) -> str:
    """Claimed minus re-evaluated, `+3.60` points; in colour and with a shape where the claim is too high."""
    assert row.claimed is not None and row.measured is not None
    gap = 100 * (row.claimed - row.measured)
    colour = theme.lost if row.is_too_high else theme.ink
    mark = "▼ " if row.is_too_high else ""
    return f"<b><span style='color:{colour}'>{mark}{gap:+.2f}</span></b>".replace("-", "−")


def add_gap(figure: go.Figure, row: Dumbbell, depth: float, theme: Theme) -> None:
    assert row.claimed is not None and row.measured is not None
    colour = theme.lost if row.is_too_high else theme.edge
    ends = [100 * row.claimed, 100 * row.measured]
    line = {"color": colour, "width": 2, "dash": "solid" if row.is_too_high else "2px,3px"}
    figure.add_trace(go.Scatter(x=ends, y=[depth, depth], mode="lines", line=line, hoverinfo="skip"))


def add_measured(figure: go.Figure, row: Dumbbell, depth: float, theme: Theme) -> None:
    """The dot in its role's colour; a control is a ring."""
    assert row.measured is not None
    colour = theme.pruned[0] if row.place == "pruned" else theme.dense
    if row.low is not None and row.high is not None:
        span = {"color": colour, "width": 6}
        figure.add_trace(
            go.Scatter(
                x=[100 * row.low, 100 * row.high],
                y=[depth, depth],
                mode="lines",
                line=span,
                opacity=0.3,
                hoverinfo="skip",
            )
        )
    fill = theme.card if row.place == "control" else colour
    words = f"{100 * row.measured:.2f} % re-evaluated"
    if row.low is not None and row.high is not None:
        words += f" [{100 * row.low:.2f}, {100 * row.high:.2f}]"
    figure.add_trace(
        go.Scatter(
            x=[100 * row.measured],
            y=[depth],
            mode="markers",
            marker={"color": fill, "size": 12, "line": {"color": colour, "width": 2.5}},
            customdata=[row.evaluation_id],
            hovertemplate=f"{row.name}<br>{words}<br>{row.effort}<extra></extra>",
        )
    )


def add_claim(figure: go.Figure, row: Dumbbell, depth: float, theme: Theme) -> None:
    assert row.claimed is not None
    figure.add_trace(
        go.Scatter(
            x=[100 * row.claimed],
            y=[depth],
            mode="markers",
            marker={"symbol": "diamond", "size": 11, "color": theme.card, "line": {"color": theme.ink, "width": 2}},
            hovertemplate=f"{row.name}<br>{100 * row.claimed:.2f} % claimed<br>{row.claim}<extra></extra>",
        )
    )
