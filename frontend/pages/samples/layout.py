"""The wall's frame: what depends on the pair only. One callback fills in what the address cuts."""

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from backend.services import evaluations
from frontend import ids as shell_ids
from frontend.callbacks import in_thread, query_values
from frontend.components import Content, aria, dot, empty_state, icon
from frontend.pages.samples import ids
from frontend.pages.samples.chips import chip_rows, sort_choice
from frontend.pages.samples.wall import PAGE_SIZE, order_note, sentence, wall
from frontend.review.notices import context_line, mismatch_notice, verdict_notice
from frontend.review.sliders import delta_slider, slider
from frontend.review.walk import ShownPair, load_pair
from frontend.shipped import ways_in

KEYS = ("dense", "pruned")

FILLED = {
    "sentence": Output(ids.SENTENCE, "children"),
    "links": Output(ids.LINKS, "children"),
    "sort": Output(ids.SORT, "children"),
    "chips": Output(ids.CHIPS, "children"),
    "list": Output(ids.LIST, "children"),
}


def register(app: Dash) -> None:
    """The address fills the page and moves the sliders; the sliders move the address (assets/samples.js)."""

    def browser(name: str) -> ClientsideFunction:
        return ClientsideFunction("samples", name)

    app.clientside_callback(
        browser("read"),
        Output(ids.EPS, "value"),
        Output(ids.DELTA, "value"),
        Input(shell_ids.URL, "search"),
        State(ids.PAIR, "data"),
    )
    for key, slider_id, text_id in (("eps", ids.EPS, ids.EPS_TEXT), ("delta", ids.DELTA, ids.DELTA_TEXT)):
        app.clientside_callback(
            browser(key),
            Output(text_id, "children"),
            Input(slider_id, "value"),
            State(ids.PAIR, "data"),
            prevent_initial_call=True,
        )

    @app.callback(output=FILLED, inputs={"search": Input(shell_ids.URL, "search"), "state": State(ids.PAIR, "data")})
    @in_thread
    def cut(search: str | None, state: dict[str, Any] | None) -> dict[str, Content]:
        query = query_values(search)
        if state is None or any(query.get(side) != state[side] for side in ("dense", "pruned")):
            return dict.fromkeys(FILLED, no_update)  # another pair builds the page anew
        return fill(query)


def fill(query: dict[str, str]) -> dict[str, Content]:
    """Everything on the page that the filters decide."""
    pair = load_pair(query)
    listed = pair.listed()
    compare = dcc.Link("Compare", href=pair.address("/compare", thin=None, sort=None, list=None), className="button")
    return {
        "sentence": [html.Span(sentence(pair, len(listed))), order_note(pair, listed)],
        "links": compare,
        "sort": sort_choice(pair),
        "chips": chip_rows(pair),
        "list": wall(pair, listed, read_shown(query.get("shown"))),
    }


def layout(**query: str) -> Component:
    """The page for a pair; without one, how to get one."""
    if not (query.get("dense") and query.get("pruned")):
        return nothing_yet()
    pair = load_pair(query)
    parts = [
        dcc.Store(id=ids.PAIR, data=browser_state(pair)),
        context_line(pair.comparison, pair.dataset, pair.sliders.median_eps),
        pair_title(pair),
        mismatch_notice(pair.comparison),
        verdict_notice(pair.comparison),
        html.Div(id=ids.SENTENCE, className="headline", **aria(live="polite")),
        bar(pair),
        html.Section(id=ids.LIST, className="card samples-list"),
    ]
    return html.Div([part for part in parts if part is not None], id=ids.PAGE, className="samples-page")


def nothing_yet() -> Component:
    heading = html.H1("Samples", className="page-title")
    running = evaluations.list_evaluations(limit=1, state="running").total
    words = "No pair of evaluations has finished yet, so there are no samples to show side by side."
    waits = empty_state(words, "View jobs", "/jobs") if running else empty_state(words, ways=ways_in())
    return html.Div([heading, waits], className="samples-page")


def browser_state(pair: ShownPair) -> dict[str, Any]:
    """What the sliders need, in shown units: their range, and where they stand without a value in the address."""
    return {
        "scale": pair.unit.scale,
        "suffix": "/255" if pair.unit.counts_steps else "",
        "has_margins": pair.has_margins,
        "limit": pair.sliders.limit,
        "step": pair.sliders.step,
        "dense": pair.cut.dense,
        "pruned": pair.cut.pruned,
        "default_eps": pair.sliders.default_eps,
        "default_delta": pair.sliders.default_delta,
    }


def read_shown(text: str | None) -> int:
    """How many thumbnails are asked for: the first ones, unless the address says more."""
    return max(PAGE_SIZE, int(text)) if text and text.isdecimal() and len(text) < 7 else PAGE_SIZE


def pair_title(pair: ShownPair) -> Component:
    """The two checkpoints, and the way to their comparison."""
    heading = html.H1(
        [
            html.Span([dot("dense"), pair.comparison.dense.checkpoint_name], className="name"),
            icon("arrow"),
            html.Span([dot("pruned-1"), pair.comparison.pruned.checkpoint_name], className="name"),
        ],
        className="page-title pair-title",
    )
    return html.Div([heading, html.Div(id=ids.LINKS)], className="pair")


def bar(pair: ShownPair) -> Component:
    """Sliders and order, and under them the chips."""
    state = browser_state(pair)
    controls = [
        slider(ids.EPS, ids.EPS_TEXT, "ε", "perturbation size ε", pair.eps, state, pair.unit),
        delta_slider(ids.DELTA, ids.DELTA_TEXT, pair.delta, state, pair.unit),
        html.Div(id=ids.SORT),
    ]
    parts = [html.Div(controls, className="samples-sliders"), html.Div(id=ids.CHIPS, className="chip-rows")]
    return html.Div(parts, className="card samples-bar", role="group", **aria(label="Which samples"))
