"""From a family to the panels of the figure: plain data, one panel a kind of zeros and quantity."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import plotly.graph_objects as go

from backend.schemas.comparisons import Rate
from backend.schemas.families import FamilyOut, FamilyRow
from backend.services.catalogues import DEFAULT_PRESET
from frontend.figures.frame import message
from frontend.figures.overlaid import NetworkLook
from frontend.figures.sparsity import HEIGHT, Band, SparsityMark, Trail
from frontend.figures.standing import MarkedShare, StandingMark, draw_standing
from frontend.review.methods import UNNAMED, order_methods, place_method
from frontend.theme import Theme

STANDING = "standing"
"""The key of the panel that shows every checkpoint by clean and robust accuracy."""

KINDS = {"weight": "weights", "filter": "filters", "channel": "input channels"}
Interval = tuple[float, float, float, list[UUID]]
"""Value, low and high in the unit of the axis, and the evaluations behind it."""


@dataclass(frozen=True)
class Quantity:
    """What a panel shows: how a row gives it, and which rows stand as bands."""

    key: str
    title: str
    read: Callable[[FamilyRow], Interval | None]
    bands: tuple[str, ...]
    is_share: bool


def read_rate(rate: Rate | None, ids: Sequence[UUID | None]) -> Interval | None:
    if rate is None:
        return None
    interval = rate.interval
    return 100 * rate.value, 100 * interval.low, 100 * interval.high, [each for each in ids if each is not None]


def read_clean(row: FamilyRow) -> Interval | None:
    return read_rate(row.clean_accuracy.rate, [row.clean_accuracy.evaluation_id])


def read_robust(row: FamilyRow) -> Interval | None:
    found = next(one for one in row.verdicts if one.preset == DEFAULT_PRESET)
    return read_rate(found.rate, [found.evaluation_id])


def read_lost(row: FamilyRow) -> Interval | None:
    if row.flips is None:
        return None
    return read_rate(row.flips.robust_negative_flip_rate, [row.flips.dense_evaluation_id, row.flips.evaluation_id])


def read_auroc(row: FamilyRow) -> Interval | None:
    if row.flips is None or row.flips.auroc is None:
        return None
    auroc = row.flips.auroc
    return auroc.value, auroc.low, auroc.high, [row.flips.dense_evaluation_id, row.flips.evaluation_id]


QUANTITIES = (
    Quantity("clean", "Clean accuracy (%)", read_clean, ("dense", "finetuned"), True),
    Quantity("robust", "Robust accuracy from margins (%)", read_robust, ("dense", "finetuned"), True),
    Quantity("lost", "Lost at ε, of all samples (%)", read_lost, ("finetuned",), True),
    Quantity("auroc", "AUROC of small dense margin", read_auroc, ("finetuned",), False),
)


def list_methods(family: FamilyOut) -> list[str]:
    """The methods in the order of the key."""
    return order_methods(row.method for row in family.rows if row.place == "pruned")


def list_panels(family: FamilyOut) -> list[dict[str, Any]]:
    """Every panel as plain data for the browser's store: `read_panel` gives the figure's arguments back.

    A kind of zeros of which nothing was measured has no panels, unless nothing at all was: one row then says so.
    """
    pruned = [row for row in family.rows if row.place == "pruned"]
    kinds = {kind: rows for kind in KINDS if (rows := [row for row in pruned if row.structure == kind])}
    measured = [kind for kind, rows in kinds.items() if any(one.read(row) for row in rows for one in QUANTITIES)]
    return [
        make_panel(family, kinds[kind], kind, quantity)
        for kind in measured or list(kinds)[:1]
        for quantity in QUANTITIES
    ]


def make_standing(family: FamilyOut) -> dict[str, Any]:
    """The panel of every checkpoint with both accuracies, as plain data; `place` None: nothing was pruned."""
    methods = list_methods(family)
    marks = []
    for row in family.rows:
        clean, robust = read_clean(row), read_robust(row)
        if clean is None or robust is None:
            continue
        is_pruned = row.place == "pruned"
        marks.append(
            {
                "name": row.name,
                "place": place_method(row.method or UNNAMED, methods) if is_pruned else None,
                "is_dense": row.place == "dense",
                "clean": list(clean[:3]),
                "robust": list(robust[:3]),
                "link": [str(each) for each in robust[3]],
            }
        )
    return {"key": STANDING, "marks": marks}


def draw_marks(marks: Sequence[dict[str, Any]], theme: Theme) -> go.Figure:
    """The panel of all checkpoints, whose marks lead to their evaluations."""
    shown = [
        StandingMark(
            NetworkLook(one["name"], one["place"], is_control=one["place"] is None and not one["is_dense"]),
            number,
            "",
            None,
            MarkedShare(*one["clean"]),
            MarkedShare(*one["robust"]),
            MarkedShare(0, 0, 0),
        )
        for number, one in enumerate(marks)
    ]
    if not shown:
        return message(theme, "Not measured yet.")
    figure = draw_standing(shown, theme)
    for trace, one in zip(figure.data, marks, strict=True):
        trace.customdata = [one["link"]]
    figure.update_layout(height=HEIGHT, dragmode=False)
    return figure


def make_panel(family: FamilyOut, rows: Sequence[FamilyRow], kind: str, quantity: Quantity) -> dict[str, Any]:
    methods = list_methods(family)
    trails = [
        Trail(
            method,
            place_method(method, methods),
            [mark for row in rows if (row.method or UNNAMED) == method and (mark := make_mark(row, quantity))],
        )
        for method in methods
        if any((row.method or UNNAMED) == method for row in rows)
    ]
    return {
        "key": f"{kind}-{quantity.key}",
        "title": quantity.title,
        "x_title": f"{KINDS[kind].capitalize()} pruned (%)",
        "levels": sorted({row.level for row in rows if row.level is not None}),
        "is_share": quantity.is_share,
        "trails": [asdict(trail) for trail in trails],
        "bands": [asdict(band) for band in make_bands(family, quantity)],
    }


def make_mark(row: FamilyRow, quantity: Quantity) -> SparsityMark | None:
    found = quantity.read(row)
    if found is None or row.level is None:
        return None
    value, low, high, ids = found
    digits, unit = (2, " %") if quantity.is_share else (3, "")
    words = f"{row.name}<br>{value:.{digits}f}{unit} [{low:.{digits}f}, {high:.{digits}f}]"
    return SparsityMark(row.level, value, low, high, words, [str(each) for each in ids])


def make_bands(family: FamilyOut, quantity: Quantity) -> list[Band]:
    """The dense network, and its first control."""
    bands: dict[str, Band] = {}
    for row in family.rows:
        found = quantity.read(row) if row.place in quantity.bands else None
        if found is not None and row.place not in bands:
            bands[row.place] = Band(row.name, *found[:3], is_control=row.place == "finetuned")
    return list(bands.values())


def read_panel(panel: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `draw_sparsity` from a panel that went through the browser."""
    trails = [
        Trail(each["name"], each["place"], [SparsityMark(**mark) for mark in each["marks"]]) for each in panel["trails"]
    ]
    return {
        "trails": trails,
        "bands": [Band(**band) for band in panel["bands"]],
        "x_title": panel["x_title"],
        "y_title": "",
        "levels": panel["levels"],
        "is_share": panel["is_share"],
    }
