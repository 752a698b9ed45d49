"""The finding on the page: its sentences, the scatter of the pair, and lost samples."""

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas.comparisons import PairedSample
from frontend.components import Content, aria, card, set_word
from frontend.figures.scatter import Point, margin_scatter, scale_for
from frontend.pages.overview import ids
from frontend.pages.overview.finding import Finding
from frontend.review.headline import headline_words, pair_names
from frontend.review.notices import mismatch_notice
from frontend.review.sliders import default_delta, slider_step
from frontend.review.words import class_name
from frontend.theme import Theme

HEIGHT = 400
STATIC: Any = {"staticPlot": True, "displayModeBar": False, "responsive": True}


def show_finding(finding: Finding, theme: Theme) -> list[Content]:
    """Everything at the top of the page for a pair."""
    found = finding.comparison
    pictures = [lost_card(finding)]
    if finding.is_measured:
        pictures.insert(0, scatter_card(finding, theme))
    parts: list[Content] = [
        html.H2(dcc.Link(pair_names(found), href=finding.address), className="pair-title"),
        html.P(headline_words(found.headline), className="finding-sentence"),
        mismatch_notice(found),
        html.Div(pictures, className="finding-pictures"),
    ]
    return [part for part in parts if part is not None]


def scatter_card(finding: Finding, theme: Theme) -> Component:
    """The scatter as a picture that leads to Compare, where it can be explored."""
    unit, samples = finding.unit, finding.samples
    dense, pruned = [one.dense_margin for one in samples], [one.pruned_margin for one in samples]
    limit = max(scale_for(dense, unit).limit, scale_for(pruned, unit).limit)
    eps = unit.shown(finding.comparison.eps)
    figure = margin_scatter(
        [Point(one.index, one.set, one.dense_margin, one.pruned_margin) for one in samples],
        theme,
        unit,
        eps=eps,
        eps_label=finding.comparison.eps_text,
        delta=default_delta(eps, slider_step(limit, unit)),
        scales=(scale_for(dense, unit, limit), scale_for(pruned, unit, limit)),
    )
    graph = dcc.Graph(id=ids.SCATTER, figure=figure, config=STATIC, style={"height": f"{HEIGHT}px"})
    counts = finding.comparison.clean
    names = f"{finding.comparison.dense.checkpoint_name} and {finding.comparison.pruned.checkpoint_name}"
    spoken = html.Span(f"Margins of {names}: compare them sample by sample", className="hidden-label")
    key = html.Span([set_word("S10"), set_word("S01"), set_word("S11")], className="key")
    return card(
        "Margins before and after pruning",
        dcc.Link([html.Div(graph, **aria(hidden="true")), spoken], href=finding.address, className="plot-link"),
        note=f"{counts.n10 + counts.n01:,} flips among {finding.comparison.n:,} samples",
        tools=key,
        kind="finding-scatter",
    )


def lost_card(finding: Finding) -> Component:
    """The lost samples on the thinnest ice, each a link to its page."""
    tiles = [lost_tile(finding, sample) for sample in finding.lost]
    body: Content = html.Div(tiles, className="finding-lost")
    if not tiles:
        body = html.P("No sample is lost.", className="muted")
    note = "those on thin ice first, with their dense margins" if finding.is_measured else None
    button = dcc.Link("Open the comparison", href=finding.address, className="button button-primary")
    return card("Lost samples", body, html.Div(button, className="finding-more"), note=note, kind="finding-lost-card")


def lost_tile(finding: Finding, sample: PairedSample) -> Component:
    """A lost sample: what it is, what the pruned network takes it for, and the margin that it had."""
    label, wrong = (class_name(finding.dataset, one) for one in (sample.label, sample.pruned_prediction))
    address = f"/api/v1/datasets/{finding.dataset.id}/samples/{sample.index}.png"
    words = html.Span([html.Strong(label), f" ▼ {wrong}"], className="is-lost tile-labels")
    margin = finding.unit.text(sample.dense_margin) if finding.is_measured and sample.dense_margin else ""
    return dcc.Link(
        [
            html.Img(src=address, alt=f"{label}, sample {sample.index}", className="pixels"),
            words,
            html.Span(margin, className="tile-margin"),
        ],
        href=finding.cut.sample_address(sample.index),
        className="tile",
    )
