"""What all figures share: ground, type, grid, the ice zone and the eps line."""

from typing import Any

import plotly.graph_objects as go

from frontend.theme import Theme

FONT = 'Inter, "Inter Display", "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", system-ui, sans-serif'
CLEAR = "rgba(0,0,0,0)"
NARROW = 0.13  # of an axis: the width of the words "thin ice"


def frame(theme: Theme, *, x_title: str, y_title: str) -> go.Figure:
    """An empty figure on a transparent ground with light grid lines and titled axes."""
    axis: dict[str, Any] = {
        "gridcolor": theme.grid,
        "linecolor": theme.line,
        "zeroline": False,
        "tickfont": {"size": 12, "color": theme.muted},
    }

    def titled(text: str) -> dict[str, Any]:
        return {**axis, "title": {"text": text, "font": {"size": 12, "color": theme.muted}, "standoff": 8}}

    return go.Figure(
        layout={
            "template": None,
            "paper_bgcolor": CLEAR,
            "plot_bgcolor": CLEAR,
            "font": {"family": FONT, "size": 12, "color": theme.ink},
            "margin": {"l": 56, "r": 16, "t": 20, "b": 44},
            "showlegend": False,
            "hovermode": "closest",
            "hoverlabel": {
                "bgcolor": theme.card,
                "bordercolor": theme.line,
                "font": {"family": FONT, "color": theme.ink},
            },
            "dragmode": "zoom",
            "uirevision": "kept",
            "xaxis": titled(x_title),
            "yaxis": titled(y_title),
        }
    )


def add_ice(figure: go.Figure, theme: Theme, delta: float, limit: float) -> None:
    """The zone of thin ice, dense margins up to `delta` (in the axis' unit). The browser moves the parts by name.

    The label stands inside the zone, or next to it where the zone is narrow on an axis up to `limit`.
    """
    is_wide = delta >= NARROW * limit
    figure.add_shape(
        name="ice",
        type="rect",
        xref="x",
        yref="paper",
        x0=0,
        x1=delta,
        y0=0,
        y1=1,
        fillcolor=theme.ice,
        line={"width": 0},
        layer="below",
    )
    figure.add_shape(
        name="ice-edge",
        type="line",
        xref="x",
        yref="paper",
        x0=delta,
        x1=delta,
        y0=0,
        y1=1,
        line={"color": theme.ice_label, "width": 1},
        layer="below",
    )
    figure.add_annotation(
        name="ice-label",
        text="thin ice",
        x=delta,
        xref="x",
        xanchor="right" if is_wide else "left",
        xshift=-4 if is_wide else 4,
        y=1,
        yref="paper",
        yanchor="top",
        showarrow=False,
        font={"color": theme.ice_label, "size": 12},
        bgcolor=CLEAR if is_wide else theme.card,  # next to the ice the line of eps would cross it
    )


def add_eps_line(figure: go.Figure, theme: Theme, eps: float, text: str = "", *, is_horizontal: bool = False) -> None:
    """A dashed guide at eps (in the axis' unit), vertical or horizontal, with its label outside the data.

    The browser moves both by name.
    """
    ends: dict[str, Any] = {"xref": "x", "yref": "paper", "x0": eps, "x1": eps, "y0": 0, "y1": 1}
    if is_horizontal:
        ends = {"xref": "paper", "yref": "y", "y0": eps, "y1": eps, "x0": 0, "x1": 1}
    line = {"color": theme.accent, "width": 1.5, "dash": "6px,4px"}
    figure.add_shape(name="eps", type="line", line=line, layer="above" if is_horizontal else "below", **ends)
    if text:
        figure.add_annotation(
            name="eps-label",
            text=text,
            x=eps,
            xref="x",
            y=1,
            yref="paper",
            yanchor="bottom",
            showarrow=False,
            font={"color": theme.accent, "size": 12},
        )


def add_band(figure: go.Figure, x: list[float], low: list[float], high: list[float], fill: str) -> None:
    """An interval as a filled band without outline."""
    figure.add_trace(
        go.Scatter(
            x=[*x, *reversed(x)],
            y=[*high, *reversed(low)],
            fill="toself",
            fillcolor=fill,
            line={"width": 0},
            mode="lines",
            hoverinfo="skip",
        )
    )


def message(theme: Theme, sentence: str) -> go.Figure:
    """A figure that says why there is nothing to draw. `<br>` breaks lines."""
    hidden = {"visible": False}
    note = {"text": sentence, "showarrow": False, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper"}
    return go.Figure(
        layout={
            "template": None,
            "paper_bgcolor": CLEAR,
            "plot_bgcolor": CLEAR,
            "xaxis": hidden,
            "yaxis": hidden,
            "annotations": [note | {"font": {"family": FONT, "size": 14, "color": theme.muted}}],
        }
    )


def faded(colour: str, opacity: float) -> str:
    """`#rrggbb` as `rgba(...)` with that opacity."""
    red, green, blue = (int(colour[position : position + 2], 16) for position in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"
