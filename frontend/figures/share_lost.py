"""Does thin ice predict? The share of samples lost by dense margin, with its interval."""

from dataclasses import dataclass

import plotly.graph_objects as go

from frontend.figures.frame import add_band, add_ice, faded, frame
from frontend.figures.scatter import GUTTER
from frontend.figures.units import Unit
from frontend.theme import Theme


@dataclass(frozen=True)
class LostShare:
    """One bin of dense margins (as stored); `high` None: open above, or the samples without an adversarial."""

    low: float
    high: float | None
    n: int
    lost: int
    share: float
    share_low: float
    share_high: float


def share_lost(bins: list[LostShare], theme: Theme, unit: Unit, *, delta: float, limit: float) -> go.Figure:
    """Share lost against dense margin; `delta` and `limit` in shown units. A bin stands at the middle of its range."""
    figure = frame(theme, x_title=unit.titled("Dense margin"), y_title="Share lost")
    add_ice(figure, theme, delta, limit)
    filled = [item for item in bins if item.n > 0]
    x = [middle(item, unit, limit) for item in filled]
    add_band(
        figure, x, [item.share_low for item in filled], [item.share_high for item in filled], faded(theme.lost, 0.16)
    )
    figure.add_trace(
        go.Scatter(
            x=x,
            y=[item.share for item in filled],
            mode="lines+markers",
            line={"color": theme.lost, "width": 2},
            marker={"symbol": "triangle-down", "size": 8, "color": theme.lost, "line": {"width": 0}},
            customdata=[
                [item.lost, item.n, 100 * item.share_low, 100 * item.share_high, item.low, item.high] for item in filled
            ],
            hovertemplate="%{y:.1%} lost (%{customdata[0]} of %{customdata[1]}), 95 % interval "
            "[%{customdata[2]:.1f}, %{customdata[3]:.1f}]<extra></extra>",
        )
    )
    top = max([item.share_high for item in filled], default=0.1)
    figure.update_xaxes(range=[0, limit * (1 + GUTTER)])
    figure.update_yaxes(range=[0, min(1.02, top * 1.08)], tickformat=".0%", nticks=6)
    return figure


def middle(item: LostShare, unit: Unit, limit: float) -> float:
    """Where a bin stands on the axis (shown units); an open one reaches to the end of the axis."""
    high = limit if item.high is None else min(unit.shown(item.high), limit)
    return (min(unit.shown(item.low), limit) + high) / 2
