"""Networks as marks: clean against robust accuracy, and a share against how much is pruned. The browser moves them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from frontend.figures.frame import frame, message
from frontend.figures.overlaid import NetworkLook
from frontend.figures.sparsity import DODGE, place_level
from frontend.theme import Theme

AIR = 0.16  # next to the outermost levels, in decades


@dataclass(frozen=True)
class MarkedShare:
    """A share in percent with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class StandingMark:
    """A network at a cut. `number`: its place on the page from 0, -1 for the dense one; `level`: None if unpruned."""

    look: NetworkLook
    number: int
    method: str
    level: float | None
    clean: MarkedShare
    robust: MarkedShare
    lost: MarkedShare


def draw_standing(marks: Sequence[StandingMark], theme: Theme) -> go.Figure:
    """Robust against clean accuracy, both with intervals, a trace a network."""
    figure = frame(theme, x_title="Clean accuracy (%)", y_title="Robust accuracy at ε (%)")
    for mark in marks:
        colour = mark.look.colour(theme)
        figure.add_trace(
            go.Scatter(
                name=mark.look.name,
                x=[mark.clean.value],
                y=[mark.robust.value],
                customdata=[mark.number],
                mode="markers",
                marker=look_of_mark(mark.look, theme),
                error_x=bar(mark.clean, colour),
                error_y=bar(mark.robust, colour),
                hovertemplate=f"<b>{mark.look.name}</b><br>clean %{{x:.2f}} %, robust %{{y:.2f}} %<extra></extra>",
            )
        )
    return figure


def draw_levels(marks: Sequence[StandingMark], theme: Theme, *, quantity: str, title: str) -> go.Figure:
    """`quantity` ("lost" or "robust") of what is pruned, by level; a line joins a method's networks of other levels.

    Marks stand a little aside, so that those of one level do not cover each other.
    """
    pruned = [mark for mark in marks if mark.level is not None]
    if not pruned:
        return message(theme, "Nothing is pruned here.")
    figure = frame(theme, x_title="Pruned (%)", y_title=title)
    for method in dict.fromkeys(mark.method for mark in pruned):
        own = sorted((mark for mark in pruned if mark.method == method), key=lambda mark: mark.level or 0.0)
        aside = [(mark.number - (len(pruned) - 1) / 2) * DODGE for mark in own]
        figure.add_trace(trail(own, aside, theme, quantity))
    levels = sorted({mark.level for mark in pruned if mark.level is not None})
    ticks = [place_level(level) for level in levels]
    figure.update_xaxes(
        tickvals=ticks,
        ticktext=[f"{100 * level:.3g}" for level in levels],
        range=[min(ticks) - AIR, max(ticks) + AIR],
        showgrid=False,
    )
    figure.update_yaxes(rangemode="tozero" if quantity == "lost" else "normal")
    return figure


def trail(marks: Sequence[StandingMark], aside: Sequence[float], theme: Theme, quantity: str) -> go.Scatter:
    """The networks of one method, each with its own mark; several of one level are trainings, which no line joins."""
    looks = [look_of_mark(mark.look, theme) for mark in marks]
    shares: list[MarkedShare] = [getattr(mark, quantity) for mark in marks]
    levels = [mark.level or 0.0 for mark in marks]
    return go.Scatter(
        name=marks[0].method,
        x=[place_level(level) + shift for level, shift in zip(levels, aside, strict=True)],
        y=[share.value for share in shares],
        customdata=[mark.number for mark in marks],
        text=[mark.look.name for mark in marks],
        mode="lines+markers" if len(set(levels)) == len(levels) else "markers",
        line={"color": theme.edge, "width": 1},
        marker={
            **{key: [look[key] for look in looks] for key in ("symbol", "size", "color")},
            "line": {"color": theme.card, "width": 1},
        },
        error_y={
            **bar(MarkedShare(0, 0, 0), marks[0].look.colour(theme)),
            "array": [share.high - share.value for share in shares],
            "arrayminus": [share.value - share.low for share in shares],
        },
        hovertemplate="<b>%{text}</b><br>%{y:.2f} %<extra></extra>",
    )


def look_of_mark(look: NetworkLook, theme: Theme) -> dict[str, Any]:
    size = 11 if look.place is None else 10
    line = {"color": look.colour(theme) if look.place is None else theme.card, "width": 3 if look.place is None else 1}
    return {"symbol": look.symbol, "size": size, "color": look.colour(theme), "line": line}


def bar(share: MarkedShare, colour: str) -> dict[str, Any]:
    """An interval as a bar at the mark."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [share.high - share.value],
        "arrayminus": [share.value - share.low],
        "color": colour,
        "thickness": 1.2,
        "width": 0,
    }
