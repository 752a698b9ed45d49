"""The boundary slice of a sample: what assets/slice.js needs to ask for it, to follow it and to draw it."""

import json

from dash import html
from dash.development.base_component import Component

from backend.schemas.comparisons import PairedSample
from backend.schemas.evaluations import SampleSide
from frontend.components import Content, aria, card, data
from frontend.pages.sample import ids
from frontend.review.walk import ShownPair
from frontend.review.words import class_name


def can_draw(sides: tuple[SampleSide, SampleSide]) -> bool:
    """Whether a network has an adversarial, so that something spans a plane."""
    return any(side.row.correct and side.row.found for side in sides)


def slice_card(pair: ShownPair, sample: PairedSample, sides: tuple[SampleSide, SampleSide]) -> Component:
    """The card; the script asks for the slice after a moment on the sample, and fills it in."""
    if pair.comparison.dense.norm != pair.comparison.pruned.norm or not can_draw(sides):
        words = (
            "Neither network has an adversarial of this sample, so nothing spans a plane: each is wrong without any "
            "attack, or no attack found one."
        )
        return card("Boundary slice", html.P(words, className="muted small"))
    asked = {
        "dense": pair.cut.dense,
        "pruned": pair.cut.pruned,
        "index": sample.index,
        "names": [sides[0].checkpoint_name, sides[1].checkpoint_name],
        "classes": pair.dataset.classes,
        "eps": pair.comparison.eps,
        "eps_text": pair.comparison.eps_text,
        "scale": pair.unit.scale,
        "suffix": pair.unit.suffix,
    }
    place = html.Div(
        html.P("Asking for the slice …", className="slice-status muted small", role="status"),
        id=ids.SLICE,
        className="slice",
        **data(slice=json.dumps(asked)),
    )
    note = "a plane through the clean image and the adversarials; colour is the predicted class"
    return card("Boundary slice", place, note=note, kind="slice-card")


def answer(network: str, point: str, sample: PairedSample, pair: ShownPair) -> Content:
    """What a network says of the other one's adversarial: a place that the script fills from the slice.

    Args:
        network: "dense" or "pruned", who is asked.
        point: whose adversarial it is.
    """
    asked = f"{network}:{point}"
    label = class_name(pair.dataset, sample.label)
    return html.Span("asking …", className="crossed-answer", **data(answer=asked, label=label), **aria(live="polite"))
