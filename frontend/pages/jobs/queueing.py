"""The form that queues an evaluation."""

from typing import Any, get_args
from uuid import UUID

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component
from pydantic import ValidationError

from backend.errors import InvalidRequest, NotFound
from backend.schemas import Norm
from backend.schemas.checkpoints import CheckpointOut
from backend.schemas.datasets import DatasetOut
from backend.schemas.evaluations import EvaluationIn, EvaluationOut
from backend.services import catalogues, checkpoints, datasets, evaluations
from backend.services.catalogues import DEFAULT_PRESET
from frontend.components import Content, icon
from frontend.lists import read_list
from frontend.pages.jobs import ids
from frontend.words import count_words

DEFAULT_SAMPLES = 500


def queue_card(query: dict[str, str]) -> Component:
    """The form, folded away until it is wanted: `?new=<checkpoint>` opens it, with `&preset=` and `&n=` filled in."""
    chosen = query.get("new") or query.get("checkpoint")
    rows = read_list(checkpoints.list_checkpoints)
    if not rows:
        words: list[Content] = [
            "There is no checkpoint to evaluate yet. ",
            dcc.Link("Upload one", href="/upload"),
            ".",
        ]
        return html.P(words, className="muted")
    picked = next((row for row in rows if str(row.id) == chosen), rows[0])
    dataset = datasets.get_dataset(str(picked.dataset_id))
    head = html.Summary([icon("plus"), "Queue an evaluation"], className="fold-head")
    body = html.Div(
        [
            html.Div(fields(rows, picked, dataset, query), className="fields"),
            html.P(hint(dataset, chosen_preset(query)), id=ids.QUEUE_HINT, className="footnote"),
            html.Div([html.Button("Queue", id=ids.QUEUE_GO, className="button button-primary")], className="form-foot"),
            html.Div(id=ids.QUEUE_RESULT, role="alert"),
        ],
        className="fold-body",
    )
    return html.Details([head, body], id=ids.QUEUE, className="card fold", open=bool(query.get("new")))


def fields(
    rows: list[CheckpointOut], picked: CheckpointOut, dataset: DatasetOut, query: dict[str, str]
) -> list[Component]:
    choices: Any = [{"value": str(row.id), "label": row.name} for row in rows]
    presets: Any = [{"value": row.name, "label": row.title} for row in catalogues.list_attacks().presets]
    norms: Any = [{"value": name, "label": name} for name in get_args(Norm)]
    select: dict[str, Any] = {"allowDeselect": False, "className": "field"}
    return [
        dmc.Select(
            id=ids.QUEUE_CHECKPOINT, label="Checkpoint", data=choices, value=str(picked.id), searchable=True, **select
        ),
        dmc.Select(id=ids.QUEUE_PRESET, label="Preset", data=presets, value=chosen_preset(query), **select),
        dmc.Select(id=ids.QUEUE_NORM, label="Norm", data=norms, value=dataset.default_norm, **select),
        dmc.TextInput(id=ids.QUEUE_EPS, label="ε", placeholder=dataset.default_eps_text, value="", className="field"),
        dmc.NumberInput(
            id=ids.QUEUE_SAMPLES,
            label="Samples (n)",
            value=chosen_samples(query, dataset),
            min=1,
            max=dataset.size,
            allowDecimal=False,
            thousandSeparator=",",
            className="field",
        ),
        dmc.NumberInput(id=ids.QUEUE_SEED, label="Seed", value=0, min=0, allowDecimal=False, className="field"),
        dmc.NumberInput(
            id=ids.QUEUE_REPEAT, label="Total seeds", value=1, min=1, max=10, allowDecimal=False, className="field"
        ),
    ]


def chosen_preset(query: dict[str, str]) -> str:
    """The preset of the address where it exists."""
    known = [row.name for row in catalogues.list_attacks().presets]
    return query["preset"] if query.get("preset") in known else DEFAULT_PRESET


def chosen_samples(query: dict[str, str], dataset: DatasetOut) -> int:
    """The number of samples of the address where it is one."""
    wanted = query.get("n", "")
    return min(int(wanted) if wanted.isdecimal() and int(wanted) else DEFAULT_SAMPLES, dataset.size)


def hint(dataset: DatasetOut, preset: str) -> str:
    """What the chosen preset does and what empty fields mean."""
    found = next((row for row in catalogues.list_attacks().presets if row.name == preset), None)
    described = "" if found is None else f"{found.description} "
    return (
        f"{described}The evaluation uses the first n of {count_words(dataset.size, 'sample')}, rows 0 to n-1, so "
        f"larger sets contain the smaller ones. Leave ε empty to use the default of {dataset.name}, "
        f"{dataset.default_norm} {dataset.default_eps_text}."
    )


def queue_from_form(
    checkpoint_id: str | None, preset: str, norm: str, eps: str | None, samples: Any, seed: Any, repeat: Any = 1
) -> EvaluationOut:
    """Queue what the form says; with `repeat` once for each seed from `seed` on, and the first is given back.

    Raises:
        InvalidRequest: a field is empty or no number; and what `evaluations.queue_evaluation` raises.
    """
    if not checkpoint_id:
        raise InvalidRequest("Choose a checkpoint first.")
    checkpoint = checkpoints.get_checkpoint(checkpoint_id)
    try:
        wanted = EvaluationIn(
            checkpoint_id=UUID(checkpoint_id),
            dataset_id=str(checkpoint.dataset_id),
            samples=samples,
            norm=next((name for name in get_args(Norm) if name == norm), "Linf"),
            eps=(eps or "").strip() or None,
            preset=preset,
            seed=seed,
            repeat=repeat,
        )
    except ValidationError as error:
        fields_named = {"samples": "the number of samples", "seed": "the seed", "repeat": "the number of seeds"}
        wrong = sorted({fields_named.get(str(part["loc"][0]), str(part["loc"][0])) for part in error.errors()})
        raise InvalidRequest(f"Please enter a whole number for {' and '.join(wrong)}.") from error
    return evaluations.queue_evaluation(wanted)


def accepted(row: EvaluationOut) -> Content:
    words = f"Queued: {row.checkpoint_name}, {row.preset}, n {row.n:,}. "
    return html.P(
        [icon("check"), words, dcc.Link("Open the record", href=f"/jobs?evaluation={row.id}")], className="accepted"
    )


def dataset_of(checkpoint_id: str | None) -> DatasetOut | None:
    """The data set of a checkpoint; None where the checkpoint is gone."""
    if not checkpoint_id:
        return None
    try:
        return datasets.get_dataset(str(checkpoints.get_checkpoint(checkpoint_id).dataset_id))
    except NotFound:
        return None
