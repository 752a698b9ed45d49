"""The list follows the stream and the address, a record polls once a second, and the form queues."""

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx, no_update

from backend.errors import ThinIceError
from backend.schemas.evaluations import EvaluationOut
from backend.services import evaluations
from frontend import ids as shell_ids
from frontend.callbacks import in_thread, query_values
from frontend.components import Content, refusal
from frontend.pages.jobs import cards, ids, queueing, record, table
from frontend.pages.jobs.listing import Listing, read_filter, read_listing
from frontend.rows import Live, live_cells

LISTED = {
    "sentence": Output(ids.SENTENCE, "children"),
    "chips": Output(ids.CHIPS, "children"),
    "table": Output(ids.TABLE, "children"),
    "workers": Output(ids.WORKERS, "children"),
    "state": Output(ids.STATE, "data"),
    "live": Output(ids.LIVE, "data"),
}


def register(app: Dash) -> None:
    """Add the page's callbacks."""
    register_listing(app)
    register_form(app)
    register_record(app)
    cards.register(app)


def register_listing(app: Dash) -> None:
    @app.callback(
        output=LISTED,
        inputs={
            "_tick": Input(ids.POLL, "n_intervals"),
            "_changed": Input(shell_ids.CHANGED, "data"),
            "search": Input(shell_ids.URL, "search"),
            "state": State(ids.STATE, "data"),
            "live": State(ids.LIVE, "data"),
        },
        prevent_initial_call=True,
    )
    @in_thread
    def refresh(
        _tick: int | None, _changed: str | None, search: str | None, state: str | None, live: Live | None
    ) -> dict[str, Content]:
        return renew(search or "", state, live)

    app.clientside_callback(ClientsideFunction("live", "patch"), Input(ids.LIVE, "data"))


def renew(search: str, state: str | None, live: Live | None) -> dict[str, Content]:
    """The whole list where its rows changed, otherwise the cells that did, otherwise nothing."""
    wanted = read_filter(query_values(search))
    listing = read_listing(wanted)
    now = listing.state_of(wanted)
    cells = table.listing_cells(listing)
    if now == state:
        return {**dict.fromkeys(LISTED, no_update), "live": no_update if cells == live else cells}
    return {**list_parts(listing, search), "state": now, "live": cells}


def list_parts(listing: Listing, search: str) -> dict[str, Content]:
    return {
        "sentence": table.summary_sentence(listing),
        "chips": table.filter_chips(listing, read_filter(query_values(search))),
        "table": table.jobs_table(listing),
        "workers": table.workers_list(listing),
    }


def register_form(app: Dash) -> None:
    @app.callback(
        Output(ids.QUEUE_RESULT, "children"),
        Input(ids.QUEUE_GO, "n_clicks"),
        State(ids.QUEUE_CHECKPOINT, "value"),
        State(ids.QUEUE_PRESET, "value"),
        State(ids.QUEUE_NORM, "value"),
        State(ids.QUEUE_EPS, "value"),
        State(ids.QUEUE_SAMPLES, "value"),
        State(ids.QUEUE_SEED, "value"),
        State(ids.QUEUE_REPEAT, "value"),
        prevent_initial_call=True,
    )
    @in_thread
    def send(clicks: int | None, *values: Any) -> Content:
        return send_form(*values) if clicks else no_update

    @app.callback(
        Output(ids.QUEUE_HINT, "children"),
        Output(ids.QUEUE_EPS, "placeholder"),
        Output(ids.QUEUE_NORM, "value"),
        Output(ids.QUEUE_SAMPLES, "max"),
        Input(ids.QUEUE_CHECKPOINT, "value"),
        Input(ids.QUEUE_PRESET, "value"),
        prevent_initial_call=True,
    )
    @in_thread
    def explain(checkpoint_id: str | None, preset: str) -> tuple[Content, Content, Content, Content]:
        dataset = queueing.dataset_of(checkpoint_id)
        if dataset is None:
            return no_update, no_update, no_update, no_update
        norm = dataset.default_norm if ctx.triggered_id == ids.QUEUE_CHECKPOINT else no_update
        return queueing.hint(dataset, preset), dataset.default_eps_text, norm, dataset.size


def send_form(*values: Any) -> Content:
    """Queue it, or say in place why not."""
    try:
        return queueing.accepted(queueing.queue_from_form(*values))
    except ThinIceError as error:
        return refusal(error.message, error.code)


def register_record(app: Dash) -> None:
    @app.callback(
        Output(ids.RECORD_BODY, "children"),
        Output(ids.RECORD_STATE, "data"),
        Output(ids.RECORD_LIVE, "data"),
        Output(ids.RECORD_POLL, "interval"),
        Input(ids.RECORD_POLL, "n_intervals"),
        State(ids.RECORD_ID, "data"),
        State(ids.RECORD_STATE, "data"),
        State(ids.RECORD_LIVE, "data"),
        prevent_initial_call=True,
    )
    @in_thread
    def follow(_tick: int | None, evaluation_id: str, state: str, live: Live | None) -> tuple[Content, ...]:
        return follow_record(evaluations.get_evaluation(evaluation_id), state, live)

    app.clientside_callback(ClientsideFunction("live", "patch"), Input(ids.RECORD_LIVE, "data"))


def follow_record(row: EvaluationOut, state: str, live: Live | None) -> tuple[Content, ...]:
    """The record anew when its state changed, its live cells otherwise; what has ended is asked for seldom."""
    pace = ids.RECORD_POLL_MILLISECONDS * (1 if record.is_followed(row) else 10)
    if row.state != state:
        return record.record_body(row), row.state, no_update, pace
    if not record.is_followed(row):
        return no_update, no_update, no_update, pace
    cells = live_cells([row]) | {f"{row.id}:log": {"text": record.log_text(row.id)}}
    return no_update, no_update, no_update if cells == live else cells, pace
