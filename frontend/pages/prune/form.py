"""The form: parent, method and how much; training; what happens next. The sparsity is set in percent."""

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas.checkpoints import CheckpointOut
from backend.schemas.datasets import DatasetOut
from backend.schemas.prunings import MethodOut
from backend.services import catalogues
from backend.services.catalogues import DEFAULT_PRESET
from backend.services.prunings import plans
from frontend.components import aria, card
from frontend.pages.prune import ids
from frontend.pages.prune.images import data_hint
from frontend.words import count_words
from models.pruning.plans import BASELINE

USUAL_PERCENT = 90
MARKS = (50, 80, 90, 99)
GRANULARITY_WORDS = {"weight": "individual weights", "filter": "whole filters", "channel": "whole input channels"}
SCHEDULE_WORDS = {"short": "short", "paper": "as in the paper, meant for a GPU"}
LIST: dict[str, Any] = {"allowDeselect": False, "className": "field"}


def find_method(name: str | None) -> MethodOut:
    """The method of that name; the usual one where there is none."""
    items = {row.name: row for row in plans.list_methods().items}
    return items.get(name or "", items[BASELINE])


def cards(parents: Sequence[CheckpointOut], chosen: CheckpointOut) -> list[Component]:
    """The three cards of the form and its foot."""
    method = find_method(BASELINE)
    known = plans.suitable_datasets(chosen.id)
    return [
        card(
            "1. What to prune, and how",
            html.Div(what_fields(parents, chosen, method), className="fields"),
            html.Div(setting_parts(method), id=ids.SETTINGS),
        ),
        card(
            "2. Training",
            html.Div(training_fields(method, known), className="fields"),
            html.Div(data_hint(chosen.id, known), id=ids.DATA_HINT, className="data-hint"),
            dcc.Store(id=ids.FETCHED),
        ),
        card("3. What happens next", html.Div(next_fields(), className="fields")),
    ]


def what_fields(parents: Sequence[CheckpointOut], chosen: CheckpointOut, method: MethodOut) -> list[Component]:
    choices: Any = [{"value": str(row.id), "label": row.name} for row in parents]
    methods: Any = [{"value": row.name, "label": row.title} for row in plans.list_methods().items]
    return [
        dmc.Select(
            id=ids.PARENT, label="Dense checkpoint", data=choices, value=str(chosen.id), searchable=True, **LIST
        ),
        html.Div(
            [
                dmc.Select(id=ids.METHOD, label="Method", data=methods, value=method.name, allowDeselect=False),
                html.Span(method.summary, id=ids.METHOD_HINT, className="under"),
            ],
            className="field",
        ),
        html.Div(sparsity_parts(), id=ids.SPARSITY_BOX, className="field"),
        dmc.Select(id=ids.GRANULARITY, label="What to remove", data=granularities(method), value="weight", **LIST),
    ]


def sparsity_parts() -> list[Component]:
    """A slider, because it is found by trying; half a percent a step."""
    marks: Any = [{"value": value, "label": f"{value}"} for value in MARKS]
    return [
        html.Div(
            ["Sparsity ", html.Span(f"{USUAL_PERCENT} %", id=ids.SPARSITY_WORDS, className="muted")],
            className="mantine-InputWrapper-label",
        ),
        dmc.Slider(
            id=ids.SPARSITY,
            value=USUAL_PERCENT,
            min=10,
            max=99.5,
            step=0.5,
            marks=marks,
            thumbLabel="Sparsity in percent",
            updatemode="mouseup",
        ),
    ]


def granularities(method: MethodOut) -> Any:
    return [{"value": name, "label": GRANULARITY_WORDS[name]} for name in method.granularities]


def setting_parts(method: MethodOut) -> list[Component]:
    """A field for each number of the method's own, folded away; nothing where it has none."""
    if not method.settings:
        return []
    fields: list[Component] = [
        dmc.NumberInput(
            id=ids.setting(row.name),
            label=row.name.replace("_", " "),
            description=f"{row.meaning}; {row.low:g} to {row.high:g}",
            placeholder="not set" if row.default is None else f"{row.default:g}",
            min=row.low,
            max=row.high,
            decimalScale=6,
            allowDecimal=not row.whole,
            hideControls=not row.whole,
            clampBehavior="none",
            className="field",
        )
        for row in method.settings
    ]
    title = html.Summary(f"Settings of {method.title}")
    return [html.Details([title, html.Div(fields, className="fields")], className="own-settings")]


def training_fields(method: MethodOut, known: Sequence[DatasetOut]) -> list[Component]:
    return [
        dmc.Select(
            id=ids.DATA,
            label="Training images",
            data=data_choices(known),
            value=str(known[0].id) if known else None,
            placeholder="no suitable data set",
            **LIST,
        ),
        dmc.Select(id=ids.SCHEDULE, label="Schedule", data=schedules(method), value="short", **LIST),
        dmc.NumberInput(
            id=ids.EPOCHS,
            label="Total epochs",
            placeholder="schedule default",
            min=1,
            max=1000,
            allowDecimal=False,
            className="field",
        ),
        dmc.TextInput(id=ids.EPS, label="Training ε", placeholder="data set default", value="", className="field"),
        dmc.Select(
            id=ids.LOSS,
            label="Loss",
            placeholder="method default",
            data=list(method.losses),
            clearable=True,
            className="field",
        ),
        dmc.NumberInput(id=ids.SEED, label="Seed", value=0, min=0, allowDecimal=False, className="field"),
    ]


def data_choices(known: Sequence[DatasetOut]) -> Any:
    return [{"value": str(row.id), "label": f"{row.name} ({row.split}, {row.size:,})"} for row in known]


def schedules(method: MethodOut) -> Any:
    return [
        {"value": row.name, "label": f"{SCHEDULE_WORDS[row.name]}: {count_words(row.epochs, 'epoch')}"}
        for row in method.schedules
    ]


def next_fields() -> list[Component]:
    presets: Any = [{"value": row.name, "label": row.title} for row in catalogues.list_attacks().presets]
    return [
        dmc.TextInput(id=ids.NAME, label="Name of the result", placeholder="automatic", value="", className="field"),
        dmc.Select(
            id=ids.EVALUATE,
            label="Evaluate afterwards",
            placeholder="not now",
            data=presets,
            value=DEFAULT_PRESET,
            clearable=True,
            className="field",
        ),
    ]


def foot() -> list[Component]:
    """What it will cost, and the button; it waits for training images and says so."""
    go = html.Button(
        "Start pruning", id=ids.GO, className="button button-primary", disabled=True, **aria(describedby=ids.GO_REASON)
    )
    return [
        html.P(id=ids.COST, className="cost", role="status", **aria(live="polite")),
        html.Div([go, html.Span(id=ids.GO_REASON, className="muted", role="status")], className="form-foot"),
        html.Div(id=ids.RESULT, role="alert"),
    ]
