"""The page's callbacks: the server draws a pair and computes what takes all samples; the browser does the rest.

The rest is compare.js (address, sliders), compare_cut.js (what a cut shows) and hover.js.
"""

from typing import Any

import plotly.graph_objects as go
from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update

from backend.schemas.comparisons import ComparisonOut, PairedSample
from backend.services import comparisons
from frontend import ids as shell_ids
from frontend.callbacks import in_thread
from frontend.components import Content
from frontend.figures.classes import class_flips
from frontend.figures.curve import robustness_curve
from frontend.figures.frame import message
from frontend.figures.histogram import margin_histogram
from frontend.figures.scatter import margin_scatter
from frontend.figures.share_lost import share_lost
from frontend.figures.units import Unit, unit_of
from frontend.pages.compare import ids, panels, replay
from frontend.pages.compare.evidence import controls_table, predictive_table
from frontend.pages.compare.sections import SECTIONS
from frontend.plain import Tree, plain
from frontend.review.cut import Cut, View, has_margins, read_cut
from frontend.review.headline import headline_words
from frontend.review.state import margin_scales
from frontend.theme import Theme, theme_named

NO_MARGINS_WORDS = "These evaluations hold verdicts at one ε. Use the preset margin to measure margins."
NO_MARGINS = NO_MARGINS_WORDS.replace(". ", ".<br>", 1)


def register(app: Dash) -> None:
    """Add the page's callbacks."""
    register_browser(app)
    replay.register(app)
    for name in SECTIONS:
        register_section(app, name)
    register_pictures(app)

    @app.callback(Output(ids.FOLLOWED, "data"), Input(ids.CUT, "data"))
    @in_thread
    def follow(query: dict[str, Any] | None) -> Content:
        return no_update if query is None else follow_cut(read_cut(query))


def register_section(app: Dash, name: str) -> None:
    """The parts of a section come when it is opened."""

    @app.callback(
        Output(ids.body(name), "children"),
        Input(ids.opened(name), "data"),
        State(ids.PAIR, "data"),
        prevent_initial_call=True,
    )
    @in_thread
    def build(is_open: bool | None, state: dict[str, Any] | None) -> Content:
        if not is_open or state is None:
            return no_update
        return SECTIONS[name].build(comparisons.compare(state["dense"], state["pruned"], state["eps_text"]))

    app.clientside_callback(
        ClientsideFunction("compareCut", "filled"), Input(ids.body(name), "children"), prevent_initial_call=True
    )


def register_pictures(app: Dash) -> None:
    """Each chart is drawn where its place is on the page; those of margins once, the others at every cut."""
    given = {"state": Input(ids.PAIR, "data"), "theme": Input(shell_ids.THEME, "data")}

    @app.callback(output=Output(ids.SCATTER, "figure"), inputs=given | {"delta": State(ids.DELTA, "value")})
    @in_thread
    def scatter(state: dict[str, Any] | None, theme: str | None, delta: float) -> Content:
        return no_update if state is None or theme is None else draw_scatter(state, theme_named(theme), delta)

    @app.callback(
        output=[Output(ids.HISTOGRAM, "figure"), Output(ids.CURVE, "figure")],
        inputs=given | {"delta": State(ids.DELTA, "value")},
    )
    @in_thread
    def margins(state: dict[str, Any] | None, theme: str | None, delta: float) -> Content:
        return [no_update] * 2 if state is None or theme is None else draw_margins(state, theme_named(theme), delta)

    @app.callback(
        Output(ids.SHARE, "figure"),
        Input(ids.CUT, "data"),
        Input(shell_ids.THEME, "data"),
        State(ids.DELTA, "value"),
    )
    @in_thread
    def share(query: dict[str, Any] | None, theme: str | None, delta: float) -> Content:
        return no_update if query is None or theme is None else draw_shares(read_cut(query), theme_named(theme), delta)

    @app.callback(Output(ids.CLASSES, "figure"), Input(ids.CUT, "data"), Input(shell_ids.THEME, "data"))
    @in_thread
    def classes(query: dict[str, Any] | None, theme: str | None) -> Content:
        return no_update if query is None or theme is None else draw_classes(read_cut(query), theme_named(theme))


def follow_cut(cut: Cut) -> dict[str, Any]:
    """What the server says of a view and an eps: sentences, and tables with intervals that resample the samples."""
    comparison = comparisons.compare(cut.dense, cut.pruned, cut.eps)
    headline = comparison.headline if cut.view == "clean" else comparison.robust_headline
    gained = next(place for place, part in enumerate(headline) if part.emphasis == "gained")
    return {
        "eps_text": comparison.eps_text,
        "view": cut.view,
        "population": "clean flips" if cut.view == "clean" else f"robust flips at ε {comparison.eps_text}",
        "rest": plain(headline_words(headline[gained + 2 :])),  # the browser counts the first sentence itself
        "predictive": plain(predictive_table(comparison)),
        "controls": plain(controls_table(comparison)),
        "notes": plain([html.Li(note) for note in comparison.notes]),
        "tables": follow_tables(comparison, cut.view),
    }


def follow_tables(comparison: ComparisonOut, view: View) -> dict[str, list[Tree | str]]:
    """By the id of their place, the numbers behind the pictures that the server draws; drawn where one is opened."""
    unit = unit_of(comparison.dense.norm)
    tables: dict[str, Any] = {
        ids.SHARE_TABLE: panels.share_table(comparison, unit, view),
        ids.CLASSES_TABLE: panels.class_table(comparison, view),
    }
    if has_margins(comparison):
        tables[ids.CURVE_TABLE] = panels.curve_table(comparison, unit)
    else:
        tables |= dict.fromkeys((ids.CURVE_TABLE, ids.HISTOGRAM_TABLE), html.P(NO_MARGINS_WORDS))
    return {place: plain(content) for place, content in tables.items()}


def read_samples(state: dict[str, Any]) -> tuple[ComparisonOut, list[PairedSample]]:
    """The pair at an eps at which it can be compared: all samples in their clean sets; the browser shows the cut."""
    comparison = comparisons.compare(state["dense"], state["pruned"], state["eps_text"])
    return comparison, comparisons.paired_samples(state["dense"], state["pruned"], comparison.eps_text)


def guides(comparison: ComparisonOut, unit: Unit, delta: float) -> dict[str, Any]:
    return {"eps": unit.shown(comparison.eps), "eps_label": comparison.eps_text, "delta": delta}


def draw_scatter(state: dict[str, Any], theme: Theme, delta: float) -> go.Figure:
    """Both axes have one length, so that no change is the diagonal. `delta` in shown units, as everywhere here."""
    comparison, samples = read_samples(state)
    if not has_margins(comparison):
        return message(theme, NO_MARGINS)
    unit = unit_of(comparison.dense.norm)
    scales = margin_scales(samples, unit)
    figure = margin_scatter(panels.points(samples), theme, unit, scales=scales, **guides(comparison, unit, delta))
    return figure.update_traces(hoverinfo="skip")  # hover.js looks for the mark under the pointer itself


def draw_margins(state: dict[str, Any], theme: Theme, delta: float) -> list[go.Figure]:
    """The histogram of dense margins, and the robustness curve."""
    comparison, samples = read_samples(state)
    if not has_margins(comparison):
        return [message(theme, NO_MARGINS)] * 2
    unit = unit_of(comparison.dense.norm)
    scale, common = margin_scales(samples, unit)[0], guides(comparison, unit, delta)
    return [
        margin_histogram(panels.points(samples), theme, unit, scale=scale, **common),
        robustness_curve(
            panels.curves(comparison, theme),
            theme,
            unit,
            eps=comparison.eps,
            eps_label=comparison.eps_text,
            limit=scale.limit,
        ),
    ]


def draw_shares(cut: Cut, theme: Theme, delta: float) -> go.Figure:
    """The share lost by dense margin, clean or robust."""
    comparison = comparisons.compare(cut.dense, cut.pruned, cut.eps)
    if not has_margins(comparison):
        return message(theme, NO_MARGINS)
    unit = unit_of(comparison.dense.norm)
    samples = comparisons.paired_samples(cut.dense, cut.pruned, comparison.eps_text)
    limit = margin_scales(samples, unit)[0].limit
    return share_lost(panels.shares(comparison, cut.view), theme, unit, delta=delta, limit=limit)


def draw_classes(cut: Cut, theme: Theme) -> go.Figure:
    """Who pays, clean or robust."""
    comparison = comparisons.compare(cut.dense, cut.pruned, cut.eps)
    counts = comparison.clean if cut.view == "clean" else comparison.robust
    holds = "gets right" if cut.view == "clean" else f"holds at {comparison.eps_text}"
    overall = counts.n10 / max(1, counts.n11 + counts.n10)
    return class_flips(panels.class_shares(comparison, cut.view), theme, overall=overall, holds=holds)


def register_browser(app: Dash) -> None:
    """What needs no server."""
    register_address(app)
    register_sliders(app)
    register_drawing(app)


def browser(name: str) -> ClientsideFunction:
    return ClientsideFunction("compare", name)


def register_address(app: Dash) -> None:
    """The page reads its state from the address; choosing a view, class, set or pair writes a new one."""
    app.clientside_callback(
        browser("read"),
        Output(ids.CUT, "data"),
        Output(ids.EPS, "value"),
        Output(ids.DELTA, "value"),
        Output(ids.VIEW, "value"),
        Output(ids.CLASS, "value"),
        Output(ids.SET, "value"),
        Input(shell_ids.URL, "search"),
        Input(ids.PAIR, "data"),
        State(ids.CUT, "data"),
        *(State(control, "value") for control in (ids.EPS, ids.DELTA, ids.VIEW, ids.CLASS, ids.SET)),
    )
    app.clientside_callback(
        browser("choose"),
        Input(ids.VIEW, "value"),
        Input(ids.CLASS, "value"),
        Input(ids.SET, "value"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        browser("pick"),
        Input(ids.PICK_GO, "n_clicks"),
        State(ids.PICK_DENSE, "value"),
        State(ids.PICK_PRUNED, "value"),
        prevent_initial_call=True,
    )


def register_sliders(app: Dash) -> None:
    """What a slider cuts while it moves."""
    for name, control in (("slideEps", ids.EPS), ("slideDelta", ids.DELTA)):
        app.clientside_callback(browser(name), Input(control, "value"), State(ids.PAIR, "data"))


def register_drawing(app: Dash) -> None:
    """What comes from the server finds its place: figures in Plotly, the rest as elements of our own."""
    for chart in (ids.SCATTER, ids.HISTOGRAM, ids.SHARE, ids.CLASSES):
        app.clientside_callback(ClientsideFunction("compareCut", "watch"), Input(chart, "figure"))
    app.clientside_callback(ClientsideFunction("compareFollowing", "follow"), Input(ids.FOLLOWED, "data"))
