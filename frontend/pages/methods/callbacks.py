"""Draws the panels in the theme that the browser shows; a mark leads to what it is of."""

from typing import Any

import plotly.graph_objects as go
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component

from backend.errors import ThinIceError
from frontend import ids as shell_ids
from frontend.callbacks import failure_parts, in_thread
from frontend.components import card
from frontend.figures.sparsity import draw_sparsity
from frontend.pages.methods import ids
from frontend.pages.methods.layout import HEADING, show_family
from frontend.pages.methods.panels import STANDING, draw_marks, read_panel
from frontend.plain import lighten
from frontend.theme import Theme, theme_named

PANELS = {"type": ids.PANEL, "key": ALL}


def register(app: Dash) -> None:
    """Add the page's callbacks."""

    @app.callback(
        Output(PANELS, "figure"),
        Input(ids.PANELS, "data"),
        Input(shell_ids.THEME, "data"),
        State(PANELS, "id"),
    )
    @in_thread
    def draw(panels: list[dict[str, Any]], theme: str | None, shown: list[dict[str, str]]) -> list[Any]:
        if theme is None:
            return [no_update] * len(shown)
        return draw_panels(panels, theme, [one["key"] for one in shown])

    @app.callback(
        Output(ids.PAGE, "children"),
        Output(ids.POLL, "max_intervals"),
        Input(ids.POLL, "n_intervals"),
        State(ids.QUERY, "data"),
        # One request at a time: a response that a later request overtakes would be dropped.
        running=[(Output(ids.POLL, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    @in_thread
    def ask_again(_ticks: int, query: dict[str, str | None]) -> tuple[list[Component], int]:
        return renew(query)

    app.clientside_callback(
        ClientsideFunction("methods", "openMark"), Input(PANELS, "clickData"), prevent_initial_call=True
    )
    app.clientside_callback(
        ClientsideFunction("methods", "choose"),
        Input(ids.EPS, "value"),
        Input(ids.METHOD, "value"),
        prevent_initial_call=True,
    )


def renew(query: dict[str, str | None]) -> tuple[list[Component], int]:
    """The page as far as it is measured, and how often to ask again: 0 is never, -1 for as long as it takes."""
    try:
        parts, is_whole = show_family(query, patience=0.0)
    except ThinIceError as error:  # it would ask again for ever
        title, sentence = failure_parts(error)
        return [HEADING, card(title, html.P(sentence, role="alert"))], 0
    return lighten(parts), 0 if is_whole else -1


def draw_panels(panels: list[dict[str, Any]], theme: str, keys: list[str]) -> list[go.Figure]:
    """The figures in the order of the page."""
    by_key = {panel["key"]: panel for panel in panels}
    return [draw_panel(by_key[key], theme_named(theme)) for key in keys]


def draw_panel(panel: dict[str, Any], theme: Theme) -> go.Figure:
    if panel["key"] == STANDING:
        return draw_marks(panel["marks"], theme)
    return draw_sparsity(theme=theme, **read_panel(panel))
