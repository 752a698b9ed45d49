"""Who pays: the share lost in each class, with its interval."""

from dataclasses import dataclass

import plotly.graph_objects as go

from frontend.figures.frame import frame
from frontend.theme import Theme

MOST = 20  # bars; with more classes the most affected are drawn


@dataclass(frozen=True)
class ClassShare:
    """A class: samples the dense model gets right, those lost, and the rate with its interval (0..1)."""

    name: str
    n: int
    lost: int
    rate: float
    low: float
    high: float
    adjusted_p: float
    label: int


def pays_more(item: ClassShare, overall: float) -> bool:
    """Whether a class loses more than the rest beyond chance, corrected for the number of classes."""
    return item.adjusted_p < 0.05 and item.rate > overall


def class_flips(classes: list[ClassShare], theme: Theme, *, overall: float, holds: str = "gets right") -> go.Figure:
    """Horizontal bars, most affected class on top, and a line at the rate over all classes."""
    chosen = sorted(classes, key=lambda item: (item.rate, item.n))[-MOST:]
    figure = frame(theme, x_title=f"Share lost, of the samples the dense model {holds}", y_title="")
    figure.add_trace(
        go.Bar(
            orientation="h",
            y=[item.name for item in chosen],
            x=[item.rate for item in chosen],
            width=0.62,
            marker={"color": [theme.lost if pays_more(item, overall) else theme.kept for item in chosen]},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [item.high - item.rate for item in chosen],
                "arrayminus": [item.rate - item.low for item in chosen],
                "color": theme.ink,
                "thickness": 1,
                "width": 3,
            },
            customdata=[[item.lost, item.n, item.adjusted_p, item.label] for item in chosen],
            hovertemplate="%{y}: %{x:.2%} lost (%{customdata[0]} of %{customdata[1]}), "
            "adjusted p = %{customdata[2]:.2g}<extra></extra>",
        )
    )
    line = {"color": theme.muted, "width": 1, "dash": "2px,3px"}
    figure.add_shape(type="line", x0=overall, x1=overall, y0=0, y1=1, yref="paper", line=line, layer="above")
    figure.add_annotation(
        x=overall,
        y=1,
        yref="paper",
        yanchor="bottom",
        text=f"all classes {overall:.1%}",
        showarrow=False,
        font={"color": theme.muted},
    )
    top = max((item.high for item in chosen), default=0.1)
    figure.update_xaxes(tickformat=".0%", range=[0, min(1.0, top * 1.05)], nticks=6)
    figure.update_yaxes(showgrid=False, tickfont={"size": 12, "color": theme.ink}, ticksuffix=" ", automargin=True)
    return figure
