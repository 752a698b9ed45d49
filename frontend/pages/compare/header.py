"""The head of Compare: where the numbers come from, which two checkpoints, the sentence, and the controls."""

from datetime import datetime
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas import ComparisonOut, DatasetOut, EvaluationOut, TextPart
from frontend import ids
from frontend.components import SET_WORDS, SYMBOLS, Content, aria, dot, icon
from frontend.figures.units import Unit
from frontend.pages.compare.cut import Cut, has_margins

DOUBTS = {"apparent-gain": "apparent-gain", "stronger-attack": "masking"}  # field of a mismatch: flag in Help

EXTRA = "extra-evidence"


def context_line(comparison: ComparisonOut, dataset: DatasetOut, median_eps: str | None) -> Component:
    """Data set, n, norm, preset, seed, date, and whether both sides were attacked with equal effort.

    `median_eps` is the pair's own eps where it was chosen from the margins: nobody asked for it.
    """
    dense, pruned = comparison.dense, comparison.pruned
    facts = [
        dataset.name,
        f"n {comparison.n:,}",
        dense.norm,
        *([] if median_eps is None else [f"ε {median_eps} to start with, chosen: median margin"]),
        both("preset", dense.preset, pruned.preset),
        both("seed", dense.seed, pruned.seed),
        both("", day(dense.finished_at), day(pruned.finished_at)),
    ]
    items = [html.Li(fact) for fact in facts]
    if comparison.equal_effort:
        items.append(html.Li(["equal effort ", icon("check")], className="is-gained strong"))
    else:
        items.append(html.Li([icon("warning"), " unequal effort"], className="is-warning strong"))
    items.append(html.Li(["evaluations ", evaluation_link(dense, "dense"), " and ", evaluation_link(pruned, "pruned")]))
    return html.Ul(items, className="context")


def both(name: str, first: object, second: object) -> str:
    """One value where both sides agree, otherwise the two."""
    values = f"{first}" if first == second else f"{first} / {second}"
    return f"{name} {values}".strip()


def day(moment: datetime | None) -> str:
    return "not finished" if moment is None else f"{moment.day} {moment:%b %Y}"


def evaluation_link(evaluation: EvaluationOut, words: str) -> Component:
    return dcc.Link(words, href=f"/jobs?evaluation={evaluation.id}")


def mismatch_notice(comparison: ComparisonOut) -> Component | None:
    """What differs between the two evaluations and what is doubtful about them, loudly; None where nothing is."""
    loud = [item for item in comparison.mismatches if item.severity == "differs"]
    flagged = [
        html.Li([f"{side.checkpoint_name}: ", dcc.Link(flag, href=f"/help#flag-{flag}")])
        for side in (comparison.dense, comparison.pruned)
        for flag in side.flags
    ]
    if not loud and not flagged:
        return None
    parts: list[Component] = []
    if flagged:
        parts.append(html.Div([html.Strong("Reliability flags were raised."), html.Ul(flagged)]))
    for title, items in (
        ("These margins are in doubt.", [item for item in loud if item.field in DOUBTS]),
        ("Extra evidence on one side.", [item for item in loud if item.field == EXTRA]),
        ("This is not the parent.", [item for item in loud if item.field == "parent"]),
        ("These two were not measured alike.", [item for item in loud if item.field not in (*DOUBTS, EXTRA, "parent")]),
    ):
        if items:
            sentences = [html.Li([item.sentence, *doubt_link(item.field)]) for item in items]
            parts.append(html.Div([html.Strong(title), html.Ul(sentences)]))
    return html.Div([icon("warning"), html.Div(parts)], className="notice", role="note")


def doubt_link(field: str) -> list[Content]:
    """Where Help says what to do about a doubt."""
    return [" ", dcc.Link("What to do", href=f"/help#flag-{DOUBTS[field]}")] if field in DOUBTS else []


def verdict_notice(comparison: ComparisonOut) -> Component | None:
    """What a pair of verdicts is and is not; None where both sides hold margins."""
    if has_margins(comparison):
        return None
    sentence = (
        f"whether an attack found an adversarial within {comparison.eps_text}, not how far away the nearest one is. "
        "So there are no margins here, no thin ice and no curve, and ε stays where it is. The preset margin "
        "measures them."
    )
    parts: list[Content] = [html.Strong(f"Verdicts at ε {comparison.eps_text}: "), sentence]
    return html.Div([icon("help"), html.Div(parts)], className="notice notice-plain", role="note")


def names(comparison: ComparisonOut, choices: list[dict[str, str]]) -> Component:
    """The two checkpoints with their colours, and the picker of another pair."""
    title = html.H1(
        [
            html.Span([dot("dense"), comparison.dense.checkpoint_name], className="name"),
            icon("arrow"),
            html.Span([dot("pruned-1"), comparison.pruned.checkpoint_name], className="name"),
        ],
        className="page-title pair-title",
    )
    return html.Div([title, picker(comparison, choices)], className="pair")


def picker(comparison: ComparisonOut, choices: list[dict[str, str]]) -> Component:
    """Two lists of finished evaluations behind a button."""
    options: Any = choices

    def select(id: str, label: str, value: object) -> Component:
        return dmc.Select(
            id=id,
            label=label,
            data=options,
            value=str(value),
            searchable=True,
            allowDeselect=False,
            nothingFoundMessage="No such evaluation",
            comboboxProps={"withinPortal": False},
        )

    body = [
        select(ids.COMPARE_PICK_DENSE, "Dense", comparison.dense.id),
        select(ids.COMPARE_PICK_PRUNED, "Pruned", comparison.pruned.id),
        html.Button("Compare", id=ids.COMPARE_PICK_GO, className="button button-primary"),
    ]
    opener = html.Summary([icon("plus"), "compare another"], className="button")
    return html.Details([opener, html.Div(body, className="picker")], className="picker-holder")


def sentence(parts: list[TextPart]) -> list[Component]:
    """The headline: what was lost and gained carries its shape and colour, numbers their weight."""
    marks = {"lost": ("▼ ", "is-lost strong"), "gained": ("▲ ", "is-gained strong"), "number": ("", "strong")}
    shown: list[Component] = []
    for part in parts:
        before, style = marks.get(part.emphasis or "", ("", ""))
        shown.append(html.Span(before + part.text, className=style))
    return shown


def scope_words(comparison: ComparisonOut, cut: Cut) -> list[Component]:
    """What the headline does not follow: it speaks of clean flips over all classes."""
    words = []
    if cut.view == "robust":
        counts = comparison.robust
        words.append(
            f"These are clean flips; robust at ε {comparison.eps_text}, {counts.n10:,} of "
            f"{counts.n11 + counts.n10:,} are lost and {counts.n01:,} gained."
        )
    if cut.label is not None:
        words.append("The class cuts the plots and lists below; sentence, tiles and statistics are of all classes.")
    return [html.Span(" " + " ".join(words), className="muted headline-scope")] if words else []


def bar(state: dict[str, Any], unit: Unit, dataset: DatasetOut) -> Component:
    """The controls that stay in sight: eps, the threshold of thin ice, what counts as a flip, class and set."""
    classes: Any = [{"value": str(label), "label": name} for label, name in enumerate(dataset.classes)]
    sets: Any = [{"value": name, "label": f"{SYMBOLS[name]} {SET_WORDS[name]} {name}"} for name in SYMBOLS]
    views: Any = [{"value": "clean", "label": "clean"}, {"value": "robust", "label": "robust at ε"}]
    parts = [
        slider(ids.COMPARE_EPS, ids.COMPARE_EPS_TEXT, "ε", "perturbation size ε", state["eps"], state, unit),
        delta_slider(ids.COMPARE_DELTA, ids.COMPARE_DELTA_TEXT, state["delta"], state, unit),
        html.Div(
            [
                html.Span("flips", className="control-label", id="compare-view-label"),
                dmc.SegmentedControl(id=ids.COMPARE_VIEW, data=views, value=state["view"], size="xs"),
            ],
            className="control",
        ),
        html.Div(
            [
                filter_select(ids.COMPARE_CLASS, "all classes", "Show one class only", classes, state["label"]),
                filter_select(ids.COMPARE_SET, "all sets", "Show one set only", sets, state["set"]),
            ],
            className="control filters",
        ),
    ]
    return html.Div(parts, id=ids.COMPARE_BAR, className="bar", role="group", **aria(label="What the page shows"))


def slider(id: str, text_id: str, label: str, name: str, value: float, state: dict[str, Any], unit: Unit) -> Component:
    """A slider in shown units with its value beside it; the thumb carries the name for those who listen."""
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
    control = slider(id, text_id, "thin ice δ", "thin ice threshold", value, state, unit)
    return html.Div(control, className="control-holder", hidden=not state["has_margins"])


def filter_select(id: str, placeholder: str, name: str, options: Any, value: str | None) -> Component:
    """A filter as a chip: its list when empty, removable when set."""
    return dmc.Select(
        id=id,
        data=options,
        value=value,
        placeholder=placeholder,
        clearable=True,
        size="xs",
        className="filter",
        **aria(label=name),
    )
