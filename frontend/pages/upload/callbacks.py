"""The browser sends the file and the form (assets/upload.js); the server follows what became of the checkpoint."""

from dash import ClientsideFunction, Dash, Input, Output, State, no_update

from backend.schemas import ACTIVE
from backend.services import checkpoints
from frontend.callbacks import in_thread
from frontend.components import Content
from frontend.pages.upload import bundle, ids, sheet
from frontend.rows import Live

SLOW_MILLISECONDS = 10_000


def register(app: Dash) -> None:
    """Add the page's callbacks."""
    register_browser(app)
    bundle.register(app)

    @app.callback(
        Output(ids.SHEET, "children"),
        Output(ids.SHEET_STATE, "data"),
        Output(ids.SHEET_LIVE, "data"),
        Output(ids.SHEET_POLL, "interval"),
        Input(ids.SHEET_POLL, "n_intervals"),
        State(ids.CHECKPOINT_ID, "data"),
        State(ids.SHEET_STATE, "data"),
        State(ids.SHEET_LIVE, "data"),
        prevent_initial_call=True,
    )
    @in_thread
    def follow(_tick: int | None, checkpoint_id: str, state: str, live: Live | None) -> tuple[Content, ...]:
        return follow_sheet(checkpoint_id, state, live)


def follow_sheet(checkpoint_id: str, state: str, live: Live | None) -> tuple[Content, ...]:
    """The sheet anew when the pre-flight or a job moved on, its live cells otherwise; seldom when nothing runs."""
    row = checkpoints.get_checkpoint(checkpoint_id)
    jobs, kin = sheet.jobs_of(row), sheet.jobs_of_parent(row)
    is_busy = row.preflight.state in ACTIVE or any(job.state in ACTIVE for job in [*jobs, *kin])
    pace = sheet.POLL_MILLISECONDS if is_busy else SLOW_MILLISECONDS
    now = sheet.fingerprint(row, jobs, kin)
    if now != state:
        return sheet.sheet_body(row, jobs), now, no_update, pace
    cells = sheet.sheet_cells([*jobs, *kin])
    return no_update, no_update, no_update if cells == live else cells, pace


def browser(name: str) -> ClientsideFunction:
    return ClientsideFunction("upload", name)


def register_browser(app: Dash) -> None:
    register_fields(app)
    register_sending(app)
    app.clientside_callback(ClientsideFunction("live", "patch"), Input(ids.SHEET_LIVE, "data"))


def register_fields(app: Dash) -> None:
    """What the browser fills in and says while the form is being filled."""
    # The output is there because Dash calls nothing for a new page that has none.
    app.clientside_callback(browser("mount"), Output(ids.MOUNTED, "data"), Input(ids.SETUP, "data"))
    app.clientside_callback(
        browser("prefill"), Output(ids.NAME, "value"), Input(ids.FILE, "data"), State(ids.NAME, "value")
    )
    app.clientside_callback(
        browser("prefill"), Output(ids.SET_NAME, "value"), Input(ids.FILE, "data"), State(ids.SET_NAME, "value")
    )
    app.clientside_callback(
        browser("chooseRole"),
        Output(ids.ROLE_HINT, "children"),
        Output(ids.PARENT_BOX, "hidden"),
        Output(ids.METHOD_BOX, "hidden"),
        Output(ids.SPARSITY_BOX, "hidden"),
        Input(ids.ROLE, "value"),
    )
    app.clientside_callback(
        browser("chooseDataset"),
        Output(ids.PARENT, "data"),
        Output(ids.PARENT, "value"),
        Input(ids.DATASET, "value"),
        State(ids.SETUP, "data"),
        State(ids.PARENT, "value"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        browser("chooseSamples"),
        Output(ids.SAMPLES, "value"),
        Output(ids.SAMPLES, "description"),
        Input(ids.PARENT, "value"),
        Input(ids.EVALUATE, "value"),
        Input(ids.ROLE, "value"),
        State(ids.SETUP, "data"),
        State(ids.SAMPLES, "value"),
    )
    app.clientside_callback(
        browser("checkName"),
        Input(ids.NAME, "value"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        browser("findParent"),
        Input(ids.FILE, "data"),
        Input(ids.DATASET, "value", allow_optional=True),
        State(ids.SETUP, "data"),
        prevent_initial_call=True,
    )


def register_sending(app: Dash) -> None:
    app.clientside_callback(
        browser("sendCheckpoint"),
        Input(ids.GO, "n_clicks"),
        State(ids.FILE, "data"),
        *(State(name, "value") for name in ids.CHECKPOINT_FORM),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        browser("sendDataset"),
        Input(ids.SET_GO, "n_clicks"),
        State(ids.FILE, "data"),
        *(State(name, "value") for name in ids.DATASET_FORM),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        browser("sendBundle"), Input(ids.BUNDLE_GO, "n_clicks"), State(ids.FILE, "data"), prevent_initial_call=True
    )
