"""From a comparison to the figures' plain data, and to the tables that say the same in numbers."""

import math

from dash import html
from dash.development.base_component import Component

from backend.analysis.statistics import find_middle
from backend.schemas import FlipSet
from backend.schemas.comparisons import ComparisonOut, CurvePoint, PairedSample
from frontend.components import SET_WORDS, SYMBOLS, table
from frontend.figures.classes import ClassShare
from frontend.figures.curve import CurveLine
from frontend.figures.histogram import bin_words, count_margins
from frontend.figures.scatter import Point
from frontend.figures.share_lost import LostShare
from frontend.figures.units import Unit
from frontend.pages.compare.numbers import accuracies, percent
from frontend.review.cut import View, set_of
from frontend.theme import Theme

SET_ORDER: tuple[FlipSet, ...] = ("S11", "S10", "S01", "S00")


def points(samples: list[PairedSample], view: View) -> list[Point]:
    return [Point(sample.index, set_of(sample, view), sample.dense_margin, sample.pruned_margin) for sample in samples]


def shares(comparison: ComparisonOut) -> list[LostShare]:
    """The bins that have a range; samples already wrong and those without an adversarial are in the table only."""
    return [
        LostShare(item.low, item.high, item.n, item.lost, item.share, item.interval.low, item.interval.high)
        for item in comparison.bins
        if item.low is not None and item.high is not None
    ]


def curves(comparison: ComparisonOut, theme: Theme) -> list[CurveLine]:
    shown = []
    for name, colour in (("dense", theme.dense), ("pruned", theme.pruned[0])):
        line = comparison.curves[name]
        shown.append(
            CurveLine(
                name,
                colour,
                [point.eps for point in line],
                [point.robust_accuracy for point in line],
                [point.low for point in line],
                [point.high for point in line],
                accuracies(comparison, name)[1],
            )
        )
    return shown


def class_shares(comparison: ComparisonOut) -> list[ClassShare]:
    return [
        ClassShare(item.name, item.n, item.lost, item.rate, item.interval.low, item.interval.high, item.adjusted_p)
        for item in comparison.classes
    ]


def scatter_table(marks: list[Point], unit: Unit) -> Component:
    """The scatter in numbers: of each set its size, its samples without a distance, and the middle margins."""
    rows = []
    for name in SET_ORDER:
        of_set = [mark for mark in marks if mark.set == name]
        row = [f"{SYMBOLS[name]} {SET_WORDS[name]}", f"{len(of_set):,}"]
        for values in ([mark.dense for mark in of_set], [mark.pruned for mark in of_set]):
            row += [
                unit.text(find_middle([math.inf if value is None else value for value in values])) if of_set else "–",
                f"{sum(value == 0 for value in values):,}",
                f"{sum(value is None for value in values):,}",
            ]
        rows.append(row)
    columns = ["Set", "Samples"] + [
        f"{side} {what}" for side in ("Dense", "Pruned") for what in ("median", "wrong", "not found")
    ]
    return table("Samples by set, with their median margins", columns, rows)


def verdict_table(samples: list[PairedSample], view: View) -> Component:
    """How many samples are in each set, where there are no margins to speak of."""
    names = [set_of(sample, view) for sample in samples]
    rows = [[f"{SYMBOLS[name]} {SET_WORDS[name]}", f"{names.count(name):,}"] for name in SET_ORDER]
    return table("Samples by set", ["Set", "Samples"], rows)


def histogram_table(marks: list[Point], unit: Unit, limit: float) -> Component:
    edges, counts = count_margins(marks, unit, limit)
    rows = [
        [words, *(f"{counts[name][place]:,}" for name in SET_ORDER)]
        for place, words in enumerate(bin_words(edges))
        if any(counts[name][place] for name in SET_ORDER)
    ]
    columns = [unit.titled("Dense margin"), *(f"{SYMBOLS[name]} {SET_WORDS[name]}" for name in SET_ORDER)]
    return table("Samples by dense margin and set", columns, rows)


def share_table(comparison: ComparisonOut, unit: Unit) -> Component:
    rows = []
    for item in comparison.bins:
        words = item.label
        if item.low is not None and item.high is not None:
            words = f"{unit.shown(item.low):.1f} to {unit.shown(item.high):.1f}"
        low, high = 100 * item.interval.low, 100 * item.interval.high
        share = f"{percent(item.share)} [{low:.1f}, {high:.1f}]"
        rows.append([words, f"{item.n:,}", f"{item.lost:,}", share])
    return table("Share lost by dense margin", [unit.titled("Dense margin"), "Samples", "Lost", "Share"], rows)


def curve_table(comparison: ComparisonOut, unit: Unit) -> Component:
    """The curves at some twenty of their points."""
    dense, pruned = comparison.curves["dense"], comparison.curves["pruned"]
    if not dense:
        return html.P("No curve can be drawn from these evaluations.")
    every = max(1, len(dense) // 20)
    rows = [
        [
            f"{unit.shown(first.eps):.1f}" if unit.counts_steps else f"{first.eps:.3g}",
            *map(accuracy_text, (first, second)),
        ]
        for first, second in list(zip(dense, pruned, strict=True))[::every]
    ]
    return table("Robust accuracy by ε", [unit.titled("ε"), "Dense", "Pruned"], rows)


def accuracy_text(point: CurvePoint) -> str:
    return f"{percent(point.robust_accuracy)} [{100 * point.low:.1f}, {100 * point.high:.1f}]"


def class_table(comparison: ComparisonOut) -> Component:
    rows = [
        [
            item.name,
            f"{item.n:,}",
            f"{item.lost:,}",
            f"{percent(item.rate)} [{100 * item.interval.low:.1f}, {100 * item.interval.high:.1f}]",
            f"{item.adjusted_p:.2g}",
        ]
        for item in sorted(comparison.classes, key=lambda item: -item.rate)
    ]
    return table("Share lost by class", ["Class", "Dense correct", "Lost", "Share", "Adjusted p"], rows)
