"""Prunings on Jobs: what waits, trains and ended lately."""

from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from backend.schemas.prunings import PruningOut
from backend.services import prunings
from frontend.callbacks import in_thread
from frontend.components import Content, card
from frontend.pages.jobs import names
from frontend.pages.prune import record

SHOWN = 20


def list_card() -> Component:
    """The newest runs."""
    rows = read()
    seen = dcc.Store(id=names.PRUNINGS_SEEN, data=record.fingerprint(rows))
    return html.Div([seen, html.Div(body(rows), id=names.PRUNINGS)])


def read() -> list[PruningOut]:
    return prunings.list_prunings(SHOWN).items


def body(rows: list[PruningOut]) -> list[Component]:
    """The card; nothing where nothing was ever pruned here."""
    if not rows:
        return []
    tool = dcc.Link("Prune", href="/prune", className="button button-quiet")
    return [card("Prunings", html.Div(record.pruning_table(rows), className="table-scroll"), tools=tool)]


def register(app: Dash) -> None:
    """Draw the table anew where it changed."""

    @app.callback(
        Output(names.PRUNINGS, "children"),
        Output(names.PRUNINGS_SEEN, "data"),
        Input(names.POLL, "n_intervals"),
        State(names.PRUNINGS_SEEN, "data"),
        prevent_initial_call=True,
    )
    @in_thread
    def follow(_tick: int | None, seen: str | None) -> tuple[Content, Any]:
        rows = read()
        now = record.fingerprint(rows)
        return (no_update, no_update) if now == seen else (body(rows), now)
