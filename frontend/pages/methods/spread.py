"""How far several trainings of one method at one level differ: what a training seed changes."""

from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas.comparisons import Rate
from backend.schemas.families import FamilyOut, FamilyRow
from backend.services.catalogues import DEFAULT_PRESET
from frontend.components import card, table
from frontend.review.methods import UNNAMED
from frontend.words import percent

FEWEST = 2  # trainings that can differ
MOST = 8  # checkpoints that stand side by side


def list_repeats(family: FamilyOut) -> dict[tuple[str, str], list[FamilyRow]]:
    """By method and group, the pruned checkpoints with margins; only where there are several."""
    found: dict[tuple[str, str], list[FamilyRow]] = {}
    for row in family.rows:
        if row.place == "pruned" and row.flips is not None:
            found.setdefault((row.method or UNNAMED, row.group), []).append(row)
    return {key: rows for key, rows in found.items() if len(rows) >= FEWEST}


def spread_card(family: FamilyOut) -> Component:
    """Lowest, mean and highest of each group of trainings, or how to get several."""
    repeats = list_repeats(family)
    if not repeats:
        words = (
            "Each method was trained once at each level, so nobody knows yet how much another training seed changes. "
            "Prune a checkpoint again with another seed, and its spread stands here."
        )
        link = dcc.Link("Prune one", href="/prune", className="button")
        return card("Spread over training seeds", html.P(words), html.Div(link, className="form-foot"))
    rows = [[f"{method}, {group}", *cells(rows)] for (method, group), rows in repeats.items()]
    columns = ["Method and level", "Trainings", "Lost at ε (%)", "Robust at ε (%)", "Samples", ""]
    return card(
        "Spread over training seeds",
        table("Lowest to highest of several trainings, and their mean", columns, rows),
        note="lowest to highest, mean in brackets; each training is one checkpoint",
    )


def cells(rows: list[FamilyRow]) -> list[str | Component]:
    flips = [row.flips for row in rows if row.flips is not None]
    robust = [one.rate for row in rows for one in row.verdicts if one.preset == DEFAULT_PRESET and one.rate is not None]
    sizes = sorted({one.n for one in flips})
    pruned = ",".join(str(one.evaluation_id) for one in flips[:MOST])
    href = f"/several?dense={flips[0].dense_evaluation_id}&pruned={pruned}&view=robust"
    return [
        f"{len(rows)}",
        spread_of([one.robust_negative_flip_rate for one in flips]),
        spread_of(robust),
        " and ".join(f"{size:,}" for size in sizes),
        dcc.Link("Compare them", href=href),
    ]


def spread_of(rates: list[Rate]) -> str:
    """`3.10 to 3.90 (3.45)`; a dash without any."""
    values = [rate.value for rate in rates]
    if not values:
        return "–"
    low, high, mean = (percent(value, unit=False) for value in (min(values), max(values), sum(values) / len(values)))
    return f"{low} to {high} ({mean})"
