"""The six numbers of a comparison, as cards; the four sets are also buttons that filter by them."""

import json

from dash import html
from dash.development.base_component import Component

from backend.schemas import Interval
from backend.schemas.comparisons import ComparisonOut, CountsOut, Rate
from frontend.components import SET_WORDS, SYMBOLS, Content, aria, data
from frontend.review.cut import Cut, counts_of


def percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def interval_text(interval: Interval, scale: float = 100, digits: int = 2) -> Component:
    return html.Span(f"[{scale * interval.low:.{digits}f}, {scale * interval.high:.{digits}f}]", className="interval")


def p_value(p: float) -> Content:
    """An exact p: below 0.001 its power of ten, because more digits say nothing."""
    if p >= 0.001:
        return f"p = {p:.3f}"
    exponent = -1
    while p < 10.0**exponent and exponent > -300:
        exponent -= 1
    return ["p < 10", html.Sup(f"{exponent + 1}".replace("-", "−"))]


def number_cards(comparison: ComparisonOut, cut: Cut) -> list[Component]:
    """Kept, lost, gained, wrong on both (by clean or robust correctness), accuracies, and the exact test."""
    counts = counts_of(comparison, cut.view)
    is_clean = cut.view == "clean"
    lost = comparison.negative_flip_rate if is_clean else comparison.robust_statistics.negative_flip_rate
    p = comparison.mcnemar_p if is_clean else comparison.robust_statistics.mcnemar_p
    gained = comparison.positive_flip_rate if is_clean else None
    n = comparison.n
    return [
        set_card("S11", counts.n11, plain_share(counts.n11, n), cut),
        set_card("S10", counts.n10, rate_text(lost), cut),
        set_card("S01", counts.n01, rate_text(gained) if gained else plain_share(counts.n01, n), cut),
        set_card("S00", counts.n00, plain_share(counts.n00, n), cut),
        accuracy_card(comparison),
        plain_card(
            "Exact McNemar test",
            p_value(p),
            f"{counts.n10:,} lost, {counts.n01:,} gained",
        ),
    ]


def plain_share(count: int, n: int) -> list[Content]:
    return [f"{percent(count / n)} of {n:,}"] if n else ["no samples"]


def rate_text(rate: Rate) -> list[Content]:
    return [f"{percent(rate.value)} of {rate.n:,} ", interval_text(rate.interval)]


def set_card(name: str, count: int, detail: list[Content], cut: Cut) -> Component:
    """A set's count. Pressing it shows that set only, pressing it again all of them."""
    is_chosen = cut.set == name
    tone = {"S10": " number-lost", "S01": " number-gained"}.get(name, "")
    parts = [
        html.Span(
            [f"{SYMBOLS[name]} {SET_WORDS[name]} ", html.Span(name, className="muted")], className="number-label"
        ),
        html.Span(f"{count:,}", className="number-value"),
        html.Span(detail, className="number-detail"),
    ]
    return html.Button(
        parts,
        className=f"number number-button{tone}",
        title="Show all sets again" if is_chosen else f"Show {SET_WORDS[name]} samples only",
        **data(go=json.dumps({"set": None if is_chosen else name})),
        **aria(pressed=str(is_chosen).lower()),
    )


def plain_card(label: Content, value: Content, detail: Content) -> Component:
    parts = [
        html.Div(label, className="number-label"),
        html.Div(value, className="number-value"),
        html.Div(detail, className="number-detail"),
    ]
    return html.Div(parts, className="number")


def accuracy_card(comparison: ComparisonOut) -> Component:
    """Clean / robust accuracy of both, the pruned model's large."""
    dense, pruned = (accuracies(comparison, side) for side in ("dense", "pruned"))
    return plain_card(
        f"Pruned, clean / robust at {comparison.eps_text}",
        [
            f"{100 * pruned[0]:.2f}",
            html.Span(" / ", className="slash"),
            f"{100 * pruned[1]:.2f}",
            html.Span(" %", className="unit"),
        ],
        f"dense {100 * dense[0]:.2f} / {100 * dense[1]:.2f} %",
    )


def accuracies(comparison: ComparisonOut, side: str) -> tuple[float, float]:
    """Clean and robust accuracy of one side on the shared samples, from the counts."""
    clean, robust = (right(counts, side) / max(1, comparison.n) for counts in (comparison.clean, comparison.robust))
    return clean, robust


def right(counts: CountsOut, side: str) -> int:
    return counts.n11 + (counts.n10 if side == "dense" else counts.n01)
