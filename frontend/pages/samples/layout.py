"""The wall: every sample of a pair as a thumbnail, cut by chips that say how many are behind them."""

import json
from dataclasses import replace
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from backend.schemas import PairedSample
from backend.services import comparisons, evaluations
from frontend.components import SET_CLASSES, SET_WORDS, SYMBOLS, Content, aria, data, dot, empty_state, icon, set_word
from frontend.pages.compare.cut import View, set_of
from frontend.pages.compare.flipped import class_name, margins_text
from frontend.pages.compare.header import context_line, mismatch_notice, slider
from frontend.pages.samples.walk import SETS, SORT_WORDS, STATE_KEYS, Filters, Pair, load_pair

SAMPLES = "samples"
BAR = "samples-bar"
PAIR = "samples-pair"
EPS, EPS_TEXT = "samples-eps", "samples-eps-text"
DELTA, DELTA_TEXT = "samples-delta", "samples-delta-text"
WALL = "samples-wall"
KEYS = ("dense", "pruned", "shown", *STATE_KEYS)

PAGE_SIZE = 120
MANY_CLASSES = 12  # more of them fold away

KEY_WORDS = {
    "1  2  3  4": "only the kept, lost, gained or never; once more: all",
    "t": "only those on thin ice; once more: all",
    "Esc": "remove every filter",
    "←  →  ↑  ↓": "from one sample to the next",
    "Enter": "open the sample",
}


def complete(query: dict[str, str]) -> dict[str, str] | None:
    """The query with a pair filled in, where it has none and one exists."""
    if query.get("dense") and query.get("pruned"):
        return None
    pairs = comparisons.default_pairs()
    if not pairs:
        return None
    return {**query, "dense": str(pairs[0][0].id), "pruned": str(pairs[0][1].id)}


def register(app: Dash) -> None:
    """The sliders move the address (assets/sample.js), which builds the page anew."""

    def browser(name: str) -> ClientsideFunction:
        return ClientsideFunction("samples", name)

    for key, slider_id, text_id in (("eps", EPS, EPS_TEXT), ("delta", DELTA, DELTA_TEXT)):
        app.clientside_callback(
            browser(key),
            Output(text_id, "children"),
            Input(slider_id, "value"),
            State(PAIR, "data"),
            prevent_initial_call=True,
        )


def layout(**query: str) -> Component:
    """The page for a pair; without one, how to get one."""
    if not (query.get("dense") and query.get("pruned")):
        return nothing_yet()
    pair = load_pair(query)
    listed = pair.listed()
    state = browser_state(pair)
    parts = [
        dcc.Store(id=PAIR, data=state),
        context_line(pair.comparison, pair.dataset),
        names(pair),
        mismatch_notice(pair.comparison),
        html.P(sentence(pair, len(listed)), className="headline", **aria(live="polite")),
        bar(pair, state),
        order_note(pair, listed),
        wall_card(pair, listed, read_shown(query.get("shown"))),
    ]
    return html.Div([part for part in parts if part is not None], id=SAMPLES, className="samples-page")


def nothing_yet() -> Component:
    heading = html.H1("Samples", className="page-title")
    running = evaluations.list_evaluations(limit=1, state="running").total
    words = "No pair of evaluations is finished yet, so there are no samples to set side by side."
    action, href = ("See the jobs", "/jobs") if running else ("Upload a checkpoint", "/upload")
    return html.Div([heading, empty_state(words, action, href)], className="samples-page")


def browser_state(pair: Pair) -> dict[str, Any]:
    """What the sliders need, in shown units."""
    return {
        "scale": pair.unit.scale,
        "suffix": "/255" if pair.unit.counts_steps else "",
        "has_margins": pair.has_margins,
        "limit": pair.limit,
        "step": pair.step,
        "eps": pair.eps,
        "delta": pair.delta,
    }


def read_shown(text: str | None) -> int:
    """How many thumbnails are asked for: the first ones, unless the address says more."""
    return max(PAGE_SIZE, int(text)) if text and text.isdecimal() and len(text) < 7 else PAGE_SIZE


def names(pair: Pair) -> Component:
    """The two checkpoints, and the way to their comparison."""
    heading = html.H1(
        [
            html.Span([dot("dense"), pair.comparison.dense.checkpoint_name], className="name"),
            icon("arrow"),
            html.Span([dot("pruned-1"), pair.comparison.pruned.checkpoint_name], className="name"),
        ],
        className="page-title pair-title",
    )
    compare = dcc.Link("Compare", href=pair.address("/compare", thin=None, sort=None, list=None), className="button")
    return html.Div([heading, compare], className="pair")


def sentence(pair: Pair, count: int) -> list[Content]:
    """What the wall shows, in words."""
    total = len(pair.samples)
    number = html.Strong(f"{count:,} of {total:,}" if count < total else f"all {total:,}")
    words = filter_words(pair)
    which = f" that are {', '.join(words)}" if words else ""
    return ["Showing ", number, f" samples{which}, sorted by {SORT_WORDS[pair.sort]}."]


def order_note(pair: Pair, listed: list[PairedSample]) -> Component | None:
    """Why samples without a margin stand between others; nothing where there are none."""
    if pair.sort != "dense" or all(sample.dense_margin != 0 for sample in listed):
        return None
    words = "Where the dense model is wrong already, a sample stands where that wrong answer would change."
    return html.P(words, className="footnote")


def filter_words(pair: Pair) -> list[str]:
    """What a listed sample is, one phrase per filter."""
    filters, words = pair.filters, []
    if filters.set is not None:
        at = f" at ε {pair.comparison.eps_text}" if filters.view == "robust" else ""
        words.append(f"{SET_WORDS[filters.set]}{at}")
    if filters.label is not None:
        words.append(f"of class {class_name(pair.dataset, filters.label)}")
    if filters.is_thin:
        words.append(f"on thin ice (up to {delta_text(pair)})")
    return words


def delta_text(pair: Pair) -> str:
    """The threshold as its slider writes it."""
    return f"{round(pair.delta, 1):g}/255" if pair.unit.counts_steps else f"{round(pair.delta, 3):g}"


def bar(pair: Pair, state: dict[str, Any]) -> Component:
    """Sliders, and one row of chips per question."""
    sliders = [
        slider(EPS, EPS_TEXT, "ε", "perturbation size ε", pair.eps, state, pair.unit),
        slider(DELTA, DELTA_TEXT, "thin ice δ", "thin ice threshold", pair.delta, state, pair.unit),
        sort_choice(pair),
    ]
    rows = [
        html.Div(sliders, className="samples-sliders"),
        chip_row("clean", [set_chip(pair, "clean", place) for place in range(len(SETS))]),
        chip_row(f"at ε {pair.comparison.eps_text}", [set_chip(pair, "robust", place) for place in range(len(SETS))]),
        chip_row("margin", [*thin_chip(pair), *clear_chip(pair)]),
        class_row(pair),
    ]
    return html.Div(rows, id=BAR, className="card samples-bar", role="group", **aria(label="Which samples"))


def chip_row(name: str, chips: list[Component]) -> Component:
    return html.Div(
        [html.Span(name, className="control-label"), html.Div(chips, className="chips")], className="chip-row"
    )


def filter_chip(words: Content, count: int, is_on: bool, changes: dict[str, str | None], key: str = "") -> Component:
    """A filter with its count: pressed while it holds, and pressed again to remove it. `key`: on the keyboard."""
    parts: list[Content] = [words, html.Span(f"{count:,}", className="chip-count")]
    if is_on:
        parts.append(icon("close"))
    return html.Button(
        parts,
        className=f"filter-chip {'is-empty' if count == 0 else ''}".strip(),
        **aria(pressed="true" if is_on else "false"),
        **data(go=json.dumps({"shown": None, **changes}), **({"key": key} if key else {})),
    )


def set_chip(pair: Pair, view: View, place: int) -> Component:
    name = SETS[place]
    is_on = pair.filters.set == name and pair.filters.view == view
    changes = {"set": None, "view": None} if is_on else {"set": name, "view": None if view == "clean" else view}
    words = html.Span(f"{SYMBOLS[name]} {SET_WORDS[name]}", className=SET_CLASSES[name])
    count = pair.counted(set=name, view=view)
    return filter_chip(words, count, is_on, changes, str(place + 1) if view == "clean" else "")


def thin_chip(pair: Pair) -> list[Component]:
    """Nothing where distances only witness that eps is enough: no ice can be told from them."""
    if not pair.has_margins:
        return [html.Span("verdicts at one ε: no margins, so no thin ice", className="muted small")]
    is_on = pair.filters.is_thin
    words = f"on thin ice, up to {delta_text(pair)}"
    return [filter_chip(words, pair.counted(is_thin=True), is_on, {"thin": None if is_on else "1"}, "t")]


def clear_chip(pair: Pair) -> list[Component]:
    """Removes every filter at once; nothing where none is set."""
    if pair.filters == replace(Filters(), view=pair.filters.view):
        return []
    changes = {"set": None, "view": None, "class": None, "thin": None, "shown": None}
    return [
        html.Button(
            ["clear all ", html.Kbd("Esc")],
            className="button button-quiet",
            **data(go=json.dumps(changes), key="Escape"),
        )
    ]


def class_row(pair: Pair) -> Component:
    """A chip per class; folded away where there are many and none is chosen."""
    labels = sorted({sample.label for sample in pair.samples})
    chips = []
    for label in labels:
        is_on = pair.filters.label == label
        changes = {"class": None if is_on else str(label)}
        chips.append(filter_chip(class_name(pair.dataset, label), pair.counted(label=label), is_on, changes))
    if len(labels) <= MANY_CLASSES:
        return chip_row("class", chips)
    chosen = [chip for chip, label in zip(chips, labels, strict=True) if label == pair.filters.label]
    folded = html.Details([html.Summary(f"all {len(labels)} classes"), html.Div(chips, className="chips")])
    return chip_row("class", [*chosen, folded])


def sort_choice(pair: Pair) -> Component:
    buttons = [
        html.Button(
            words,
            className="sort",
            **aria(pressed="true" if pair.sort == name else "false"),
            **data(go=json.dumps({"sort": None if name == "dense" else name, "shown": None})),
        )
        for name, words in SORT_WORDS.items()
    ]
    label = html.Span("sorted by", className="control-label")
    return html.Div(
        [label, html.Div(buttons, className="sorts")], className="control", role="group", **aria(label="Sort")
    )


def wall_card(pair: Pair, listed: list[PairedSample], shown: int) -> Component:
    """The thumbnails, the first ones at once and more on request."""
    if not listed:
        return html.Section(nothing_listed(pair), className="card")
    tiles = [tile(pair, sample) for sample in listed[:shown]]
    parts: list[Component] = [html.H2("Samples", className="hidden-label"), html.Div(tiles, id=WALL, className="wall")]
    left = len(listed) - len(tiles)
    if left > 0:
        more = {"shown": str(len(tiles) + PAGE_SIZE)}
        words = f"Show {min(PAGE_SIZE, left)} more"
        button = html.Button(words, className="button", **data(**{"go-replace": json.dumps(more)}))
        parts.append(
            html.Div([button, html.Span(f"{left:,} not shown", className="muted small")], className="wall-more")
        )
    return html.Section(parts, className="card")


def nothing_listed(pair: Pair) -> list[Component]:
    changes = {"set": None, "view": None, "class": None, "thin": None, "shown": None}
    return [
        html.P(f"No sample is {', '.join(filter_words(pair))}.", className="muted"),
        html.Div(
            html.Button("Show all samples", className="button", **data(go=json.dumps(changes))), className="wall-more"
        ),
    ]


def tile(pair: Pair, sample: PairedSample) -> Component:
    """Picture, true label, what became of it, margin and row; a link to the sample in this very list."""
    name = set_of(sample, pair.filters.view)
    label = class_name(pair.dataset, sample.label)
    picture = html.Img(
        src=f"/api/v1/datasets/{pair.dataset.id}/samples/{sample.index}.png",
        alt=f"{label}, sample {sample.index}",
        className="pixels",
    )
    thin = "tile-margin is-thin" if pair.is_on_thin_ice(sample) else "tile-margin"
    parts = [
        picture,
        html.Span([set_word(name), f"#{sample.index}"], className="tile-foot"),
        html.Span(labels(pair, sample, label), className="tile-labels"),
        html.Span(html.Span(margins_text(sample, pair.unit), className=thin), className="tile-foot"),
    ]
    extra = {} if pair.filters.set is not None else {"list": "all"}
    return dcc.Link(html.Div(parts), href=pair.address("/sample", index=sample.index, **extra), className="tile")


def labels(pair: Pair, sample: PairedSample, label: str) -> list[Content]:
    """The true label, and the wrong one where one of the two models gives one."""
    wrong = sample.pruned_prediction if sample.pruned_prediction != sample.label else sample.dense_prediction
    if wrong == sample.label:
        return [html.Strong(label)]
    return [html.Strong(label), " → ", class_name(pair.dataset, wrong)]
