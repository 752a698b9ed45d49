"""Dense margin against pruned margin, one mark per sample: where each sample stood, and where it stands."""

import math
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from frontend.figures.frame import add_eps_line, add_ice, faded, frame
from frontend.figures.units import Unit, axis_limit, tick_step
from frontend.theme import Theme

# name, symbol, size, drawn in this order: what changed lies on top
SETS: tuple[tuple[str, str, float], ...] = (
    ("S11", "circle", 5),
    ("S00", "square-open", 5.5),
    ("S01", "triangle-up", 9),
    ("S10", "triangle-down", 9),
)
GUTTER = 0.07  # of the axis, for each of the two places where no distance exists
USUAL = 0.995  # share of the margins that decides how long an axis is
WEBGL_FROM = 4000  # marks; below that SVG is as quick and stays sharp when exported


@dataclass(frozen=True)
class Point:
    """A sample of a pair. Margins as stored (pixels in [0, 1]); None: no adversarial was found; 0: already wrong."""

    index: int
    set: str
    dense: float | None
    pruned: float | None


@dataclass(frozen=True)
class AxisScale:
    """One axis of the plot in shown units: real distances on [0, limit], a gutter at either end where it is needed.

    `has_beyond`: a few distances lie far beyond the others and would squeeze them; they stand in the end gutter, which
    says so. `has_missing`: so do samples without an adversarial.
    """

    limit: float
    has_missing: bool
    has_beyond: bool = False

    @property
    def gutter(self) -> float:
        return self.limit * GUTTER

    @property
    def has_end(self) -> bool:
        return self.has_missing or self.has_beyond

    @property
    def range(self) -> list[float]:
        return [-1.25 * self.gutter, self.limit + (1.25 if self.has_end else 0.25) * self.gutter]

    def place(self, margin: float | None, key: int) -> float:
        """Where a margin (shown units) is drawn; in a gutter the sample's index decides the place across it."""
        across = 0.28 + 0.75 * jitter(key)
        if margin is None or margin > self.limit:
            return self.limit + across * self.gutter
        return -across * self.gutter if margin <= 0 else margin

    def end_words(self) -> str:
        """What stands in the end gutter."""
        words = [f"over {self.limit:g}"] if self.has_beyond else []
        return ", ".join([*words, "not found"] if self.has_missing else words)

    def ticks(self, before: str = "") -> dict[str, Any]:
        """Tick settings: real distances, and the gutters' names after `before` (a line break under the plot)."""
        step = tick_step(self.limit)
        values = [step * position for position in range(int(self.limit / step + 1e-9) + 1)]
        places, texts = [-0.66 * self.gutter, *values], [f"{before}wrong", *(f"{value:g}" for value in values)]
        if self.has_end:
            places, texts = [*places, self.limit + 0.66 * self.gutter], [*texts, before + self.end_words()]
        return {"tickmode": "array", "tickvals": places, "ticktext": texts, "range": self.range, "tickangle": 0}


def jitter(key: int) -> float:
    """A number in [0, 1) that depends on `key` only and spreads evenly (multiples of the golden ratio)."""
    return math.modf((key + 1) * 0.6180339887498949)[0]


def scale_for(margins: list[float | None], unit: Unit, limit: float | None = None) -> AxisScale:
    """The axis for these stored margins, up to `limit` (shown units) where one is given.

    Otherwise it reaches to the largest, unless a few stand far out (over 1.25 times the rest): then to the rest.
    """
    found = sorted(unit.shown(margin) for margin in margins if margin is not None)
    largest = found[-1] if found else 0.0
    if limit is None:
        usual = found[math.ceil(USUAL * (len(found) - 1))] if found else 0.0
        limit = axis_limit(usual if largest > 1.25 * usual > 0 else largest)
    return AxisScale(limit, has_missing=len(found) < len(margins), has_beyond=largest > limit)


def margin_scatter(
    points: list[Point],
    theme: Theme,
    unit: Unit,
    *,
    eps: float,
    eps_label: str,
    delta: float,
    scales: tuple[AxisScale, AxisScale],
) -> go.Figure:
    """The scatter. `eps` and `delta` in shown units; `scales`: dense, pruned; fixed while filtering."""
    x_scale, y_scale = scales
    figure = frame(
        theme,
        x_title=unit.titled("Dense margin"),
        y_title=unit.titled("Pruned margin"),
    )
    add_gutters(figure, theme, x_scale, y_scale)
    add_ice(figure, theme, delta, x_scale.limit)
    add_diagonal(figure, theme, min(x_scale.limit, y_scale.limit))
    kind = go.Scattergl if len(points) > WEBGL_FROM else go.Scatter
    for name, symbol, size in SETS:
        chosen = [point for point in points if point.set == name and not is_wrong_twice(point)]
        figure.add_trace(
            kind(
                name=name,
                x=[x_scale.place(shown(point.dense, unit), point.index) for point in chosen],
                y=[y_scale.place(shown(point.pruned, unit), point.index * 7 + 3) for point in chosen],
                customdata=[point.index for point in chosen],
                mode="markers",
                marker=marker(theme, name, symbol, size),
                hoverinfo="none",
            )
        )
    add_corner(figure, theme, x_scale, y_scale, sum(map(is_wrong_twice, points)))
    add_eps_line(figure, theme, eps, f"ε {eps_label}")
    add_eps_line(figure, theme, eps, is_horizontal=True)
    figure.update_xaxes(**x_scale.ticks("<br>"))
    figure.update_yaxes(**y_scale.ticks())
    figure.update_layout(hoverdistance=12, margin={"l": 84, "r": 8, "t": 20, "b": 56})
    return figure


def shown(margin: float | None, unit: Unit) -> float | None:
    """A stored margin in shown units; a missing one stays missing."""
    return None if margin is None else unit.shown(margin)


def marker(theme: Theme, name: str, symbol: str, size: float) -> dict[str, Any]:
    """Marks are opaque (their contrast would suffer otherwise); a faint outline parts those that overlap."""
    width = 1.2 if symbol.endswith("open") else 0.5
    line = {"width": width, "color": theme.of_set(name) if symbol.endswith("open") else faded(theme.card, 0.5)}
    return {"symbol": symbol, "size": size, "color": theme.of_set(name), "line": line, "opacity": 1}


def add_gutters(figure: go.Figure, theme: Theme, x_scale: AxisScale, y_scale: AxisScale) -> None:
    """The strips for samples without a distance, set apart from the real values by their ground."""
    fill = faded(theme.line, 0.45)
    for axis, scale in (("x", x_scale), ("y", y_scale)):
        other = "y" if axis == "x" else "x"
        strips = [(scale.range[0], -0.12 * scale.gutter)]
        if scale.has_end:
            strips.append((scale.limit + 0.12 * scale.gutter, scale.range[1]))
        for low, high in strips:
            ends = {f"{axis}0": low, f"{axis}1": high, f"{other}0": 0, f"{other}1": 1}
            refs = {f"{axis}ref": axis, f"{other}ref": "paper"}
            figure.add_shape(type="rect", fillcolor=fill, line={"width": 0}, layer="below", **ends, **refs)


def is_wrong_twice(point: Point) -> bool:
    """Whether neither model gets the sample right: no distance on either axis."""
    return point.dense == 0 and point.pruned == 0


def add_corner(figure: go.Figure, theme: Theme, x_scale: AxisScale, y_scale: AxisScale, count: int) -> None:
    """The number of samples that both models get wrong, in the corner where their marks would only pile up."""
    if count:
        figure.add_annotation(
            name="wrong-twice",
            x=-0.66 * x_scale.gutter,
            y=-0.66 * y_scale.gutter,
            text=f"□<br>{count:,}",
            showarrow=False,
            font={"color": theme.muted, "size": 12},
        )


def add_diagonal(figure: go.Figure, theme: Theme, limit: float) -> None:
    """Where margins that pruning did not change would lie."""
    figure.add_shape(
        type="line",
        x0=0,
        y0=0,
        x1=limit,
        y1=limit,
        line={"color": theme.edge, "width": 1, "dash": "2px,3px"},
        layer="below",
        label={
            "text": "no change",
            "textposition": "end",
            "font": {"size": 12, "color": theme.muted},
            "yanchor": "bottom",
        },
    )
