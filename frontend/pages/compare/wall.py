"""The samples behind the numbers as thumbnails, thinnest ice first."""

from dash import html
from dash.development.base_component import Component

from backend.schemas import FlipSet
from backend.schemas.comparisons import PairedSample
from backend.schemas.datasets import DatasetOut
from frontend.components import SET_CLASSES, SET_WORDS, SYMBOLS, Content, data
from frontend.figures.units import Unit
from frontend.review.cut import Cut
from frontend.review.words import class_name, margins_text, verdicts_text

SHOWN = 18  # tiles before "show the others"
MOST = 120  # tiles at all; the table holds every sample


def wall(
    samples: list[PairedSample], name: FlipSet, cut: Cut, dataset: DatasetOut, unit: Unit | None
) -> list[Component]:
    """Tiles in the given order; what lies beyond the first rows opens on request. `unit` None: no margins to show."""
    if not samples:
        return [html.P(nothing_sentence(name, cut), className="muted")]
    tiles = [tile(sample, name, cut, dataset, unit) for sample in samples[:MOST]]
    parts: list[Component] = [html.Div(tiles[:SHOWN], className="wall")]
    if len(tiles) > SHOWN:
        words = f"Show {len(tiles) - SHOWN} more"
        if len(samples) > MOST:
            words += f" (the table below lists all {len(samples):,})"
        parts.append(html.Details([html.Summary(words), html.Div(tiles[SHOWN:], className="wall")], className="more"))
    return parts


def nothing_sentence(name: FlipSet, cut: Cut) -> str:
    at = " at this ε" if cut.view == "robust" else ""
    which = " of this class" if cut.label is not None else ""
    return f"No sample{which} is {SET_WORDS[name]}{at}."


def tile(sample: PairedSample, name: FlipSet, cut: Cut, dataset: DatasetOut, unit: Unit | None) -> Component:
    """One sample: picture, true label and what became of it, index and both margins, or both verdicts."""
    label = class_name(dataset, sample.label)
    address = f"/api/v1/datasets/{dataset.id}/samples/{sample.index}.png"
    picture = html.Img(src=address, alt=f"{label}, sample {sample.index}", className="pixels")
    margins = verdicts_text(sample) if unit is None else margins_text(sample, unit)
    parts = [
        picture,
        html.Span(outcome(sample, name, dataset), className="tile-labels"),
        html.Span([html.Span(margins, className="tile-margin"), f"#{sample.index}"], className="tile-foot"),
    ]
    # What the browser compares with the threshold of thin ice, which is about samples that the dense model gets right.
    threshold = "" if unit is None or not sample.dense_margin else str(unit.precise(sample.dense_margin))
    return html.A(
        html.Div(parts, **data(margin=threshold)),
        href=cut.sample_address(sample.index),
        className="tile",
        **data(sample=str(sample.index)),
    )


def outcome(sample: PairedSample, name: FlipSet, dataset: DatasetOut) -> list[Content]:
    """True label, the set's shape, and the wrong label where one of the two models gives one."""
    wrong = sample.pruned_prediction if sample.pruned_prediction != sample.label else sample.dense_prediction
    parts: list[Content] = [html.Strong(class_name(dataset, sample.label)), f" {SYMBOLS[name]} "]
    if wrong != sample.label:
        parts.append(class_name(dataset, wrong))
    return [html.Span(parts, className=SET_CLASSES[name])]
