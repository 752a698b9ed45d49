"""The head of Compare: which two checkpoints, the sentence, and the controls."""

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas.comparisons import ComparisonOut
from backend.schemas.datasets import DatasetOut
from frontend.components import SET_WORDS, SYMBOLS, aria, icon
from frontend.figures.units import Unit
from frontend.pages.compare import ids
from frontend.review.cut import has_margins
from frontend.review.headline import pair_names
from frontend.review.sliders import delta_slider, slider


def pair_title(comparison: ComparisonOut, choices: list[dict[str, str]]) -> Component:
    """The two checkpoints with their colours, and the picker of another pair."""
    title = html.H1(pair_names(comparison), className="page-title pair-title")
    return html.Div([title, picker(comparison, choices), several_link(comparison)], className="pair")


def several_link(comparison: ComparisonOut) -> Component | None:
    """The page that shows others, pruned alike, next to this one; nothing where there are no margins."""
    if not has_margins(comparison):
        return None
    href = f"/several?dense={comparison.dense.id}&like={comparison.pruned.id}"
    return dcc.Link("Compare several", href=href, className="button")


def picker(comparison: ComparisonOut, choices: list[dict[str, str]]) -> Component:
    """Two lists of finished evaluations behind a button."""
    options: Any = choices

    def select(id: str, label: str, value: object) -> Component:
        made: Component = dmc.Select(
            id=id,
            label=label,
            data=options,
            value=str(value),
            searchable=True,
            allowDeselect=False,
            nothingFoundMessage="No such evaluation",
            comboboxProps={"withinPortal": False},
        )
        return made

    body = [
        select(ids.PICK_DENSE, "Dense", comparison.dense.id),
        select(ids.PICK_PRUNED, "Pruned", comparison.pruned.id),
        html.Button("Compare", id=ids.PICK_GO, className="button button-primary"),
    ]
    opener = html.Summary([icon("plus"), "Compare another pair"], className="button")
    return html.Details([opener, html.Div(body, className="picker")], className="picker-holder")


def bar(state: dict[str, Any], unit: Unit, dataset: DatasetOut) -> Component:
    """The controls that stay in sight: eps, the threshold of thin ice, what counts as a flip, class and set."""
    classes: Any = [{"value": str(label), "label": name} for label, name in enumerate(dataset.classes)]
    sets: Any = [{"value": name, "label": f"{SYMBOLS[name]} {SET_WORDS[name]} {name}"} for name in SYMBOLS]
    views: Any = [{"value": "clean", "label": "clean"}, {"value": "robust", "label": "robust at ε"}]
    parts = [
        slider(ids.EPS, ids.EPS_TEXT, "ε", "perturbation size ε", state["eps"], state, unit),
        delta_slider(ids.DELTA, ids.DELTA_TEXT, state["delta"], state, unit),
        html.Div(
            [
                html.Span("Flips", className="control-label", id="compare-view-label"),
                dmc.SegmentedControl(id=ids.VIEW, data=views, value=state["view"], size="xs"),
            ],
            className="control",
        ),
        html.Div(
            [
                filter_select(ids.CLASS, "All classes", "Show one class only", classes, state["label"]),
                filter_select(ids.SET, "All sets", "Show one set only", sets, state["set"]),
            ],
            className="control filters",
        ),
    ]
    chips = html.Div(id=ids.CHIPS, className="bar-chips", hidden=True)
    return html.Div([*parts, chips], id=ids.BAR, className="bar", role="group", **aria(label="What the page shows"))


def filter_select(id: str, placeholder: str, name: str, options: Any, value: str | None) -> Component:
    """A filter as a chip: its list when empty, removable when set."""
    chip: Component = dmc.Select(
        id=id,
        data=options,
        value=value,
        placeholder=placeholder,
        clearable=True,
        size="xs",
        className="filter",
        **aria(label=name),
    )
    return chip
