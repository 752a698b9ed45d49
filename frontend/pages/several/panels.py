"""From several checkpoints to the figures' plain data, and to the tables that say the same in numbers."""

from typing import Any

import plotly.graph_objects as go

from backend.schemas.comparisons import Rate
from backend.schemas.several import SeveralRow
from backend.services import comparisons
from frontend.components import table
from frontend.figures.overlaid import (
    NetworkLook,
    OverlaidCurve,
    OverlaidMargins,
    bin_edges,
    count_margins_in_bins,
    overlaid_curves,
    overlaid_margins,
)
from frontend.figures.standing import MarkedShare, StandingMark, draw_levels, draw_standing
from frontend.pages.several import ids
from frontend.pages.several.chosen import Chosen
from frontend.plain import Tree, plain
from frontend.theme import Theme
from frontend.words import percent

SHOWN_POINTS = 20  # of a curve in its table


def list_networks(chosen: Chosen) -> list[tuple[NetworkLook, SeveralRow]]:
    """The dense one and the pruned ones, each with its look."""
    dense = chosen.found.dense
    return [(NetworkLook(dense.name, None), dense), *zip(chosen.looks, chosen.found.pruned, strict=True)]


def read_curves(chosen: Chosen) -> list[OverlaidCurve]:
    return [
        OverlaidCurve(
            look,
            [point.eps for point in row.curve],
            [point.robust_accuracy for point in row.curve],
            [point.low for point in row.curve],
            [point.high for point in row.curve],
            chosen.found.n,
        )
        for look, row in list_networks(chosen)
    ]


def read_margins(chosen: Chosen) -> list[OverlaidMargins]:
    columns = comparisons.several_margins(chosen.found.dense.evaluation_id, chosen.pruned_ids)
    return [
        OverlaidMargins(look, count_margins_in_bins(column.tolist(), chosen.unit, chosen.limit), chosen.found.n)
        for (look, _), column in zip(list_networks(chosen), columns, strict=True)
    ]


def read_marks(chosen: Chosen) -> list[StandingMark]:
    methods = ["", *chosen.methods]
    return [
        StandingMark(
            look=look,
            number=number,
            method=method,
            level=None if number < 0 else chosen.level_of(row.evaluation_id),
            clean=read_share(row.clean_accuracy),
            robust=read_share(row.robust_accuracy),
            lost=read_share(row.robust_lost),
        )
        for number, ((look, row), method) in enumerate(zip(list_networks(chosen), methods, strict=True), -1)
    ]


def read_share(rate: Rate) -> MarkedShare:
    return MarkedShare(100 * rate.value, 100 * rate.interval.low, 100 * rate.interval.high)


def draw_figures(chosen: Chosen, theme: Theme) -> dict[str, go.Figure]:
    """By the id of their place."""
    unit, marks = chosen.unit, read_marks(chosen)
    guides: dict[str, Any] = {"eps": unit.shown(chosen.found.eps), "eps_label": chosen.found.eps_text}
    return {
        ids.CURVE: overlaid_curves(read_curves(chosen), theme, unit, **guides, limit=chosen.limit),
        ids.HISTOGRAM: overlaid_margins(
            read_margins(chosen), theme, unit, **guides, delta=chosen.delta, limit=chosen.limit
        ),
        ids.STANDING: draw_standing(marks, theme),
        ids.LOST_LEVELS: draw_levels(marks, theme, quantity="lost", title="Lost at ε (%)"),
        ids.ROBUST_LEVELS: draw_levels(marks, theme, quantity="robust", title="Robust accuracy at ε (%)"),
    }


def draw_tables(chosen: Chosen) -> dict[str, list[Tree | str]]:
    """The numbers behind the pictures that no cut changes, by the id of their place."""
    names = [look.name for look, _ in list_networks(chosen)]
    curves, margins = read_curves(chosen), read_margins(chosen)
    every = max(1, len(curves[0].eps) // SHOWN_POINTS)
    points = [
        [eps_cell(chosen, eps), *(curve_cell(curve, place) for curve in curves)]
        for place, eps in enumerate(curves[0].eps)
        if place % every == 0
    ]
    edges = bin_edges(chosen.limit)
    bins = [
        [f"{low:.1f} to {edges[place + 1]:.1f}", *(f"{one.counts[place]:,}" for one in margins)]
        for place, low in enumerate(edges[:-1])
    ]
    title = f"Samples by margin, of {chosen.found.n:,}"
    return {
        ids.CURVE_TABLE: plain(table("Robust accuracy by ε", [chosen.unit.titled("ε"), *names], points)),
        ids.HISTOGRAM_TABLE: plain(table(title, [chosen.unit.titled("Margin"), *names], bins)),
    }


def eps_cell(chosen: Chosen, eps: float) -> str:
    return f"{chosen.unit.shown(eps):.1f}" if chosen.unit.counts_steps else f"{eps:.3g}"


def curve_cell(curve: OverlaidCurve, place: int) -> str:
    low, high = 100 * curve.low[place], 100 * curve.high[place]
    return f"{percent(curve.accuracy[place])} [{low:.1f}, {high:.1f}]"
