"""The form answers as it is filled in; a run is followed."""

from typing import Any

from dash import ALL, Dash, Input, Output, State, no_update

from backend.errors import ThinIceError
from backend.schemas import ACTIVE
from backend.services import prunings
from backend.services.prunings import plans
from frontend.callbacks import in_thread
from frontend.components import Content, refusal
from frontend.jobs import fingerprint
from frontend.pages.prune import form, names, record
from frontend.pages.prune.request import cost_words, read_form
from models.pruning.plans import CONTROL

VALUES = {
    "parent": names.PARENT,
    "data": names.DATA,
    "method": names.METHOD,
    "sparsity": names.SPARSITY,
    "granularity": names.GRANULARITY,
    "schedule": names.SCHEDULE,
    "epochs": names.EPOCHS,
    "eps": names.EPS,
    "loss": names.LOSS,
    "seed": names.SEED,
}
OWN = names.setting(ALL)
TEXTS = {"name": names.NAME, "evaluate": names.EVALUATE}


def register(app: Dash) -> None:
    """Add the page's callbacks."""
    register_choices(app)
    register_cost(app)
    register_record(app)


def register_choices(app: Dash) -> None:
    """What a method can do, and what a parent can be trained on."""

    @app.callback(
        Output(names.METHOD_HINT, "children"),
        Output(names.GRANULARITY, "data"),
        Output(names.GRANULARITY, "value"),
        Output(names.SCHEDULE, "data"),
        Output(names.SCHEDULE, "value"),
        Output(names.LOSS, "data"),
        Output(names.LOSS, "value"),
        Output(names.LOSS, "disabled"),
        Output(names.SPARSITY_BOX, "hidden"),
        Output(names.SETTINGS, "children"),
        Input(names.METHOD, "value"),
        State(names.GRANULARITY, "value"),
        State(names.SCHEDULE, "value"),
        State(names.LOSS, "value"),
        prevent_initial_call=True,
    )
    @in_thread
    def choose_method(method: str, granularity: str, schedule: str, loss: str | None) -> tuple[Content, ...]:
        return fit_method(method, granularity, schedule, loss)

    @app.callback(
        Output(names.DATA, "data"),
        Output(names.DATA, "value"),
        Output(names.DATA_HINT, "children"),
        Input(names.PARENT, "value"),
        State(names.DATA, "value"),
        prevent_initial_call=True,
    )
    @in_thread
    def choose_parent(parent_id: str, chosen: str | None) -> tuple[Content, Content, Content]:
        known = plans.suitable_datasets(parent_id)
        kept = chosen if chosen in {str(row.id) for row in known} else None
        return form.data_choices(known), kept or (str(known[0].id) if known else None), form.data_hint(known)


def fit_method(name: str, granularity: str, schedule: str, loss: str | None) -> tuple[Content, ...]:
    """What depends on the method; a choice that it does not have goes back to the usual one."""
    method = form.find_method(name)
    is_fixed = len(method.losses) == 1
    return (
        method.summary,
        form.granularities(method),
        granularity if granularity in method.granularities else "weight",
        form.schedules(method),
        schedule if schedule in {row.name for row in method.schedules} else "short",
        list(method.losses),
        None if is_fixed else loss,
        is_fixed,
        method.name == CONTROL,
        form.setting_parts(method),
    )


def pair_settings(ids: list[dict[str, str]], numbers: list[float | str | None]) -> dict[str, Any]:
    """The method's own numbers by name, None where a field is empty."""
    return {id["name"]: number for id, number in zip(ids, numbers, strict=True)}


def register_cost(app: Dash) -> None:
    """The estimate after every change, and the button."""

    @app.callback(
        output={
            "cost": Output(names.COST, "children"),
            "name": Output(names.NAME, "placeholder"),
            "percent": Output(names.SPARSITY_WORDS, "children"),
        },
        inputs={"own": Input(OWN, "value")} | {name: Input(id, "value") for name, id in VALUES.items()},
        state={"own_ids": State(OWN, "id")},
    )
    @in_thread
    def estimate(own: list[Any], own_ids: list[Any], **values: Any) -> dict[str, Content]:
        cost, name = cost_words({**values, "settings": pair_settings(own_ids, own), "name": None, "evaluate": None})
        return {"cost": cost, "name": name, "percent": f"{values['sparsity']:g} %"}

    @app.callback(
        output=Output(names.ANSWER, "children"),
        inputs={"clicks": Input(names.GO, "n_clicks")},
        state={"own": State(OWN, "value"), "own_ids": State(OWN, "id")}
        | {name: State(id, "value") for name, id in (VALUES | TEXTS).items()},
        prevent_initial_call=True,
    )
    @in_thread
    def send(clicks: int | None, own: list[Any], own_ids: list[Any], **values: Any) -> Content:
        return answer_form({**values, "settings": pair_settings(own_ids, own)}) if clicks else no_update


def answer_form(values: dict[str, Any]) -> Content:
    """Queue it, or say in place why not."""
    try:
        return record.accepted(prunings.queue_pruning(read_form(values)))
    except ThinIceError as error:
        return refusal(error.message, error.code)


def register_record(app: Dash) -> None:
    @app.callback(
        Output(names.RECORD, "children"),
        Output(names.RECORD_SEEN, "data"),
        Output(names.RECORD_POLL, "interval"),
        Input(names.RECORD_POLL, "n_intervals"),
        State(names.RECORD_ID, "data"),
        State(names.RECORD_SEEN, "data"),
        prevent_initial_call=True,
    )
    @in_thread
    def follow(_tick: int | None, pruning_id: str, seen: str | None) -> tuple[Content, ...]:
        row = prunings.get_pruning(pruning_id)
        pace = names.POLL_MILLISECONDS * (1 if row.state in ACTIVE else 10)
        now = fingerprint([row])
        return (no_update, no_update, pace) if now == seen else (record.record_body(row), now, pace)
