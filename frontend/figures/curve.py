"""Robust accuracy against eps, from stored margins, for the dense and the pruned model."""

from dataclasses import dataclass

import plotly.graph_objects as go

from frontend.figures.frame import add_band, add_eps_line, faded, frame
from frontend.figures.scatter import GUTTER
from frontend.figures.units import Unit
from frontend.theme import Theme

TIGHT = 0.3  # of the axis: left of this there is no room for a label before the line


@dataclass(frozen=True)
class CurveLine:
    """A robustness curve: eps as stored, accuracies and their interval 0..1, all of one length.

    `at_eps`: the exact accuracy at the eps of the page, which lies between points of the curve.
    """

    name: str
    colour: str
    eps: list[float]
    accuracy: list[float]
    low: list[float]
    high: list[float]
    at_eps: float


def robustness_curve(
    curves: list[CurveLine], theme: Theme, unit: Unit, *, eps: float, eps_label: str, limit: float
) -> go.Figure:
    """The curves with their bands up to `limit` (shown units), a guide at `eps` (as stored), and their values there."""
    figure = frame(theme, x_title=unit.titled("ε"), y_title="Robust accuracy")
    for curve in curves:
        add_band(figure, [unit.shown(at) for at in curve.eps], curve.low, curve.high, faded(curve.colour, 0.14))
    end = max(limit * (1 + GUTTER), unit.shown(eps))
    is_tight = unit.shown(eps) < TIGHT * end
    for position, curve in enumerate(curves):
        figure.add_trace(
            go.Scatter(
                name=curve.name,
                x=[unit.shown(at) for at in curve.eps],
                y=curve.accuracy,
                mode="lines",
                line={"color": curve.colour, "width": 2},
                hovertemplate=f"{curve.name}: %{{y:.2%}} at ε %{{x:.1f}}<extra></extra>",
            )
        )
        add_value(figure, theme, curve, unit.shown(eps))
        if is_tight:
            label_value(figure, theme, curve, unit.shown(eps), curves[0].at_eps, line=len(curves) - position)
        else:
            label_value(figure, theme, curve, unit.shown(eps), curve.at_eps, line=1 if position == 0 else -1)
    add_eps_line(figure, theme, unit.shown(eps), f"ε {eps_label}")
    top = max((value for curve in curves for value in curve.high), default=1.0)
    figure.update_xaxes(range=[0, end])
    figure.update_yaxes(range=[0, min(1.02, top * 1.08)], tickformat=".0%", nticks=6)
    return figure


def add_value(figure: go.Figure, theme: Theme, curve: CurveLine, x: float) -> None:
    """A dot where the curve meets eps."""
    dot = {"color": curve.colour, "size": 7, "line": {"color": theme.card, "width": 1.5}}
    name = f"at ε, {curve.name}"  # the browser moves it
    figure.add_trace(go.Scatter(name=name, x=[x], y=[curve.at_eps], mode="markers", marker=dot, hoverinfo="skip"))


def label_value(figure: go.Figure, theme: Theme, curve: CurveLine, x: float, y: float, *, line: int) -> None:
    """The curve's name and value next to the dot: lines above it to the right, line -1 below it to the left."""
    is_above = line > 0
    figure.add_annotation(
        name=f"value-{curve.name}",
        x=x,
        y=y,
        text=f"<b>{curve.name}</b> {100 * curve.at_eps:.2f} %",
        showarrow=False,
        xanchor="left" if is_above else "right",
        xshift=8 if is_above else -8,
        yshift=16 * line - 4 if is_above else -12,
        font={"color": curve.colour, "size": 12},
        bgcolor=faded(theme.card, 0.8),
    )
