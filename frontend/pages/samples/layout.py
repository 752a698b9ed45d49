"""The wall's frame: what depends on the pair only. The browser fills in what the address cuts (samples_cut.js)."""

import json
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from backend.services import evaluations
from frontend import ids as shell_ids
from frontend.components import aria, data, empty_state
from frontend.pages.samples import ids
from frontend.review.headline import pair_names
from frontend.review.notices import context_line, mismatch_notice, verdict_notice
from frontend.review.sliders import delta_slider, slider
from frontend.review.state import pair_state
from frontend.review.walk import ShownPair, load_pair
from frontend.shipped import ways_in

KEYS = ("dense", "pruned")
NO_FILTERS: dict[str, str | None] = dict.fromkeys(("set", "view", "class", "thin", "pick"))


def register(app: Dash) -> None:
    """The address cuts the page and moves the sliders; the sliders cut it and move the address."""

    def browser(name: str) -> ClientsideFunction:
        return ClientsideFunction("samples", name)

    app.clientside_callback(
        browser("read"),
        Output(ids.EPS, "value"),
        Output(ids.DELTA, "value"),
        Input(shell_ids.URL, "search"),
        Input(ids.PAIR, "data"),
        State(ids.EPS, "value"),
        State(ids.DELTA, "value"),
    )
    for name, control in (("slideEps", ids.EPS), ("slideDelta", ids.DELTA)):
        app.clientside_callback(browser(name), Input(control, "value"), State(ids.PAIR, "data"))


def layout(**query: str) -> Component:
    """The page for a pair; without one, how to get one."""
    if not (query.get("dense") and query.get("pruned")):
        return nothing_yet()
    pair = load_pair(query)
    state = pair_state(pair.comparison, pair.samples, pair.dataset, pair.cut, pair.sliders, pair.unit)
    parts = [
        dcc.Store(id=ids.PAIR, data=state),
        context_line(pair.comparison, pair.dataset, pair.sliders.median_eps),
        html.Div(
            [html.H1(pair_names(pair.comparison), className="page-title pair-title"), html.Div(id=ids.LINKS)],
            className="pair",
        ),
        mismatch_notice(pair.comparison),
        verdict_notice(pair.comparison),
        html.Div(id=ids.SENTENCE, className="headline", **aria(live="polite")),
        bar(pair, state),
        wall_card(),
    ]
    return html.Div([part for part in parts if part is not None], id=ids.PAGE, className="samples-page")


def nothing_yet() -> Component:
    heading = html.H1("Samples", className="page-title")
    running = evaluations.list_evaluations(limit=1, state="running").total
    words = "No pair of evaluations has finished yet, so there are no samples to show side by side."
    waits = empty_state(words, "View jobs", "/jobs") if running else empty_state(words, ways=ways_in())
    return html.Div([heading, waits], className="samples-page")


def bar(pair: ShownPair, state: dict[str, Any]) -> Component:
    """Sliders and order, and under them the chips."""
    controls = [
        slider(ids.EPS, ids.EPS_TEXT, "ε", "perturbation size ε", pair.eps, state, pair.unit),
        delta_slider(ids.DELTA, ids.DELTA_TEXT, pair.delta, state, pair.unit),
        html.Div(id=ids.SORT, className="control"),
    ]
    parts = [html.Div(controls, className="samples-sliders"), html.Div(id=ids.CHIPS, className="chip-rows")]
    return html.Div(parts, className="card samples-bar", role="group", **aria(label="Which samples"))


def wall_card() -> Component:
    """The wall, and what stands in its place where the filters leave nothing."""
    button = html.Button("Show all samples", className="button", **data(go=json.dumps(NO_FILTERS)))
    nothing = html.Div(
        [html.P("No sample matches the filters.", className="muted"), button], id=ids.NOTHING, hidden=True
    )
    heading = html.H2("Samples", className="hidden-label")
    return html.Section([heading, nothing, html.Div(id=ids.WALL, className="wall-list")], className="card samples-list")
