"""A comparison in words: the names of both sides, and the sentences that the analysis wrote about it."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from backend.schemas.comparisons import ComparisonOut, TextPart
from frontend.components import dot, icon

MARKS = {"lost": ("▼ ", "is-lost strong"), "gained": ("▲ ", "is-gained strong"), "number": ("", "strong")}


def pair_names(comparison: ComparisonOut) -> list[Component]:
    """The two checkpoints with their colours, and an arrow between them."""
    return [
        html.Span([dot("dense"), comparison.dense.checkpoint_name], className="name"),
        icon("arrow"),
        html.Span([dot("pruned-1"), comparison.pruned.checkpoint_name], className="name"),
    ]


def headline_words(parts: Sequence[TextPart]) -> list[Component]:
    """The headline: what was lost and gained carries its shape and colour, numbers their weight."""
    shown: list[Component] = []
    for part in parts:
        before, style = MARKS.get(part.emphasis or "", ("", ""))
        shown.append(html.Span(before + part.text, className=style))
    return shown
