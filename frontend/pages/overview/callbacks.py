"""Keeps the page up to date: everything anew when something begins or ends; cells in between are the stream's.

The finding has a callback of its own, so that it waits for no table.
"""

from dash import ClientsideFunction, Dash, Input, Output, State, no_update

from frontend import ids as shell_ids
from frontend.callbacks import in_thread
from frontend.components import Content
from frontend.figures.dumbbell import dumbbells, figure_height
from frontend.pages.overview import ids
from frontend.pages.overview import layout as page
from frontend.pages.overview.finding import read_finding
from frontend.pages.overview.holdings import Holdings, read_holdings
from frontend.pages.overview.pictures import show_finding
from frontend.pages.overview.table import checkpoint_table, claims_table
from frontend.pages.overview.waiting import show_waiting
from frontend.plain import lighten
from frontend.theme import Theme, theme_named

FILLED = {
    "context": Output(ids.CONTEXT, "children"),
    "sentence": Output(ids.SENTENCE, "children"),
    "figure": Output(ids.CLAIMS, "figure"),
    "style": Output(ids.CLAIMS, "style"),
    "numbers": Output(ids.CLAIMS_TABLE, "children"),
    "checkpoints": Output(ids.CHECKPOINTS, "children"),
    "state": Output(ids.STATE, "data"),
}


def register(app: Dash) -> None:
    """Add the page's callbacks."""

    @app.callback(
        output=FILLED,
        inputs={
            "_changed": Input(shell_ids.CHANGED, "data"),
            "theme": Input(shell_ids.THEME, "data"),
            "state": State(ids.STATE, "data"),
        },
    )
    @in_thread
    def refresh(_changed: str | None, theme: str | None, state: str | None) -> dict[str, Content]:
        if theme is None:
            return dict.fromkeys(FILLED, no_update)
        holdings = read_holdings()
        present = holdings.fingerprint()
        now = f"{theme} {present}"
        if state is not None and now != state and state.endswith(f" {present}"):
            return {**dict.fromkeys(FILLED, no_update), **recolour(holdings, theme_named(theme), now)}
        if now != state:
            return fill(holdings, theme_named(theme), now)
        return dict.fromkeys(FILLED, no_update)

    @app.callback(
        Output(ids.FINDING, "children"),
        Output(ids.FOUND, "data"),
        Input(shell_ids.CHANGED, "data"),
        Input(shell_ids.THEME, "data"),
        State(ids.FOUND, "data"),
    )
    @in_thread
    def find(_changed: str | None, theme: str | None, found: str | None) -> tuple[Content, Content]:
        if theme is None:
            return no_update, no_update
        holdings = read_holdings()
        now = f"{theme} {holdings.fingerprint()}"
        return (no_update, no_update) if now == found else (show_top(holdings, theme_named(theme)), now)

    app.clientside_callback(
        ClientsideFunction("live", "openEvaluation"), Input(ids.CLAIMS, "clickData"), prevent_initial_call=True
    )


def fill(holdings: Holdings, theme: Theme, state: str) -> dict[str, Content]:
    """Everything on the page."""
    groups = page.dumbbell_groups(holdings)
    return {
        "context": page.context_line(holdings),
        "sentence": page.headline(holdings),
        "figure": dumbbells(groups, theme, x_title=x_title(holdings)),
        "style": {"height": f"{figure_height(groups)}px"},
        "numbers": lighten(claims_table(holdings)),
        "checkpoints": lighten(checkpoint_table(holdings), has_free_ids=True),
        "state": state,
    }


def recolour(holdings: Holdings, theme: Theme, state: str) -> dict[str, Content]:
    """What another theme changes, where nothing else has: the figure, at once."""
    figure = dumbbells(page.dumbbell_groups(holdings), theme, x_title=x_title(holdings))
    return {"figure": figure, "state": state}


def show_top(holdings: Holdings, theme: Theme) -> list[Content]:
    """The finding, or what it waits for."""
    finding = read_finding()
    return show_waiting(holdings) if finding is None else show_finding(finding, theme)


def x_title(holdings: Holdings) -> str:
    """`Robust accuracy at Linf 25.5/255`; without eps where the families differ in it."""
    places = {f"{row.dataset.default_norm} ε {row.dataset.default_eps_text}" for row in holdings.families}
    return f"Robust accuracy at {places.pop()}" if len(places) == 1 else "Robust accuracy at each data set's ε"
