"""The REST calls behind the pages, and the command line that speaks them."""

from dash import html
from dash.development.base_component import Component

from frontend.help.calls import GROUPS, Call
from frontend.pages.help.frame import Anchors, help_page, section

TITLE = "REST and command line"


def parts() -> Anchors:
    """The groups of calls."""
    return [(name, f"calls-{name.split()[0].lower()}") for name in GROUPS]


def layout(**_query: str) -> Component:
    """The calls by noun."""
    about = [
        "Everything on the pages is also a REST call; ",
        html.A("the interface describes them all", href="/api/docs"),
        ". The command ",
        html.Code("thinice"),
        " makes the same calls.",
    ]
    body = [section(name, target, call_list(GROUPS[name])) for name, target in parts()]
    return help_page("/help/rest", TITLE, about, body, parts())


def call_list(calls: tuple[Call, ...]) -> Component:
    rows = [
        html.Div([html.Dt(html.Code(f"{call.method} {call.path}")), html.Dd(call.does)], id=call.anchor)
        for call in calls
    ]
    return html.Dl(rows, className="help-calls")
