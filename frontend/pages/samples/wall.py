"""What the filters leave: a sentence, and the thumbnails with their links."""

import json

from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas.comparisons import PairedSample
from frontend.components import SET_WORDS, Content, data, set_word
from frontend.pages.samples import ids
from frontend.pages.samples.chips import NO_FILTERS, delta_text
from frontend.review.cut import set_of
from frontend.review.walk import SORT_WORDS, ShownPair
from frontend.review.words import class_name, margins_text, verdicts_text

PAGE_SIZE = 120


def sentence(pair: ShownPair, count: int) -> list[Content]:
    """What the wall shows, in words."""
    total = len(pair.samples)
    number = html.Strong(f"{count:,} of {total:,}" if count < total else f"all {total:,}")
    words: list[Content] = ["Showing ", number, f" samples, sorted by {SORT_WORDS[pair.sort]}."]
    filters = filter_words(pair)
    return [*words, f" Filters: {', '.join(filters)}."] if filters else words


def order_note(pair: ShownPair, listed: list[PairedSample]) -> Component | None:
    """Why samples without a margin stand between others; nothing where there are none."""
    if pair.sort != "dense" or all(sample.dense_margin != 0 for sample in listed):
        return None
    words = "Samples that the dense model gets wrong are sorted by the distance at which that wrong prediction changes."
    return html.P(words, className="footnote")


def filter_words(pair: ShownPair) -> list[str]:
    """Each filter as a phrase that stands by itself."""
    filters, words = pair.filters, []
    if filters.set is not None:
        where = f"at ε {pair.comparison.eps_text}" if filters.view == "robust" else "(clean images)"
        words.append(f"{SET_WORDS[filters.set]} {where}")
    if filters.label is not None:
        words.append(f"class {class_name(pair.dataset, filters.label)}")
    if filters.is_thin:
        words.append(f"on thin ice (dense margin up to {delta_text(pair)})")
    return words


def wall(pair: ShownPair, listed: list[PairedSample], shown: int) -> list[Component]:
    """The thumbnails, the first ones at once and more on request."""
    if not listed:
        return nothing_listed(pair)
    tiles = [tile(pair, sample) for sample in listed[:shown]]
    parts: list[Component] = [
        html.H2("Samples", className="hidden-label"),
        html.Div(tiles, id=ids.WALL, className="wall"),
    ]
    left = len(listed) - len(tiles)
    if left > 0:
        more = {"shown": str(len(tiles) + PAGE_SIZE)}
        words = f"Show {min(PAGE_SIZE, left)} more"
        button = html.Button(words, className="button", **data(**{"go-replace": json.dumps(more)}, focus="more"))
        parts.append(
            html.Div([button, html.Span(f"{left:,} not shown", className="muted small")], className="wall-more")
        )
    return parts


def nothing_listed(pair: ShownPair) -> list[Component]:
    button = html.Button("Show all samples", className="button", **data(go=json.dumps(NO_FILTERS)))
    return [
        html.P(f"No sample matches the filters: {', '.join(filter_words(pair))}.", className="muted"),
        html.Div(button, className="wall-more"),
    ]


def tile(pair: ShownPair, sample: PairedSample) -> Component:
    """Picture, true label, what became of it, margin and row; a link to the sample in this very list."""
    name = set_of(sample, pair.filters.view)
    label = class_name(pair.dataset, sample.label)
    picture = html.Img(
        src=f"/api/v1/datasets/{pair.dataset.id}/samples/{sample.index}.png",
        alt=f"{label}, sample {sample.index}",
        className="pixels",
    )
    distances = margins_text(sample, pair.unit) if pair.has_margins else verdicts_text(sample)
    thin = "tile-margin is-thin" if pair.is_on_thin_ice(sample) else "tile-margin"
    parts = [
        picture,
        html.Span([set_word(name), f"#{sample.index}"], className="tile-foot"),
        html.Span(labels(pair, sample, label), className="tile-labels"),
        html.Span(html.Span(distances, className=thin), className="tile-foot"),
    ]
    extra = {} if pair.filters.set is not None else {"list": "all"}
    return dcc.Link(html.Div(parts), href=pair.address("/sample", index=sample.index, **extra), className="tile")


def labels(pair: ShownPair, sample: PairedSample, label: str) -> list[Content]:
    """The true label, and the wrong one where one of the two models gives one."""
    wrong = sample.pruned_prediction if sample.pruned_prediction != sample.label else sample.dense_prediction
    if wrong == sample.label:
        return [html.Strong(label)]
    return [html.Strong(label), " → ", class_name(pair.dataset, wrong)]
