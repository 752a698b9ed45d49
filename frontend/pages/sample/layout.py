"""The page of one sample: everything from the address, so that a reload shows the same."""

import json
from typing import Any

from dash import Dash, dcc, html
from dash.development.base_component import Component

from backend.eps import eps_text
from backend.errors import InvalidRequest, NotFound
from backend.schemas.comparisons import PairedSample
from backend.services import samples
from frontend import ids as shell_ids
from frontend.components import SET_WORDS, Content, aria, data, empty_state, icon, set_word
from frontend.figures.perturbation import BLUE_TO_RED, ScaleKind, choose_scale, largest_change
from frontend.pages.sample import harder, ids, layers
from frontend.pages.sample.layers import layers_card
from frontend.pages.sample.plane import answer, slice_card
from frontend.pages.sample.side import Shown, change_text, clean_address, has_adversarial, side_row
from frontend.pages.sample.strip import StripMark, margin_strip
from frontend.pages.sample.versions import find_versions, version_card
from frontend.pages.sample.words import headline
from frontend.review.cut import complete_pair, set_of
from frontend.review.notices import context_line, mismatch_notice, verdict_notice
from frontend.review.walk import SORT_WORDS, STATE_KEYS, Filters, Place, ShownPair, find_place, load_pair
from frontend.review.words import class_name
from frontend.shipped import ways_in

KEYS = ("dense", "pruned", "index", "scale", *STATE_KEYS)
ROOMS = {"wide": 200, "middle": 168, "narrow": 100}  # pixels a frame may take, by width of the screen


def complete(query: dict[str, str], seen: dict[str, str] | None = None) -> dict[str, str] | None:
    """The query with a pair and a sample filled in, where something is missing and there is something."""
    if query.get("dense") and query.get("pruned") and query.get("index"):
        return None
    query = complete_pair(query, seen) or query
    if not (query.get("dense") and query.get("pruned")):
        return None
    pair = load_pair(query)
    listed = pair.listed() or pair.samples
    lost = [sample for sample in listed if sample.set == "S10"]
    first = (lost or listed)[0]
    return {**query, "index": query.get("index") or str(first.index)}


def register(app: Dash) -> None:
    """The address builds the page, and assets/sample.js moves the address; what runs meanwhile is followed."""
    harder.register(app)
    layers.register(app)


def layout(**query: str) -> Component:
    """The page for a sample of a pair."""
    if not (query.get("dense") and query.get("pruned")):
        sentence = "No pair of evaluations has finished yet, so there is no sample to show."
        return html.Div([html.H1("Sample", className="page-title"), empty_state(sentence, ways=ways_in())])
    pair = load_pair(query)
    sample = find_sample(pair, query.get("index", ""))
    sides = (samples.side(pair.cut.dense, sample.index), samples.side(pair.cut.pruned, sample.index))
    kind: ScaleKind = "change" if query.get("scale") == "change" else "eps"
    shown = choose_shown(pair, sample, kind)
    answers = {
        "dense": answer("dense", "pruned", sample, pair) if has_adversarial(sides[1]) else None,
        "pruned": answer("pruned", "dense", sample, pair) if has_adversarial(sides[0]) else None,
    }
    parts = [
        context_line(pair.comparison, pair.dataset, pair.sliders.median_eps),
        title(pair, sample),
        mismatch_notice(pair.comparison),
        verdict_notice(pair.comparison),
        html.P(
            headline(
                sample, names_of(pair, sample), None if not pair.has_margins else pair.unit, pair.comparison.eps_text
            ),
            className="headline",
        ),
        toolbar(pair, sample, query),
        html.Section(
            [
                side_row("dense", sides, shown, answers["dense"]),
                side_row("pruned", sides, shown, answers["pruned"]),
                scale_bar(pair, shown, kind),
            ],
            className="card sides",
        ),
        strip_card(pair, sample) if pair.has_margins else None,
        html.Div(
            [slice_card(pair, sample, sides), version_card(pair, sample, find_versions(pair, sample))],
            className="grid two",
        ),
        layers_card(pair, sample),
        *harder.stores(sides, pair.comparison.dense.norm, pair.comparison.eps, pair.comparison.eps_text),
    ]
    height, width, _ = pair.dataset.shape
    zooms = {f"--zoom-{name}": str(max(1, room // max(height, width))) for name, room in ROOMS.items()}
    clean = f'url("{clean_address(pair.dataset, sample.index)}")'
    style: Any = {"--pixels-wide": str(width), "--pixels-high": str(height), "--clean": clean, **zooms}
    return html.Div([part for part in parts if part is not None], id=ids.PAGE, className="sample-page", style=style)


def find_sample(pair: ShownPair, text: str) -> PairedSample:
    """The sample of that row. Raises InvalidRequest for no number, NotFound for one that the two do not share."""
    if not text.isdecimal():
        raise InvalidRequest(f"The index must be a row of the data set, counted from 0; got {text!r}.", index=text)
    index = int(text)
    for sample in pair.samples:
        if sample.index == index:
            return sample
    raise NotFound(
        f"Sample {index} is not among the {len(pair.samples):,} that the two evaluations share.", index=index
    )


def names_of(pair: ShownPair, sample: PairedSample) -> dict[str, str]:
    labels = {"label": sample.label, "dense": sample.dense_prediction, "pruned": sample.pruned_prediction}
    return {name: class_name(pair.dataset, label) for name, label in labels.items()}


def choose_shown(pair: ShownPair, sample: PairedSample, kind: ScaleKind) -> Shown:
    """What the frames share: the scale of the perturbations among it, and the largest change of a pixel in each."""
    changes: dict[str, float | None] = {}
    for name, side in (("dense", pair.cut.dense), ("pruned", pair.cut.pruned)):
        one = samples.images(side, sample.index)
        adversarial = one["adversarial"]
        changes[name] = None if adversarial is None else largest_change([(one["clean"], adversarial)])
    bound = pair.comparison.eps if pair.comparison.dense.norm == "Linf" else None
    change = max((one for one in changes.values() if one is not None), default=None)
    scale = choose_scale(kind, eps=bound, change=change)
    return Shown(pair.dataset, pair.unit, pair.comparison.eps, pair.comparison.eps_text, scale, changes)


def title(pair: ShownPair, sample: PairedSample) -> Component:
    """True class, row, the sets it belongs to, and the id of its content."""
    robust = html.Span(
        [f"At ε {pair.comparison.eps_text} ", set_word(sample.robust_set), f" {sample.robust_set}"],
        className="sample-chip",
    )
    clean = html.Span(["Clean ", set_word(sample.set), f" {sample.set}"], className="sample-chip")
    thin = html.Span("On thin ice", className="sample-chip is-ice") if pair.is_on_thin_ice(sample) else None
    copy = html.Button(
        [html.Code(sample.sample_id[:12]), html.Span("Copy", className="copy-word")],
        className="button button-quiet",
        title="Copy the sample's content id (SHA-256)",
        **data(copy=sample.sample_id),
        **aria(label="Copy the sample's content id"),
    )
    heading = html.H1(
        [class_name(pair.dataset, sample.label), html.Span(f"#{sample.index}", className="muted sample-number")],
        className="page-title",
    )
    chips = [chip for chip in (clean, robust, thin) if chip is not None]
    return html.Div([heading, html.Div([*chips, copy], className="sample-chips")], className="sample-title")


def walked(pair: ShownPair, sample: PairedSample, query: dict[str, str]) -> Filters:
    """The list that the arrows walk: the chosen filters; without a set the sample's own, unless all are asked for."""
    filters = pair.filters
    if filters.set is None and query.get("list") != "all":
        return Filters(filters.view, set_of(sample, filters.view), filters.label, filters.is_thin)
    return filters


def toolbar(pair: ShownPair, sample: PairedSample, query: dict[str, str]) -> Component:
    """Previous and next, where we are, blink and the keys."""
    filters = walked(pair, sample, query)
    place = find_place(pair.listed(filters), sample, pair.sort)
    walk = html.Div(
        [
            step(pair, place.before, "ArrowLeft", "previous"),
            html.Span(place_words(pair, filters, place), className="walk-place", **aria(live="polite")),
            step(pair, place.after, "ArrowRight", "next"),
        ],
        className="walk",
    )
    tools = html.Div(
        [
            blink_button(),
            html.Button(["Keys ", html.Kbd("?")], className="button", **data(opens=shell_ids.KEYS, focus="keys")),
            back_link(pair),
        ],
        className="walk-tools",
    )
    return html.Div([walk, tools], className="card toolbar")


def blink_button() -> Component:
    """Shows the clean image in the adversarial's place while pressed (assets/sample.js)."""
    words: list[Content] = ["Blink ", html.Kbd("b")]
    return html.Button(words, id=ids.BLINK, className="button", **aria(pressed="false"), **data(focus="blink"))


def back_link(pair: ShownPair) -> Component:
    href = pair.address("/compare", thin=None, sort=None, list=None)
    link = dcc.Link(["Compare ", html.Kbd("Esc")], href=href, className="button")
    return html.Span(link, **data(key="Escape"))


def step(pair: ShownPair, index: int | None, key: str, word: str) -> Component:
    """A link to a neighbour in the list; a plain word at the ends."""
    arrow = icon("arrow")
    content: list[Content] = [arrow, "Previous"] if word == "previous" else ["Next", arrow]
    if index is None:
        return html.Span(content, className=f"button step step-{word} is-off")
    return html.A(
        content,
        href=pair.address("/sample", index=index),
        className=f"button step step-{word}",
        **data(step=json.dumps({"index": index}), key=key, focus=f"step-{word}"),
    )


def place_words(pair: ShownPair, filters: Filters, place: Place) -> str:
    """`3 of 76 lost, by dense margin`."""
    words = [] if filters.set is None else [SET_WORDS[filters.set]]
    if filters.set is not None and filters.view == "robust":
        words.append("at ε")
    if filters.label is not None:
        words.append(class_name(pair.dataset, filters.label))
    if filters.is_thin:
        words.append("on thin ice")
    kind = ", ".join(words) or "samples"
    total = f"{place.total:,} {kind}"
    number = f"{place.number:,} of {total}" if place.number is not None else f"not among the {total}"
    return f"{number}, by {SORT_WORDS[pair.sort]}"


def strip_card(pair: ShownPair, sample: PairedSample) -> Component:
    marks = [
        StripMark("dense", "dense", sample.dense_margin, sample.dense_prediction != sample.label),
        StripMark("pruned", "pruned", sample.pruned_margin, sample.pruned_prediction != sample.label),
    ]
    strip = margin_strip(
        marks, pair.unit, eps=pair.eps, eps_text=pair.comparison.eps_text, delta=pair.delta, limit=pair.sliders.limit
    )
    words = pair.unit.titled("Margin")
    return html.Section([html.H2(words, className="strip-title"), strip], className="card strip-card")


def scale_bar(pair: ShownPair, shown: Shown, kind: ScaleKind) -> Component | None:
    """The colours of both perturbations, and the choice of what gets the full colour."""
    change = max((one for one in shown.changes.values() if one is not None), default=None)
    if shown.scale is None or change is None:
        return None
    stretched = any(shown.stretch_of(side) is not None for side in shown.changes)
    which = (
        "same scale in both rows, but where a row says that it is stretched" if stretched else "same scale in both rows"
    )
    colours = html.Span(
        className="scale-colours",
        style={"background": f"linear-gradient(90deg, {', '.join(BLUE_TO_RED)})"},
        **aria(hidden="true"),
    )
    parts: list[Content] = [
        html.Span(f"Pixel change, {which}", className="muted"),
        html.Span(f"−{shown.scale_text}", className="nowrap"),
        colours,
        html.Span(f"+{shown.scale_text}", className="nowrap"),
    ]
    # A change that is written like eps (24.999/255) is eps: nothing would be stretched.
    is_smaller = change_text(change, pair.unit) != pair.comparison.eps_text and change < pair.comparison.eps
    if pair.comparison.dense.norm == "Linf" and is_smaller:
        other = {"eps": "change", "change": "eps"}[kind]
        words = {
            "change": f"Stretch to the largest change, {change_text(change, pair.unit)}",
            "eps": f"Lock to ε, {eps_text(pair.comparison.eps, 'Linf')}",
        }[other]
        changes = {"scale": None if other == "eps" else "change"}
        parts.append(html.Button(words, className="chip", **data(go=json.dumps(changes), focus="scale")))
    return html.Div(parts, className="scale-bar")
