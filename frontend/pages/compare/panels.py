"""From a comparison to the figures' plain data, and to the tables that say the same in numbers."""

from dash import html
from dash.development.base_component import Component

from backend.schemas.comparisons import ComparisonOut, CountsOut, CurvePoint, PairedSample
from frontend.components import table
from frontend.figures.classes import ClassShare
from frontend.figures.curve import CurveLine
from frontend.figures.scatter import AxisScale, Point, scale_for
from frontend.figures.share_lost import LostShare
from frontend.figures.units import Unit
from frontend.theme import Theme


def points(samples: list[PairedSample]) -> list[Point]:
    """Every sample in its clean set; the browser shows other sets and leaves samples out."""
    return [Point(sample.index, sample.set, sample.dense_margin, sample.pruned_margin) for sample in samples]


def margin_scales(samples: list[PairedSample], unit: Unit) -> tuple[AxisScale, AxisScale]:
    """Axes of the dense and the pruned margins: one length for both, so that no change is the diagonal."""
    dense, pruned = [sample.dense_margin for sample in samples], [sample.pruned_margin for sample in samples]
    limit = max(scale_for(dense, unit).limit, scale_for(pruned, unit).limit)
    return scale_for(dense, unit, limit), scale_for(pruned, unit, limit)


def percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def accuracies(comparison: ComparisonOut, side: str) -> tuple[float, float]:
    """Clean and robust accuracy of one side on the shared samples, from the counts."""
    clean, robust = (right(counts, side) / max(1, comparison.n) for counts in (comparison.clean, comparison.robust))
    return clean, robust


def right(counts: CountsOut, side: str) -> int:
    return counts.n11 + (counts.n10 if side == "dense" else counts.n01)


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
