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
from frontend.plain import Tree, plain
from frontend.review.cut import Cut, has_margins, read_cut
from frontend.review.headline import headline_words
from frontend.theme import Theme, theme_named

NO_MARGINS_WORDS = "These evaluations hold verdicts at one ε. Use the preset margin to measure margins."
NO_MARGINS = NO_MARGINS_WORDS.replace(". ", ".<br>", 1)

DRAWN = {
    "scatter": Output(ids.SCATTER, "figure"),
    "histogram": Output(ids.HISTOGRAM, "figure"),
    "curve": Output(ids.CURVE, "figure"),
    "share": Output(ids.SHARE, "figure"),
    "classes": Output(ids.CLASSES, "figure"),
    "tables": Output(ids.TABLES, "data"),
}


def register(app: Dash) -> None:
    """Add the page's callbacks."""
    register_browser(app)
    replay.register(app)

    @app.callback(
        output=DRAWN,
        inputs={
            "state": Input(ids.PAIR, "data"),
            "theme": Input(shell_ids.THEME, "data"),
            "delta": State(ids.DELTA, "value"),
        },
    )
    @in_thread
    def draw(state: dict[str, Any] | None, theme: str | None, delta: float) -> dict[str, Content]:
        if state is None or theme is None:
            return dict.fromkeys(DRAWN, no_update)
        return draw_pair(state["dense"], state["pruned"], theme_named(theme), delta, state["eps_text"])

    @app.callback(Output(ids.FOLLOWED, "data"), Input(ids.CUT, "data"))
    @in_thread
    def follow(query: dict[str, Any] | None) -> Content:
        return no_update if query is None else follow_cut(read_cut(query))


def follow_cut(cut: Cut) -> dict[str, Any]:
    """What the server says of an eps: sentences, and tables with intervals that resample the samples."""
    comparison = comparisons.compare(cut.dense, cut.pruned, cut.eps)
    return {
        "eps_text": comparison.eps_text,
        "headline": plain(headline_words(comparison.headline)),
        "predictive": plain(predictive_table(comparison)),
        "controls": plain(controls_table(comparison)),
        "notes": plain([html.Li(note) for note in comparison.notes]),
    }


def draw_pair(dense: str, pruned: str, theme: Theme, delta: float, eps: str | None = None) -> dict[str, Any]:
    """The pictures of a pair, all samples in their clean sets; the browser shows the cut in them.

    `eps` is one at which the pair can be compared; `delta` in shown units.
    """
    comparison = comparisons.compare(dense, pruned, eps)
    samples = comparisons.paired_samples(dense, pruned, comparison.eps_text)
    unit = unit_of(comparison.dense.norm)
    clean = comparison.clean
    figures = (
        margin_figures(comparison, samples, theme, unit, delta)
        if has_margins(comparison)
        else dict.fromkeys(("scatter", "histogram", "curve", "share"), message(theme, NO_MARGINS))
    )
    overall = clean.n10 / max(1, clean.n11 + clean.n10)
    return {
        **figures,
        "classes": class_flips(panels.class_shares(comparison), theme, overall=overall),
        "tables": pair_tables(comparison, unit),
    }


def margin_figures(
    comparison: ComparisonOut, samples: list[PairedSample], theme: Theme, unit: Unit, delta: float
) -> dict[str, go.Figure]:
    """The pictures of margins; both axes of the scatter have one length, so that no change is the diagonal."""
    scales = panels.margin_scales(samples, unit)
    marks = panels.points(samples)
    limit, lines, eps = scales[0].limit, panels.curves(comparison, theme), comparison.eps
    common: dict[str, Any] = {"eps": unit.shown(eps), "eps_label": comparison.eps_text, "delta": delta}
    scatter = margin_scatter(marks, theme, unit, scales=scales, **common)
    scatter.update_traces(hoverinfo="skip")  # hover.js looks for the mark under the pointer itself
    return {
        "scatter": scatter,
        "histogram": margin_histogram(marks, theme, unit, scale=scales[0], **common),
        "curve": robustness_curve(lines, theme, unit, eps=eps, eps_label=comparison.eps_text, limit=limit),
        "share": share_lost(panels.shares(comparison), theme, unit, delta=delta, limit=limit),
    }


def pair_tables(comparison: ComparisonOut, unit: Unit) -> dict[str, list[Tree | str]]:
    """By the id of their place, the numbers behind the pictures that no cut changes; drawn where one is opened."""
    tables = {ids.SHARE_TABLE: panels.share_table(comparison, unit), ids.CLASSES_TABLE: panels.class_table(comparison)}
    if has_margins(comparison):
        tables[ids.CURVE_TABLE] = panels.curve_table(comparison, unit)
    else:
        tables |= dict.fromkeys((ids.CURVE_TABLE, ids.HISTOGRAM_TABLE), html.P(NO_MARGINS_WORDS))
    return {place: plain(content) for place, content in tables.items()}


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
    for name, given in (("watch", Input(ids.SCATTER, "figure")), ("follow", Input(ids.FOLLOWED, "data"))):
        app.clientside_callback(ClientsideFunction("compareCut", name), given)
    app.clientside_callback(ClientsideFunction("compareCut", "keepTables"), Input(ids.TABLES, "data"))
