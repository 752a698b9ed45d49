"""From a comparison to the figures' plain data, and to the tables that say the same in numbers."""

import json

from dash import html
from dash.development.base_component import Component

from backend.analysis.outcomes import largest_within
from backend.schemas.comparisons import BinOut, ComparisonOut, CountsOut, CurvePoint, PairedSample
from frontend.components import Content, aria, data, table
from frontend.figures.classes import ClassShare
from frontend.figures.curve import CurveLine
from frontend.figures.scatter import Point
from frontend.figures.share_lost import LostShare
from frontend.figures.units import Unit
from frontend.review.cut import View
from frontend.theme import Theme


def points(samples: list[PairedSample]) -> list[Point]:
    """Every sample in its clean set; the browser shows other sets and leaves samples out."""
    return [Point(sample.index, sample.set, sample.dense_margin, sample.pruned_margin) for sample in samples]


def percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def accuracies(comparison: ComparisonOut, side: str) -> tuple[float, float]:
    """Clean and robust accuracy of one side on the shared samples, from the counts."""
    clean, robust = (right(counts, side) / max(1, comparison.n) for counts in (comparison.clean, comparison.robust))
    return clean, robust


def right(counts: CountsOut, side: str) -> int:
    return counts.n11 + (counts.n10 if side == "dense" else counts.n01)


def bins_of(comparison: ComparisonOut, view: View) -> list[BinOut]:
    """The losses by dense margin, clean or robust."""
    return comparison.bins if view == "clean" else comparison.robust_bins


def shares(comparison: ComparisonOut, view: View) -> list[LostShare]:
    """The bins that have a range; samples already wrong and those without an adversarial are in the table only."""
    return [
        LostShare(item.low, item.high, item.n, item.lost, item.share, item.interval.low, item.interval.high)
        for item in bins_of(comparison, view)
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


def class_shares(comparison: ComparisonOut, view: View) -> list[ClassShare]:
    rows = comparison.classes if view == "clean" else comparison.robust_classes
    return [
        ClassShare(
            item.name, item.n, item.lost, item.rate, item.interval.low, item.interval.high, item.adjusted_p, item.label
        )
        for item in rows
    ]


def share_table(comparison: ComparisonOut, unit: Unit, view: View) -> Component:
    rows: list[list[Content]] = []
    for place, item in enumerate(bins_of(comparison, view)):
        words = item.label
        if item.low is not None and item.high is not None:
            words = f"{unit.shown(item.low):.1f} to {unit.shown(item.high):.1f}"
        low, high = 100 * item.interval.low, 100 * item.interval.high
        share = f"{percent(item.share)} [{low:.1f}, {high:.1f}]"
        pick = pick_of(comparison, view, place)
        counts = [
            pick_cell(item.n, f"samples with dense margin {words}", {"pick": pick, "set": None}),
            pick_cell(item.lost, f"lost samples with dense margin {words}", {"pick": pick, "set": "S10"}),
        ]
        rows.append([words, *counts, share])
    return table("Share lost by dense margin", [unit.titled("Dense margin"), "Samples", "Lost", "Share"], rows)


def pick_of(comparison: ComparisonOut, view: View, place: int) -> str:
    """The samples of a bin as a selection of an address; the first one begins where the population does."""
    item = bins_of(comparison, view)[place]
    if item.low is None or item.high is None:
        return "dense_none_none"
    start = "0" if view == "clean" else repr(largest_within(comparison.eps))
    return f"dense_{start if place == 0 else repr(item.low)}_{item.high!r}"


def pick_cell(count: int, words: str, changes: dict[str, str | None]) -> Content:
    """A number of samples that a press picks; plain where there are none."""
    if not count:
        return "0"
    label = aria(label=f"{count:,} {words}: show only these")
    return html.Button(f"{count:,}", className="cell", **data(go=json.dumps(changes)), **label)


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


def class_table(comparison: ComparisonOut, view: View) -> Component:
    rows: list[list[Content]] = [
        [
            item.name,
            pick_cell(item.n, f"samples of class {item.name}", {"class": str(item.label), "set": None}),
            pick_cell(item.lost, f"lost samples of class {item.name}", {"class": str(item.label), "set": "S10"}),
            f"{percent(item.rate)} [{100 * item.low:.1f}, {100 * item.high:.1f}]",
            f"{item.adjusted_p:.2g}",
        ]
        for item in sorted(class_shares(comparison, view), key=lambda item: -item.rate)
    ]
    held = "Dense correct" if view == "clean" else f"Dense holds at {comparison.eps_text}"
    return table("Share lost by class", ["Class", held, "Lost", "Share", "Adjusted p"], rows)
