"""The page's callbacks: the server draws the checkpoints once, the browser cuts them (several.js, several_cut.js)."""

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update

from frontend import ids as shell_ids
from frontend.callbacks import in_thread
from frontend.components import Content
from frontend.pages.several import ids
from frontend.pages.several.chosen import read_chosen
from frontend.pages.several.panels import draw_figures, draw_tables
from frontend.theme import Theme, theme_named

FIGURES = (ids.CURVE, ids.HISTOGRAM, ids.STANDING, ids.LOST_LEVELS, ids.ROBUST_LEVELS)
DRAWN = {
    **{id: Output(id, "figure") for id in FIGURES},
    "tables": Output(ids.DRAWN, "data"),
}


def register(app: Dash) -> None:
    """Add the page's callbacks."""

    def browser(name: str) -> ClientsideFunction:
        return ClientsideFunction("several", name)

    @app.callback(output=DRAWN, inputs={"state": Input(ids.STATE, "data"), "theme": Input(shell_ids.THEME, "data")})
    @in_thread
    def draw(state: dict[str, Any] | None, theme: str | None) -> dict[str, Content]:
        if state is None or theme is None:
            return dict.fromkeys(DRAWN, no_update)
        return draw_all(state["query"], theme_named(theme))

    app.clientside_callback(
        browser("read"),
        Output(ids.EPS, "value"),
        Output(ids.DELTA, "value"),
        Output(ids.VIEW, "value"),
        Input(shell_ids.URL, "search"),
        Input(ids.STATE, "data"),
        *(State(control, "value") for control in (ids.EPS, ids.DELTA, ids.VIEW)),
    )
    for name, control in (("slideEps", ids.EPS), ("slideDelta", ids.DELTA)):
        app.clientside_callback(browser(name), Input(control, "value"), State(ids.STATE, "data"))
    app.clientside_callback(browser("choose"), Input(ids.VIEW, "value"), prevent_initial_call=True)
    app.clientside_callback(
        browser("add"), Input(ids.ADD, "value"), State(ids.STATE, "data"), prevent_initial_call=True
    )
    app.clientside_callback(ClientsideFunction("severalCut", "keep"), Input(ids.DRAWN, "data"))


def draw_all(query: dict[str, str], theme: Theme) -> dict[str, Any]:
    """The figures by the ids of their places, and the tables behind them."""
    chosen = read_chosen(query)
    return {**draw_figures(chosen, theme), "tables": draw_tables(chosen)}
