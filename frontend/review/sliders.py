"""The sliders of a pair: range, start and place. One rule for Compare, Samples and Sample, and for every reload."""

from dataclasses import dataclass
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from backend.eps import parse_eps
from backend.errors import InvalidRequest
from backend.schemas.comparisons import ComparisonOut, PairedSample
from backend.services import comparisons
from frontend.figures.scatter import scale_for
from frontend.figures.units import Unit, tick_step
from frontend.review.cut import Cut


@dataclass(frozen=True)
class Sliders:
    """Lengths in shown units. `default_eps` and `default_delta` are the pair's own: no address moves them.

    `median_eps` is the text of the pair's own eps where it was chosen from the margins, otherwise None.
    """

    limit: float
    step: float
    eps: float
    delta: float
    default_eps: float
    default_delta: float
    default_eps_text: str
    median_eps: str | None


def read_sliders(comparison: ComparisonOut, samples: list[PairedSample], cut: Cut, unit: Unit) -> Sliders:
    """Where eps and the threshold of thin ice stand for this address, and where they would stand without it."""
    own = own_comparison(comparison, cut)
    eps, default_eps = unit.shown(comparison.eps), unit.shown(own.eps)
    margins = [margin for sample in samples for margin in (sample.dense_margin, sample.pruned_margin)]
    limit = max(scale_for(margins, unit).limit, default_eps)
    step = slider_step(limit, unit)
    start = default_delta(default_eps, step)
    return Sliders(
        limit=max(limit, eps),
        step=step,
        eps=eps,
        delta=float(parse_eps(cut.delta)) * unit.scale if cut.delta else start,
        default_eps=default_eps,
        default_delta=start,
        default_eps_text=own.eps_text,
        median_eps=own.eps_text if comparisons.is_median_eps(own) else None,
    )


def own_comparison(comparison: ComparisonOut, cut: Cut) -> ComparisonOut:
    """The pair at its own eps; at the given one where it has none of its own."""
    if cut.eps is None:
        return comparison
    try:
        return comparisons.compare(cut.dense, cut.pruned)
    except InvalidRequest:
        return comparison


def slider_step(limit: float, unit: Unit) -> float:
    """Half a 1/255 for Linf; about a hundredth of the axis for plain distances."""
    return 0.5 if unit.counts_steps else tick_step(limit, ticks=100)


def default_delta(eps: float, step: float) -> float:
    """Where the threshold of thin ice starts (shown units, as `eps`): half of eps, on a step of the slider."""
    return max(step, round(eps / 2 / step) * step)


def slider(id: str, text_id: str, label: str, name: str, value: float, state: dict[str, Any], unit: Unit) -> Component:
    """A slider in shown units with its value next to it; the thumb carries the name for those who listen."""
    control = dmc.Slider(
        id=id,
        min=state["step"],
        max=state["limit"],
        step=state["step"],
        value=value,
        label=None,
        updatemode="drag",
        size=4,
        thumbLabel=name,
        disabled=not state["has_margins"],
        className="slider",
        precision=3,
    )
    text = html.Output(unit.text(value / unit.scale), id=text_id, className="control-value")
    return html.Div([html.Span(label, className="control-label"), control, text], className="control control-slider")


def delta_slider(id: str, text_id: str, value: float, state: dict[str, Any], unit: Unit) -> Component:
    """The threshold of thin ice; out of sight where there are no margins, so no ice."""
    control = slider(id, text_id, "Thin ice δ", "thin ice threshold", value, state, unit)
    return html.Div(control, className="control-holder", hidden=not state["has_margins"])
