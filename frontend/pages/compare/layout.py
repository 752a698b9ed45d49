"""The page's frame: what depends on the pair only. The browser and `callbacks` fill in what the address cuts."""

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas.comparisons import ComparisonOut, PairedSample
from backend.schemas.datasets import DatasetOut
from backend.services import comparisons, datasets, evaluations
from frontend.components import SET_CLASSES, SET_WORDS, SYMBOLS, aria, card, empty_state, plot
from frontend.figures.units import Unit, unit_of
from frontend.lists import read_list
from frontend.pages.compare import ids
from frontend.pages.compare.grid import grid
from frontend.pages.compare.header import bar, pair_title
from frontend.pages.compare.panels import margin_scales
from frontend.pages.compare.replay import replay_card
from frontend.review.cut import Cut, has_margins, read_cut
from frontend.review.notices import context_line, mismatch_notice, verdict_notice
from frontend.review.sliders import Sliders, read_sliders
from frontend.shipped import ways_in

WORDS_HEIGHT = 100  # of a plot that holds a sentence instead of marks


def layout(**query: str) -> Component:
    """The page for a pair; without one, how to get one."""
    if not (query.get("dense") and query.get("pruned")):
        return nothing_yet()
    cut = read_cut(query)
    comparison = comparisons.compare(cut.dense, cut.pruned, cut.eps)
    dataset = datasets.get_dataset(str(comparison.dense.dataset_id))
    unit = unit_of(comparison.dense.norm)
    samples = comparisons.paired_samples(cut.dense, cut.pruned, comparison.eps_text)
    is_measured = has_margins(comparison)
    sliders = read_sliders(comparison, samples, cut, unit)
    state = page_state(comparison, cut, sliders, unit)
    state |= browser_state(comparison, samples, dataset, unit)
    parts = [
        dcc.Store(id=ids.PAIR, data=state),
        dcc.Store(id=ids.CUT),
        dcc.Store(id=ids.FOLLOWED),
        dcc.Store(id=ids.TABLES),
        context_line(comparison, dataset, sliders.median_eps),
        pair_title(comparison, evaluation_choices()),
        mismatch_notice(comparison),
        verdict_notice(comparison),
        html.P([html.Span(id=ids.HEADLINE), html.Span(id=ids.SCOPE)], className="headline"),
        bar(state, unit, dataset),
        html.Div(
            [html.Div(className="number skeleton-number") for _ in range(6)],
            id=ids.NUMBERS,
            className="numbers",
        ),
        picture_cards(is_measured),
        evidence_cards(is_measured),
        sample_cards(grid(unit, is_measured, has_evidence=bool(comparison.additional_evidence))),
        card("What to keep in mind", html.Ul(id=ids.NOTES, className="notes")),
        hover_card(),
    ]
    return html.Div([part for part in parts if part is not None], id=ids.PAGE, className="compare")


def nothing_yet() -> Component:
    heading = html.H1("Compare", className="page-title")
    running = evaluations.list_evaluations(limit=1, state="running").total
    if running:
        sentence = (
            f"No pair has finished yet; {running} {'evaluation is' if running == 1 else 'evaluations are'} running."
        )
        return html.Div([heading, empty_state(sentence, "View jobs", "/jobs")], className="compare")
    sentence = "A comparison needs a dense checkpoint and one pruned from it, both evaluated on the same samples."
    return html.Div([heading, empty_state(sentence, ways=ways_in())], className="compare")


def page_state(comparison: ComparisonOut, cut: Cut, sliders: Sliders, unit: Unit) -> dict[str, Any]:
    """What the browser needs of the pair: unit, the sliders' range and where they start (shown units)."""
    return {
        "dense": cut.dense,
        "pruned": cut.pruned,
        "scale": unit.scale,
        "suffix": "/255" if unit.counts_steps else "",
        "has_margins": has_margins(comparison),
        "norm": comparison.dense.norm,
        "limit": sliders.limit,
        "step": sliders.step,
        "default_eps": sliders.default_eps,
        "default_eps_text": sliders.default_eps_text,
        "eps": sliders.eps,
        "eps_text": comparison.eps_text,
        "default_delta": sliders.default_delta,
        "delta": sliders.delta,
        "view": cut.view,
        "set": cut.set,
        "label": None if cut.label is None else str(cut.label),
        "dataset": str(comparison.dense.dataset_id),
    }


def browser_state(
    comparison: ComparisonOut, samples: list[PairedSample], dataset: DatasetOut, unit: Unit
) -> dict[str, Any]:
    """What the browser needs to cut the pair, with its columns. `bounds`: by index, where evidence lowered one."""
    dense, pruned = str(comparison.dense.id), str(comparison.pruned.id)
    return {
        "version": comparisons.columns_version(dense, pruned),
        "classes": dataset.classes,
        "axis": margin_scales(samples, unit)[0].limit,
        "unit": unit.suffix,
        "bounds": {
            str(sample.index): [sample.dense_best_known, sample.pruned_best_known]
            for sample in samples
            if sample.has_evidence
        },
    }


def evaluation_choices() -> list[dict[str, str]]:
    """Finished evaluations for the picker, newest first."""
    finished = read_list(lambda limit, offset: evaluations.list_evaluations(limit, offset, state="succeeded"))
    return [
        {
            "value": str(item.id),
            "label": f"{item.checkpoint_name} · {item.preset} · n {item.n:,} · {item.norm} · seed {item.seed}",
        }
        for item in finished
    ]


def set_key() -> Component:
    """The four shapes by name: the key that the plots have in common."""
    items = [html.Span(f"{SYMBOLS[name]} {SET_WORDS[name]}", className=SET_CLASSES[name]) for name in SYMBOLS]
    return html.Span(items, className="key")


def picture_cards(is_measured: bool) -> Component:
    """The plots of margins; where there are none their words need little room."""
    scatter = card(
        "Margins before and after pruning",
        plot(
            ids.SCATTER,
            ids.SCATTER_TABLE,
            height=616 if is_measured else 2 * WORDS_HEIGHT,
            label="Dense margin against pruned margin, one mark per sample",
        ),
        tools=set_key(),
        kind="scatter-card",
    )
    share = card(
        "Does thin ice predict the losses?",
        plot(
            ids.SHARE,
            ids.SHARE_TABLE,
            height=216 if is_measured else WORDS_HEIGHT,
            label="Share lost by dense margin, with interval",
        ),
        html.P(id=ids.THIN, className="footnote", **aria(live="polite")),
        note="clean flips; independent of ε",
    )
    curve = card(
        "Robustness curve",
        plot(
            ids.CURVE,
            ids.CURVE_TABLE,
            height=232 if is_measured else WORDS_HEIGHT,
            label="Robust accuracy by eps for both models",
        ),
        note="all samples",
    )
    return html.Div([scatter, html.Div([share, curve], className="stack")], className="pictures")


def evidence_cards(is_measured: bool) -> Component:
    predictive = card("Which score predicts losses?", html.Div(id=ids.PREDICTIVE), kind="wide")
    controls = card("Compared with the controls", html.Div(id=ids.CONTROLS), note="flips caused by any change")
    histogram = card(
        "Margins before pruning",
        plot(
            ids.HISTOGRAM,
            ids.HISTOGRAM_TABLE,
            height=260 if is_measured else WORDS_HEIGHT,
            label="Histogram of dense margins by set",
        ),
        tools=set_key(),
    )
    classes = card(
        "Losses by class",
        plot(ids.CLASSES, ids.CLASSES_TABLE, height=300, label="Share lost by class, with interval"),
        note="clean flips; red where a class loses more than the rest (p < 0.05, corrected)",
    )
    return html.Div([predictive, controls, histogram, classes, replay_card()], className="evidence")


def sample_cards(table: Component) -> Component:
    wall = html.Section(id=ids.WALL, className="card")
    rows = card(
        "Samples as a table",
        table,
        tools=html.Div(id=ids.DOWNLOADS, className="downloads"),
        note="the flipped samples, or the chosen set; sort by any column",
    )
    return html.Div([wall, rows], className="stack")


def hover_card() -> Component:
    """What a mark of the scatter shows under the pointer; moved and filled by the browser."""
    return html.Div(
        [html.Img(id=ids.HOVER_IMAGE, className="pixels", alt=""), html.Div(id=ids.HOVER_TEXT)],
        id=ids.HOVER,
        className="hover-card",
        hidden=True,
    )
