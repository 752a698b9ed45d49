"""The page's callbacks: one cuts everything on the server, the others run in the browser (compare.js, hover.js)."""

from dataclasses import replace
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, html, no_update

from backend.schemas.comparisons import ComparisonOut, PairedSample
from backend.schemas.datasets import DatasetOut
from backend.services import comparisons, datasets
from frontend import ids as shell_ids
from frontend.callbacks import in_thread
from frontend.components import SET_WORDS, SYMBOLS, Content, aria, icon
from frontend.figures.classes import class_flips
from frontend.figures.curve import robustness_curve
from frontend.figures.frame import message
from frontend.figures.histogram import margin_histogram
from frontend.figures.scatter import AxisScale, margin_scatter, scale_for
from frontend.figures.share_lost import share_lost
from frontend.figures.units import Unit, unit_of
from frontend.pages.compare import ids, panels, replay
from frontend.pages.compare.evidence import controls_table, predictive_table
from frontend.pages.compare.grid import grid_rows
from frontend.pages.compare.header import scope_words
from frontend.pages.compare.numbers import number_cards
from frontend.pages.compare.wall import wall
from frontend.review.cut import Cut, choose, choose_flips, has_margins, read_cut, set_of
from frontend.review.headline import headline_words
from frontend.review.words import class_name
from frontend.theme import Theme, theme_named

NO_MARGINS_WORDS = "These evaluations hold verdicts at one ε. Use the preset margin to measure margins."
NO_MARGINS = NO_MARGINS_WORDS.replace(". ", ".<br>", 1)

FILLED = {
    "headline": Output(ids.HEADLINE, "children"),
    "numbers": Output(ids.NUMBERS, "children"),
    "scatter": Output(ids.SCATTER, "figure"),
    "scatter_table": Output(ids.SCATTER_TABLE, "children"),
    "curve": Output(ids.CURVE, "figure"),
    "curve_table": Output(ids.CURVE_TABLE, "children"),
    "histogram": Output(ids.HISTOGRAM, "figure"),
    "histogram_table": Output(ids.HISTOGRAM_TABLE, "children"),
    "predictive": Output(ids.PREDICTIVE, "children"),
    "controls": Output(ids.CONTROLS, "children"),
    "notes": Output(ids.NOTES, "children"),
    "points": Output(ids.POINTS, "data"),
    "wall": Output(ids.WALL, "children"),
    "rows": Output(ids.TABLE, "rowData"),
    "downloads": Output(ids.DOWNLOADS, "children"),
}

OF_THE_PAIR = {
    "share": Output(ids.SHARE, "figure"),
    "share_table": Output(ids.SHARE_TABLE, "children"),
    "classes": Output(ids.CLASSES, "figure"),
    "classes_table": Output(ids.CLASSES_TABLE, "children"),
}


def register(app: Dash) -> None:
    """Add the page's callbacks."""
    register_browser(app)
    replay.register(app)

    @app.callback(
        output=OF_THE_PAIR,
        inputs={
            "state": Input(ids.PAIR, "data"),
            "theme": Input(shell_ids.THEME, "data"),
            "delta": State(ids.DELTA, "value"),
        },
    )
    @in_thread
    def draw_pair(state: dict[str, Any] | None, theme: str | None, delta: float) -> dict[str, Content]:
        if state is None or theme is None:
            return dict.fromkeys(OF_THE_PAIR, no_update)
        return pair_panels(state["dense"], state["pruned"], theme_named(theme), delta, state["eps_text"])

    @app.callback(
        output=FILLED,
        inputs={
            "query": Input(ids.CUT, "data"),
            "theme": Input(shell_ids.THEME, "data"),
            "delta": State(ids.DELTA, "value"),
        },
    )
    @in_thread
    def cut_everything(query: dict[str, Any] | None, theme: str | None, delta: float) -> dict[str, Content]:
        if query is None or theme is None:
            return dict.fromkeys(FILLED, no_update)
        return fill(read_cut(query), theme_named(theme), delta)


def fill(cut: Cut, theme: Theme, delta: float) -> dict[str, Content]:
    """Everything on the page that eps, view, class and set decide; `delta` in shown units."""
    comparison = comparisons.compare(cut.dense, cut.pruned, cut.eps)
    samples = comparisons.paired_samples(cut.dense, cut.pruned, cut.eps)
    dataset = datasets.get_dataset(str(comparison.dense.dataset_id))
    unit = unit_of(comparison.dense.norm)
    return {
        "headline": [*headline_words(comparison.headline), *scope_words(comparison, cut)],
        "numbers": number_cards(comparison, cut),
        "predictive": predictive_table(comparison),
        "controls": controls_table(comparison),
        "notes": [html.Li(note) for note in comparison.notes],
        **margin_panels(comparison, samples, cut, theme, unit, delta),
        **curve_panels(comparison, theme, unit, margin_scales(samples, unit)[0].limit),
        **sample_panels(samples, cut, dataset, unit if has_margins(comparison) else None),
    }


def margin_panels(
    comparison: ComparisonOut, samples: list[PairedSample], cut: Cut, theme: Theme, unit: Unit, delta: float
) -> dict[str, Content]:
    """The two pictures of margins, of the samples that class and set leave; their axes stay those of all samples."""
    if not has_margins(comparison):
        nothing = message(theme, NO_MARGINS)
        table = panels.verdict_table(choose(samples, cut), cut.view)
        return {"scatter": nothing, "scatter_table": table, "histogram": nothing, "histogram_table": NO_MARGINS_WORDS}
    scales = margin_scales(samples, unit)
    marks = panels.points(choose(samples, cut), cut.view)
    eps = unit.shown(comparison.eps)
    common: dict[str, Any] = {"eps": eps, "eps_label": comparison.eps_text, "delta": delta}
    return {
        "scatter": margin_scatter(marks, theme, unit, scales=scales, **common),
        "scatter_table": panels.scatter_table(marks, unit),
        "histogram": margin_histogram(marks, theme, unit, scale=scales[0], **common),
        "histogram_table": panels.histogram_table(marks, unit, scales[0].limit),
    }


def margin_scales(samples: list[PairedSample], unit: Unit) -> tuple[AxisScale, AxisScale]:
    """Axes of the dense and the pruned margins: one length for both, so that no change is the diagonal."""
    dense, pruned = [sample.dense_margin for sample in samples], [sample.pruned_margin for sample in samples]
    limit = max(scale_for(dense, unit).limit, scale_for(pruned, unit).limit)
    return scale_for(dense, unit, limit), scale_for(pruned, unit, limit)


def curve_panels(comparison: ComparisonOut, theme: Theme, unit: Unit, limit: float) -> dict[str, Content]:
    """The robustness curves, over all samples."""
    if not has_margins(comparison):
        return {"curve": message(theme, NO_MARGINS), "curve_table": NO_MARGINS_WORDS}
    lines = panels.curves(comparison, theme)
    return {
        "curve": robustness_curve(lines, theme, unit, eps=comparison.eps, eps_label=comparison.eps_text, limit=limit),
        "curve_table": panels.curve_table(comparison, unit),
    }


def pair_panels(dense: str, pruned: str, theme: Theme, delta: float, eps: str | None = None) -> dict[str, Content]:
    """The pictures that eps, class and set do not govern: drawn once per pair and theme.

    `eps` is one at which the pair can be compared; needed where it has none of its own.
    """
    comparison = comparisons.compare(dense, pruned, eps)
    unit = unit_of(comparison.dense.norm)
    limit = margin_scales(comparisons.paired_samples(dense, pruned, eps), unit)[0].limit
    clean = comparison.clean
    held = max(1, clean.n11 + clean.n10)
    is_drawn = has_margins(comparison)
    bins = panels.shares(comparison)
    return {
        "share": share_lost(bins, theme, unit, delta=delta, limit=limit) if is_drawn else message(theme, NO_MARGINS),
        "share_table": panels.share_table(comparison, unit),
        "classes": class_flips(panels.class_shares(comparison), theme, overall=clean.n10 / held),
        "classes_table": panels.class_table(comparison),
    }


def sample_panels(samples: list[PairedSample], cut: Cut, dataset: DatasetOut, unit: Unit | None) -> dict[str, Content]:
    """Wall, table, downloads, and what the browser keeps of every sample for hovering and for the threshold.

    `unit` None: no margins were measured, only verdicts.
    """
    is_measured = unit is not None
    name, flips = choose_flips(samples, cut, is_measured=is_measured)
    gained = choose_flips(samples, replace(cut, set="S01"), is_measured=is_measured)[1]
    listed = flips if cut.set else [*flips, *gained]
    heading = html.Div(
        html.H2(
            [
                f"{SET_WORDS[name].capitalize()} samples, {'thinnest ice first' if is_measured else 'by index'}",
                html.Span(f"{SYMBOLS[name]} {len(flips):,}", className="card-note"),
            ]
        ),
        className="card-head",
    )
    return {
        "wall": [heading, *wall(flips, name, cut, dataset, unit)],
        "rows": grid_rows(listed, cut.view, dataset, unit),
        "downloads": downloads(cut, samples),
        "points": browser_points(samples, cut, dataset, unit),
    }


def browser_points(samples: list[PairedSample], cut: Cut, dataset: DatasetOut, unit: Unit | None) -> dict[str, Any]:
    """Columns, one entry per sample: index, set, margins (shown units, null where none was found), three labels."""

    def shown(margin: float | None) -> float | None:
        return None if margin is None or unit is None else unit.precise(margin)

    return {
        "index": [sample.index for sample in samples],
        "clean": [sample.set for sample in samples],
        "set": [set_of(sample, cut.view) for sample in samples],
        "dense": [shown(sample.dense_margin) for sample in samples],
        "pruned": [shown(sample.pruned_margin) for sample in samples],
        "labels": [
            [class_name(dataset, label) for label in (sample.label, sample.dense_prediction, sample.pruned_prediction)]
            for sample in samples
        ],
    }


def downloads(cut: Cut, samples: list[PairedSample]) -> list[Content]:
    """The samples as files, and in words which: the REST call knows clean sets, but no class and no robust set."""
    has_set = cut.view == "clean" and cut.set is not None
    query = (cut if has_set else Cut(cut.dense, cut.pruned, cut.eps)).api_query()
    words = export_words(cut, samples)
    links = [
        html.A(
            [icon("download"), kind.upper()],
            href=f"/api/v1/comparisons/samples?{query}&format={kind}",
            className="button button-quiet",
            download=f"thin-ice-{cut.set if has_set else 'all'}-samples.{kind}",
            title=f"Download {words} as {kind.upper()}",
            **aria(label=f"{kind.upper()} of {words}"),
        )
        for kind in ("csv", "json")
    ]
    return [html.Span(words, className="muted small"), *links]


def export_words(cut: Cut, samples: list[PairedSample]) -> str:
    """What the files hold: `all 200 samples, every set and class`, or one clean set."""
    if cut.view == "robust" or cut.set is None:
        return f"all {len(samples):,} samples, every set and class"
    count = sum(sample.set == cut.set for sample in samples)
    return f"{count:,} {SET_WORDS[cut.set]}, {'every class' if cut.label is not None else 'as listed'}"


def register_browser(app: Dash) -> None:
    """What needs no server (compare.js, hover.js)."""
    register_address(app)
    register_sliders(app)
    register_pointer(app)


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
    """The sliders' numbers in words while they move."""
    app.clientside_callback(
        browser("slideEps"),
        Output(ids.EPS_TEXT, "children"),
        Input(ids.EPS, "value"),
        State(ids.PAIR, "data"),
    )
    app.clientside_callback(
        browser("slideDelta"),
        Output(ids.DELTA_TEXT, "children"),
        Output(ids.THIN, "children"),
        Input(ids.DELTA, "value"),
        Input(ids.POINTS, "data"),
        State(ids.PAIR, "data"),
    )


def register_pointer(app: Dash) -> None:
    """Hovering over a point shows its sample, clicking opens it."""
    app.clientside_callback(
        ClientsideFunction("hover", "show"),
        Input(ids.SCATTER, "hoverData"),
        State(ids.POINTS, "data"),
        State(ids.PAIR, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        browser("open"),
        Input(ids.SCATTER, "clickData"),
        prevent_initial_call=True,
    )
