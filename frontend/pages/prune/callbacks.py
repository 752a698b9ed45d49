"""The form reacts while it is filled in; a run is followed."""

from typing import Any

from dash import ALL, Dash, Input, Output, State, no_update

from backend.errors import ThinIceError
from backend.schemas import ACTIVE
from backend.services import prunings
from backend.services.prunings import plans
from frontend.callbacks import in_thread
from frontend.components import Content, refusal
from frontend.jobs import fingerprint
from frontend.pages.prune import form, ids, images, record
from frontend.pages.prune.request import cost_words, read_form
from models.pruning.plans import CONTROL

VALUES = {
    "parent": ids.PARENT,
    "data": ids.DATA,
    "method": ids.METHOD,
    "sparsity": ids.SPARSITY,
    "granularity": ids.GRANULARITY,
    "schedule": ids.SCHEDULE,
    "epochs": ids.EPOCHS,
    "eps": ids.EPS,
    "loss": ids.LOSS,
    "seed": ids.SEED,
}
OWN = ids.setting(ALL)
TEXTS = {"name": ids.NAME, "evaluate": ids.EVALUATE}


def register(app: Dash) -> None:
    """Add the page's callbacks."""
    register_choices(app)
    register_cost(app)
    register_record(app)
    images.register(app)


def register_choices(app: Dash) -> None:
    """What a method can do, and what a parent can be trained on."""

    @app.callback(
        Output(ids.METHOD_HINT, "children"),
        Output(ids.GRANULARITY, "data"),
        Output(ids.GRANULARITY, "value"),
        Output(ids.SCHEDULE, "data"),
        Output(ids.SCHEDULE, "value"),
        Output(ids.LOSS, "data"),
        Output(ids.LOSS, "value"),
        Output(ids.LOSS, "disabled"),
        Output(ids.SPARSITY_BOX, "hidden"),
        Output(ids.SETTINGS, "children"),
        Input(ids.METHOD, "value"),
        State(ids.GRANULARITY, "value"),
        State(ids.SCHEDULE, "value"),
        State(ids.LOSS, "value"),
        prevent_initial_call=True,
    )
    @in_thread
    def choose_method(method: str, granularity: str, schedule: str, loss: str | None) -> tuple[Content, ...]:
        return fit_method(method, granularity, schedule, loss)

    @app.callback(
        Output(ids.DATA, "data"),
        Output(ids.DATA, "value"),
        Output(ids.DATA_HINT, "children"),
        Input(ids.PARENT, "value"),
        Input(ids.FETCHED, "data"),
        State(ids.DATA, "value"),
        prevent_initial_call=True,
    )
    @in_thread
    def choose_parent(parent_id: str, _fetched: str | None, chosen: str | None) -> tuple[Content, Content, Content]:
        known = plans.suitable_datasets(parent_id)
        kept = chosen if chosen in {str(row.id) for row in known} else None
        value = kept or (str(known[0].id) if known else None)
        return form.data_choices(known), value, images.data_hint(parent_id, known)


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
            "cost": Output(ids.COST, "children"),
            "name": Output(ids.NAME, "placeholder"),
            "percent": Output(ids.SPARSITY_WORDS, "children"),
            "waits": Output(ids.GO, "disabled"),
            "reason": Output(ids.GO_REASON, "children"),
        },
        inputs={"own": Input(OWN, "value")} | {name: Input(id, "value") for name, id in VALUES.items()},
        state={"own_ids": State(OWN, "id")},
    )
    @in_thread
    def estimate(own: list[Any], own_ids: list[Any], **values: Any) -> dict[str, Content]:
        cost, name = cost_words({**values, "settings": pair_settings(own_ids, own), "name": None, "evaluate": None})
        reason = None if values["data"] else images.missing_words(values["parent"])
        percent = f"{values['sparsity']:g} %"
        return {"cost": cost, "name": name, "percent": percent, "waits": reason is not None, "reason": reason}

    @app.callback(
        output=Output(ids.RESULT, "children"),
        inputs={"clicks": Input(ids.GO, "n_clicks")},
        state={"own": State(OWN, "value"), "own_ids": State(OWN, "id")}
        | {name: State(id, "value") for name, id in (VALUES | TEXTS).items()},
        prevent_initial_call=True,
    )
    @in_thread
    def send(clicks: int | None, own: list[Any], own_ids: list[Any], **values: Any) -> Content:
        return send_form({**values, "settings": pair_settings(own_ids, own)}) if clicks else no_update


def send_form(values: dict[str, Any]) -> Content:
    """Queue it, or say in place why not."""
    try:
        return record.accepted(prunings.queue_pruning(read_form(values)))
    except ThinIceError as error:
        return refusal(error.message, error.code)


def register_record(app: Dash) -> None:
    @app.callback(
        Output(ids.RECORD, "children"),
        Output(ids.RECORD_SEEN, "data"),
        Output(ids.RECORD_POLL, "interval"),
        Input(ids.RECORD_POLL, "n_intervals"),
        State(ids.RECORD_ID, "data"),
        State(ids.RECORD_SEEN, "data"),
        prevent_initial_call=True,
    )
    @in_thread
    def follow(_tick: int | None, pruning_id: str, seen: str | None) -> tuple[Content, ...]:
        row = prunings.get_pruning(pruning_id)
        pace = ids.POLL_MILLISECONDS * (1 if row.state in ACTIVE else 10)
        now = fingerprint([row])
        return (no_update, no_update, pace) if now == seen else (record.record_body(row), now, pace)
