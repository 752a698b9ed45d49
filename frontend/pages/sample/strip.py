"""Both margins on one axis: a line of text high, drawn by the style sheet (assets/sample.css)."""

from dataclasses import dataclass

from dash import html
from dash.development.base_component import Component

from frontend.components import aria
from frontend.figures.units import Unit, tick_step
from frontend.pages.sample.words import distance_text


@dataclass(frozen=True)
class StripMark:
    """One model's margin (stored unit). `is_wrong`: the clean image is wrong already, so there is no distance."""

    name: str
    kind: str
    margin: float | None
    is_wrong: bool


def margin_strip(
    marks: list[StripMark], unit: Unit, *, eps: float, eps_text: str, delta: float, limit: float
) -> Component:
    """The marks between 0 and `limit`, with the ice up to `delta` and a line at `eps` (all three in shown units).

    What is already wrong stands in a gutter before 0, what was not found in one behind the end.
    """
    axis = [
        html.Span(className="strip-ice", style={"width": percent(delta, limit)}),
        html.Span("thin ice", className="strip-ice-label"),
        html.Span(className="strip-line"),
        *(tick(value, limit) for value in tick_values(limit)),
        html.Span(html.Span(f"ε {eps_text}", className="strip-eps-label"), className="strip-eps", style=at(eps, limit)),
        *(dot_at(mark, unit, limit) for mark in marks if not mark.is_wrong and mark.margin is not None),
    ]
    wrong = [gutter_dot(mark) for mark in marks if mark.is_wrong]
    missing = [gutter_dot(mark) for mark in marks if not mark.is_wrong and mark.margin is None]
    parts = [
        html.Div([*wrong, html.Span("already wrong", className="strip-gutter-label")], className="strip-gutter"),
        html.Div(axis, className="strip-axis"),
        html.Div(
            [*missing, html.Span("none found", className="strip-gutter-label")],
            className="strip-gutter strip-missing" if missing else "strip-gutter strip-end",
        ),
    ]
    spoken = "; ".join(f"{mark.name} {spoken_margin(mark, unit)}" for mark in marks)
    return html.Div(parts, className="strip", role="img", **aria(label=f"Margins on one axis: {spoken}; ε {eps_text}"))


def spoken_margin(mark: StripMark, unit: Unit) -> str:
    return "already wrong" if mark.is_wrong else distance_text(mark.margin, unit)


def tick_values(limit: float) -> list[float]:
    """Round numbers from 0 up to the end of the axis."""
    step = tick_step(limit, ticks=6)
    return [place * step for place in range(int(limit / step + 1e-9) + 1)]


def tick(value: float, limit: float) -> Component:
    return html.Span(f"{value:g}", className="strip-tick", style=at(value, limit))


def dot_at(mark: StripMark, unit: Unit, limit: float) -> Component:
    """A mark at its margin, its number on the side where there is room; one beyond the axis stands at its end."""
    assert mark.margin is not None
    value = unit.shown(mark.margin)
    side = "is-left" if value > 0.7 * limit else ""
    text = html.Span(f"{mark.name} {distance_text(mark.margin, unit)}", className="strip-text")
    return html.Span(text, className=f"strip-dot strip-{mark.kind} {side}".strip(), style=at(min(value, limit), limit))


def gutter_dot(mark: StripMark) -> Component:
    return html.Span(html.Span(mark.name, className="strip-text"), className=f"strip-dot strip-{mark.kind}")


def at(value: float, limit: float) -> dict[str, str]:
    return {"left": percent(value, limit)}


def percent(value: float, limit: float) -> str:
    return f"{100 * min(1.0, max(0.0, value / limit)):.2f}%"
