"""What the browser does on every page of Help: bring a named entry into view, and search (assets/help*.js)."""

from dash import ClientsideFunction, Dash, Input, Output, State

from frontend import ids as shell_ids
from frontend.pages.help import ids


def register(app: Dash) -> None:
    """Add the callbacks of all pages of Help; none of them asks the server."""
    app.clientside_callback(
        ClientsideFunction("help", "arrive"),
        Output(ids.NAMED, "data"),
        Input(ids.PAGE, "id"),
        Input(shell_ids.URL, "hash"),
    )
    app.clientside_callback(
        ClientsideFunction("helpSearch", "forward"), Output(ids.FORWARDED, "data"), Input(ids.FORMER, "data")
    )
    app.clientside_callback(
        ClientsideFunction("helpSearch", "search"),
        Output(ids.RESULTS, "children"),
        Output(ids.COUNT, "children"),
        Output(ids.FOUND, "hidden"),
        Output(ids.BODY, "hidden"),
        Input(ids.SEARCH, "value"),
        State(ids.INDEX, "data"),
    )
