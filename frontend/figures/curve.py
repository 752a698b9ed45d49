"""Robust accuracy against eps, from stored margins, for the dense and the pruned model."""

from dataclasses import dataclass

import plotly.graph_objects as go

from frontend.figures.frame import add_band, add_eps_line, faded, frame
from frontend.figures.units import Unit
from frontend.theme import Theme


@dataclass(frozen=True)
class Curve:
    """A robustness curve: eps as stored, accuracies and their interval 0..1, all of one length."""

    name: str
    colour: str
    eps: list[float]
    accuracy: list[float]
    low: list[float]
    high: list[float]


def accuracy_at(curve: Curve, eps: float) -> float | None:
    """Accuracy at `eps` (as stored): the last point not beyond it, since the curve is a falling staircase."""
    reached = [accuracy for at, accuracy in zip(curve.eps, curve.accuracy, strict=True) if at <= eps * (1 + 1e-9)]
    return reached[-1] if reached else None


def robustness_curve(curves: list[Curve], theme: Theme, unit: Unit, *, eps: float, eps_label: str) -> go.Figure:
    """The curves with their bands, a guide at `eps` (as stored), and where they meet the values."""
    figure = frame(theme, x_title=unit.titled("ε"), y_title="robust accuracy")
    for curve in curves:
        add_band(figure, [unit.shown(at) for at in curve.eps], curve.low, curve.high, faded(curve.colour, 0.14))
    for position, curve in enumerate(curves):
        figure.add_trace(
            go.Scatter(
                name=curve.name,
                x=[unit.shown(at) for at in curve.eps],
                y=curve.accuracy,
                mode="lines",
                line={"color": curve.colour, "width": 2},
                hovertemplate=f"{curve.name}: %{{y:.2%}} at %{{x:.1f}}<extra></extra>",
            )
        )
        add_value(figure, theme, curve, unit, eps, is_above=position == 0)
    add_eps_line(figure, theme, unit.shown(eps), f"ε {eps_label}")
    top = max((value for curve in curves for value in curve.high), default=1.0)
    figure.update_xaxes(range=[0, max((unit.shown(at) for curve in curves for at in curve.eps), default=1.0)])
    figure.update_yaxes(range=[0, min(1.02, top * 1.08)], tickformat=".0%", nticks=6)
    return figure


def add_value(figure: go.Figure, theme: Theme, curve: Curve, unit: Unit, eps: float, *, is_above: bool) -> None:
    """A dot where the curve meets eps, and beside it the curve's name and value: its label."""
    value = accuracy_at(curve, eps)
    if value is None:
        return
    x = unit.shown(eps)
    dot = {"color": curve.colour, "size": 7, "line": {"color": theme.card, "width": 1.5}}
    figure.add_trace(go.Scatter(x=[x], y=[value], mode="markers", marker=dot, hoverinfo="skip"))
    figure.add_annotation(
        x=x,
        y=value,
        text=f"<b>{curve.name}</b> {value:.2%}",
        showarrow=False,
        xanchor="left" if is_above else "right",
        xshift=8 if is_above else -8,
        yshift=12 if is_above else -12,
        font={"color": curve.colour, "size": 12},
        bgcolor=faded(theme.card, 0.8),
    )
