"""Training images where there are none: a button that gets the published ones, how far that is, and other ways."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from backend.schemas import Split
from backend.schemas.datasets import DatasetOut
from backend.services.datasets import fetching
from backend.services.datasets.fetching import Fetch
from backend.services.prunings import plans
from frontend.callbacks import in_thread
from frontend.components import Content, aria, icon, refusal
from frontend.pages.prune import ids
from frontend.words import sentence_list, size_words

POLL_MILLISECONDS = 500
TRAIN: Split = "train"
ALL_CAME = 0.999  # of `total_bytes`: mirrors pack the files a little differently


def data_hint(parent_id: UUID | str, known: Sequence[DatasetOut]) -> Content:
    """How training images come here where there are none that fit; nothing otherwise."""
    if known:
        return None
    return html.Div([icon("warning"), html.Div(hint_parts(plans.suggest_training(parent_id)))], className="notice")


def hint_parts(fitting: Sequence[Fetch]) -> list[Component]:
    """The sentence, a button for each published data set that fits, and what else can be done."""
    coming = [fetch for fetch in fitting if fetch.state == "fetching"]
    name = coming[0].name if coming else None
    return [
        html.P(
            "There are no training images of this network's shape and classes, apart from those that the result is "
            "evaluated on."
        ),
        html.Div([fetch_button(fetch) for fetch in fitting], className="form-foot"),
        html.Div(fetch_words(coming[0]) if coming else None, id=ids.FETCH_STATE, role="status"),
        dcc.Store(id=ids.FETCH_NAME, data=name),
        dcc.Interval(id=ids.FETCH_POLL, interval=POLL_MILLISECONDS, disabled=not coming),
        html.P(other_ways(fitting), className="muted small"),
    ]


def fetch_button(fetch: Fetch) -> Component:
    where = "installed here" if fetch.is_installed else size_words(fetch.total_bytes)
    words = f"Get {fetch.title} ({where})"
    return html.Button(words, id=ids.fetch(fetch.name), className="button button-primary")


def other_ways(fitting: Sequence[Fetch]) -> list[Content]:
    """The command that does the same, and an upload."""
    commands = [html.Code(f"thinice dataset {fetch.name} --split {TRAIN}") for fetch in fitting]
    ways: list[Content] = []
    for command in commands:
        ways += [command, ", "]
    start = "Or on the command line: " if commands else "None of the data sets known by name fits: "
    return [start, *ways, "or " if ways else "", dcc.Link("upload an .npz", href="/upload?kind=dataset"), "."]


def fetch_words(fetch: Fetch) -> Content:
    """How far a download is, or why it failed."""
    if fetch.state == "failed":
        return refusal(str(fetch.error), "not_fetched")
    if fetch.is_installed or fetch.received_bytes >= ALL_CAME * fetch.total_bytes:
        return f"Reading the training images of {fetch.title} ..."
    percent = min(100, int(100 * fetch.received_bytes / fetch.total_bytes))
    bar = html.Span(
        html.Span(className="progress-fill", style={"width": f"{percent}%"}),
        className="progress",
        role="progressbar",
        **aria(label=f"Download of {fetch.title}", valuemin="0", valuemax="100", valuenow=str(percent)),
    )
    words = f" {size_words(fetch.received_bytes)} of about {size_words(fetch.total_bytes)}"
    return [bar, html.Span(words, className="muted small")]


def register(app: Dash) -> None:
    """A button starts the download; it is followed until the images are here, which the form then offers."""

    @app.callback(
        Output(ids.FETCH_NAME, "data"),
        Output(ids.FETCH_POLL, "disabled"),
        Output(ids.FETCH_STATE, "children"),
        Input(ids.fetch(ALL), "n_clicks"),
        prevent_initial_call=True,
    )
    @in_thread
    def start(_clicks: list[int | None]) -> tuple[Content, ...]:
        pressed = ctx.triggered_id
        if not isinstance(pressed, dict) or not ctx.triggered[0]["value"]:
            return no_update, no_update, no_update
        fetch = fetching.start_fetch(str(pressed["name"]), TRAIN)
        return fetch.name, False, fetch_words(fetch)

    @app.callback(
        Output(ids.FETCH_STATE, "children", allow_duplicate=True),
        Output(ids.FETCH_POLL, "disabled", allow_duplicate=True),
        Output(ids.FETCHED, "data"),
        Input(ids.FETCH_POLL, "n_intervals"),
        State(ids.FETCH_NAME, "data"),
        prevent_initial_call=True,
    )
    @in_thread
    def follow(_tick: int | None, name: str | None) -> tuple[Content, ...]:
        return follow_fetch(name)


def follow_fetch(name: str | None) -> tuple[Any, ...]:
    """(what to say, whether it has ended, the data set's id once it is here)."""
    if name is None:
        return no_update, True, no_update
    fetch = fetching.tell_fetch(name, TRAIN)
    if fetch.state == "here":
        return f"The training images of {fetch.title} are here.", True, str(fetch.dataset_id)
    return fetch_words(fetch), fetch.state != "fetching", no_update


def missing_words(parent_id: str | None) -> str:
    """Why nothing can be pruned yet."""
    titles = [fetch.title for fetch in plans.suggest_training(parent_id)] if parent_id else []
    named = f" of {sentence_list(titles)}" if len(titles) == 1 else ""
    return f"Pruning needs training images{named}: get them above first."
