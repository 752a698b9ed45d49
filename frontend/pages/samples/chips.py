"""The chips that cut the wall: each says how many samples are behind it, and removes itself when pressed again."""

import json
from dataclasses import replace

from dash import html
from dash.development.base_component import Component

from frontend.components import SET_CLASSES, SET_WORDS, SYMBOLS, Content, aria, data, icon
from frontend.review.cut import View
from frontend.review.walk import SETS, SORT_WORDS, Filters, ShownPair
from frontend.review.words import class_name

MANY_CLASSES = 12  # more of them fold away
NO_FILTERS: dict[str, str | None] = dict.fromkeys(("set", "view", "class", "thin", "shown"))


def chip_rows(pair: ShownPair) -> list[Component]:
    """One row of chips per question."""
    places = range(len(SETS))
    return [
        chip_row("Clean", [set_chip(pair, "clean", place) for place in places]),
        chip_row(f"At ε {pair.comparison.eps_text}", [set_chip(pair, "robust", place) for place in places]),
        chip_row("Margin", [*thin_chip(pair), *clear_chip(pair)]),
        class_row(pair),
    ]


def delta_text(pair: ShownPair) -> str:
    """The threshold as its slider writes it."""
    return f"{round(pair.delta, 1):g}/255" if pair.unit.counts_steps else f"{round(pair.delta, 3):g}"


def chip_row(name: str, chips: list[Component]) -> Component:
    return html.Div(
        [html.Span(name, className="control-label"), html.Div(chips, className="chips")], className="chip-row"
    )


def filter_chip(
    name: str, words: Content, count: int, is_on: bool, changes: dict[str, str | None], key: str = ""
) -> Component:
    """A filter with its count: pressed while it holds, and pressed again to remove it.

    Args:
        name: unique on the page; the focus finds its way back by it.
        key: what presses it on the keyboard.
    """
    parts: list[Content] = [words, html.Span(f"{count:,}", className="chip-count")]
    if is_on:
        parts.append(icon("close"))
    return html.Button(
        parts,
        className=f"filter-chip {'is-empty' if count == 0 else ''}".strip(),
        **aria(pressed="true" if is_on else "false"),
        **data(go=json.dumps({"shown": None, **changes}), focus=name, **({"key": key} if key else {})),
    )


def set_chip(pair: ShownPair, view: View, place: int) -> Component:
    name = SETS[place]
    is_on = pair.filters.set == name and pair.filters.view == view
    changes: dict[str, str | None] = {"set": None, "view": None}
    if not is_on:
        changes = {"set": name, "view": None if view == "clean" else view}
    words = html.Span(f"{SYMBOLS[name]} {SET_WORDS[name]}", className=SET_CLASSES[name])
    count = pair.counted(set=name, view=view)
    return filter_chip(f"{view}-{name}", words, count, is_on, changes, str(place + 1) if view == "clean" else "")


def thin_chip(pair: ShownPair) -> list[Component]:
    """Nothing where distances only witness that eps is enough: no ice can be told from them."""
    if not pair.has_margins:
        return [html.Span("verdicts at a single ε: no margins, so no thin ice", className="muted small")]
    is_on = pair.filters.is_thin
    words = f"on thin ice, up to {delta_text(pair)}"
    return [filter_chip("thin", words, pair.counted(is_thin=True), is_on, {"thin": None if is_on else "1"}, "t")]


def clear_chip(pair: ShownPair) -> list[Component]:
    """Removes every filter at once; nothing where none is set."""
    if pair.filters == replace(Filters(), view=pair.filters.view):
        return []
    return [
        html.Button(
            ["Clear all ", html.Kbd("Esc")],
            className="button button-quiet",
            **data(go=json.dumps(NO_FILTERS), key="Escape", focus="clear"),
        )
    ]


def class_row(pair: ShownPair) -> Component:
    """A chip per class; folded away where there are many and none is chosen."""
    labels = sorted({sample.label for sample in pair.samples})
    chips = []
    for label in labels:
        is_on = pair.filters.label == label
        changes = {"class": None if is_on else str(label)}
        chips.append(
            filter_chip(f"class-{label}", class_name(pair.dataset, label), pair.counted(label=label), is_on, changes)
        )
    if len(labels) <= MANY_CLASSES:
        return chip_row("Class", chips)
    chosen = [chip for chip, label in zip(chips, labels, strict=True) if label == pair.filters.label]
    folded = html.Details([html.Summary(f"All {len(labels)} classes"), html.Div(chips, className="chips")])
    return chip_row("Class", [*chosen, folded])


def sort_choice(pair: ShownPair) -> Component | None:
    """How the wall is sorted; nothing to choose where there are no margins."""
    if not pair.has_margins:
        return None
    buttons = [
        html.Button(
            words,
            className="sort",
            **aria(pressed="true" if pair.sort == name else "false"),
            **data(go=json.dumps({"sort": None if name == "dense" else name, "shown": None}), focus=f"sort-{name}"),
        )
        for name, words in SORT_WORDS.items()
    ]
    label = html.Span("Sort by", className="control-label")
    return html.Div(
        [label, html.Div(buttons, className="sorts")], className="control", role="group", **aria(label="Sort")
    )
