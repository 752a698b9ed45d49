"""Several networks in one picture: robustness curves and margin histograms, the dense network as reference."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from backend.analysis.statistics import wilson
from frontend.figures.frame import add_band, add_eps_line, add_ice, faded, frame
from frontend.figures.units import Unit, tick_step
from frontend.theme import Theme, mark_of

BINS = 24
FAINT = 0.07  # of a band: nine of them lie on each other


@dataclass(frozen=True)
class NetworkLook:
    """A network's name and the number of its mark; None is the dense network, or a control of it."""

    name: str
    place: int | None
    is_control: bool = False

    def colour(self, theme: Theme) -> str:
        return theme.dense if self.place is None else theme.of_method(self.place)

    @property
    def dash(self) -> str:
        return "solid" if self.place is None else mark_of(self.place).dash

    @property
    def symbol(self) -> str:
        if self.place is None:
            return "diamond-open" if self.is_control else "circle-open"
        return mark_of(self.place).symbol

    @property
    def width(self) -> float:
        return 3.5 if self.place is None else 2.0


@dataclass(frozen=True)
class OverlaidCurve:
    """A robustness curve: eps as stored, accuracies and their interval 0..1, all of one length, from n samples."""

    look: NetworkLook
    eps: list[float]
    accuracy: list[float]
    low: list[float]
    high: list[float]
    n: int


@dataclass(frozen=True)
class OverlaidMargins:
    """How many of n margins lie in each bin of `bin_edges`; margins of 0, not found or beyond the axis in none."""

    look: NetworkLook
    counts: list[int]
    n: int


def bin_edges(limit: float) -> list[float]:
    """Edges of equal bins up to `limit` (shown units)."""
    return [limit * place / BINS for place in range(BINS + 1)]


def count_margins_in_bins(margins: Sequence[float], unit: Unit, limit: float) -> list[int]:
    """Stored margins above 0 by bin; those beyond the axis are in none."""
    counts = [0] * BINS
    for margin in margins:
        place = unit.shown(margin) * BINS / limit
        if margin > 0 and place < BINS:
            counts[math.floor(place)] += 1
    return counts


def overlaid_curves(
    curves: Sequence[OverlaidCurve], theme: Theme, unit: Unit, *, eps: float, eps_label: str, limit: float
) -> go.Figure:
    """The curves with their bands up to `limit`, and a guide at `eps` (shown units, both)."""
    figure = frame(theme, x_title=unit.titled("ε"), y_title="Robust accuracy")
    for curve in curves:
        places = [unit.shown(at) for at in curve.eps]
        add_band(figure, places, curve.low, curve.high, faded(curve.look.colour(theme), FAINT))
    for curve in curves:
        look = curve.look
        figure.add_trace(
            go.Scatter(
                name=look.name,
                x=[unit.shown(at) for at in curve.eps],
                y=curve.accuracy,
                customdata=list(zip(curve.low, curve.high, strict=True)),
                mode="lines",
                line={"color": look.colour(theme), "width": look.width, "dash": look.dash},
                hovertemplate=(
                    f"<b>{look.name}</b>, ε %{{x:.1f}}<br>%{{y:.2%}} [%{{customdata[0]:.2%}}, %{{customdata[1]:.2%}}]"
                    f"<br>n {curve.n:,}<extra></extra>"
                ),
            )
        )
    add_eps_line(figure, theme, eps, f"ε {eps_label}")
    top = max((value for curve in curves for value in curve.high), default=1.0)
    figure.update_xaxes(range=[0, max(limit, eps)])
    figure.update_yaxes(range=[0, min(1.02, top * 1.08)], tickformat=".0%", nticks=6)
    return figure


def overlaid_margins(
    networks: Sequence[OverlaidMargins],
    theme: Theme,
    unit: Unit,
    *,
    eps: float,
    eps_label: str,
    delta: float,
    limit: float,
) -> go.Figure:
    """Counts by margin as steps, the dense network's filled. Lengths in shown units."""
    edges = bin_edges(limit)
    figure = frame(theme, x_title=unit.titled("Margin"), y_title="Samples in a bin")
    add_ice(figure, theme, delta, limit)
    for network in networks:
        look, colour = network.look, network.look.colour(theme)
        figure.add_trace(
            go.Scatter(
                name=look.name,
                x=edges,
                y=[*network.counts, network.counts[-1]],
                text=[
                    bin_text(low, high, count, network.n)
                    for low, high, count in zip(edges, edges[1:], network.counts, strict=False)
                ]
                + [""],
                mode="lines",
                line={"color": colour, "width": look.width - 0.5, "dash": look.dash, "shape": "hv"},
                fill="tozeroy" if look.place is None else "none",
                fillcolor=faded(colour, 0.16),
                hovertemplate=f"<b>{look.name}</b>, margin %{{text}}<extra></extra>",
            )
        )
    add_eps_line(figure, theme, eps, f"ε {eps_label}")
    step = tick_step(limit)
    figure.update_xaxes(range=[0, limit], dtick=step)
    figure.update_yaxes(rangemode="tozero")
    return figure


def bin_text(low: float, high: float, count: int, n: int) -> str:
    """`10.0 to 12.5<br>43 of 2,000 (2.15 % [1.60, 2.88])`."""
    share = wilson(count, n)
    if share.value is None or share.low is None or share.high is None:
        return f"{low:.1f} to {high:.1f}"
    part = f"{100 * share.value:.2f} % [{100 * share.low:.2f}, {100 * share.high:.2f}]"
    return f"{low:.1f} to {high:.1f}<br>{count:,} of {n:,} ({part})"
