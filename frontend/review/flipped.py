"""The samples behind the numbers: a wall of thumbnails, thinnest ice first, and the same as a table."""

from typing import Any

import dash_ag_grid as dag
from dash import html
from dash.development.base_component import Component

from backend.schemas import FlipSet
from backend.schemas.comparisons import PairedSample
from backend.schemas.datasets import DatasetOut
from frontend import ids
from frontend.components import SET_CLASSES, SET_WORDS, SYMBOLS, Content, data
from frontend.figures.units import Unit
from frontend.review.cut import Cut, View, set_of

SHOWN = 18  # tiles before "show the others"
MOST = 120  # tiles at all; the table holds every sample


def class_name(dataset: DatasetOut, label: int) -> str:
    """A class by name; by number where the data set has fewer names than the model has classes."""
    return dataset.classes[label] if 0 <= label < len(dataset.classes) else f"class {label}"


def wall(
    samples: list[PairedSample], name: FlipSet, cut: Cut, dataset: DatasetOut, unit: Unit | None
) -> list[Component]:
    """Tiles in the given order; what lies beyond the first rows opens on request. `unit` None: no margins to show."""
    if not samples:
        return [html.P(nothing_sentence(name, cut), className="muted")]
    tiles = [tile(sample, name, cut, dataset, unit) for sample in samples[:MOST]]
    parts: list[Component] = [html.Div(tiles[:SHOWN], className="wall")]
    if len(tiles) > SHOWN:
        words = f"Show {len(tiles) - SHOWN} more"
        if len(samples) > MOST:
            words += f" (the table below holds all {len(samples):,})"
        parts.append(html.Details([html.Summary(words), html.Div(tiles[SHOWN:], className="wall")], className="more"))
    return parts


def nothing_sentence(name: FlipSet, cut: Cut) -> str:
    at = " at this ε" if cut.view == "robust" else ""
    which = " of this class" if cut.label is not None else ""
    return f"No sample{which} is {SET_WORDS[name]}{at}."


def tile(sample: PairedSample, name: FlipSet, cut: Cut, dataset: DatasetOut, unit: Unit | None) -> Component:
    """One sample: picture, true label and what became of it, index and both margins, or both verdicts."""
    label = class_name(dataset, sample.label)
    address = f"/api/v1/datasets/{dataset.id}/samples/{sample.index}.png"
    picture = html.Img(src=address, alt=f"{label}, sample {sample.index}", className="pixels")
    margins = verdicts_text(sample) if unit is None else margins_text(sample, unit)
    parts = [
        picture,
        html.Span(outcome(sample, name, dataset), className="tile-labels"),
        html.Span([html.Span(margins, className="tile-margin"), f"#{sample.index}"], className="tile-foot"),
    ]
    # What the browser holds against the threshold of thin ice, on which stands only what the dense model gets right.
    threshold = "" if unit is None or not sample.dense_margin else str(unit.precise(sample.dense_margin))
    return html.A(
        html.Div(parts, **data(margin=threshold)),
        href=cut.sample_address(sample.index),
        className="tile",
        **data(sample=str(sample.index)),
    )


def outcome(sample: PairedSample, name: FlipSet, dataset: DatasetOut) -> list[Content]:
    """True label, the set's shape, and the wrong label where one of the two models gives one."""
    wrong = sample.pruned_prediction if sample.pruned_prediction != sample.label else sample.dense_prediction
    parts: list[Content] = [html.Strong(class_name(dataset, sample.label)), f" {SYMBOLS[name]} "]
    if wrong != sample.label:
        parts.append(class_name(dataset, wrong))
    return [html.Span(parts, className=SET_CLASSES[name])]


def verdict_words(sample: PairedSample) -> tuple[str, str]:
    """What became of the sample at eps, dense and pruned: wrong before any attack, broken within eps, or it holds."""
    is_right, holds = sample.set[1:], sample.robust_set[1:]
    dense, pruned = (
        "wrong" if right == "0" else "holds" if held == "1" else "broken"
        for right, held in zip(is_right, holds, strict=True)
    )
    return dense, pruned


def verdicts_text(sample: PairedSample) -> str:
    """Both verdicts at eps: `holds → broken`."""
    dense, pruned = verdict_words(sample)
    return "wrong" if dense == pruned == "wrong" else f"{dense} → {pruned}"


def margins_text(sample: PairedSample, unit: Unit) -> str:
    """Both margins; only the dense one where the pruned model is wrong already."""
    if sample.pruned_margin == 0:
        return unit.text(sample.dense_margin) if sample.dense_margin else "wrong"
    return f"{short(sample.dense_margin, unit)} → {short(sample.pruned_margin, unit)}"


def short(margin: float | None, unit: Unit) -> str:
    """A margin without its unit; words where there is no distance."""
    if margin is None:
        return "none found"
    return "wrong" if margin == 0 else f"{unit.shown(margin):.{1 if unit.counts_steps else 2}f}"


def grid(unit: Unit, is_measured: bool, *, has_evidence: bool = False) -> Component:
    """The table of samples: sortable, numbers right aligned, units in the header; verdicts for want of margins.

    `has_evidence`: a best-known bound lies below a margin, so that there is a column for it; the others move together.
    """
    suffix = f" ({unit.suffix})"
    distances = [
        number_column("dense_margin", f"dense margin{suffix}", width=154, zero="wrong", missing="none found"),
        number_column("pruned_margin", f"pruned margin{suffix}", width=158, zero="wrong", missing="none found"),
        number_column("change", f"change{suffix}", width=114 if has_evidence else 140),
        *([{"field": "best_known", "headerName": "best known", "width": 164}] if has_evidence else []),
    ]
    words: dict[str, Any] = {"flex": 1, "minWidth": 94 if has_evidence else 120}
    verdicts: list[dict[str, Any]] = [
        {"field": "dense_verdict", "headerName": "dense at ε", "width": 130},
        {"field": "pruned_verdict", "headerName": "pruned at ε", "width": 130},
    ]
    columns = [
        number_column("index", "#", width=72, link=True),
        {"field": "set", "headerName": "set", "width": 90},
        {"field": "label", "headerName": "true label", **words},
        {"field": "dense_prediction", "headerName": "dense says", **words},
        {"field": "pruned_prediction", "headerName": "pruned says", **words},
        *(distances if is_measured else verdicts),
        number_column("logit_gap", "dense logit gap", width=120 if has_evidence else 140),
    ]
    options: Any = {
        "animateRows": False,
        "domLayout": "normal",
        "rowHeight": 32,
        "headerHeight": 36,
        "suppressCellFocus": False,
        "ensureDomOrder": True,
    }
    default: Any = {"sortable": True, "resizable": True, "suppressMovable": True}
    return dag.AgGrid(
        id=ids.COMPARE_TABLE,
        columnDefs=columns,
        rowData=[],
        defaultColDef=default,
        dashGridOptions=options,
        className="ag-theme-quartz samples-grid",
        style={"height": "380px"},
    )


def number_column(
    field: str, name: str, *, width: int, link: bool = False, zero: str | None = None, missing: str = "–"
) -> dict[str, Any]:
    """A column of numbers to two decimals; `zero` and `missing` are the words for what is no measurement."""
    column: dict[str, Any] = {"field": field, "headerName": name, "type": "rightAligned", "width": width}
    if link:
        column["cellRenderer"] = "SampleLink"
    else:
        number = "d3.format('.2f')(params.value)"
        measured = number if zero is None else f"params.value === 0 ? '{zero}' : {number}"
        column["valueFormatter"] = {"function": f"params.value == null ? '{missing}' : {measured}"}
    return column


def grid_rows(samples: list[PairedSample], view: View, dataset: DatasetOut, unit: Unit | None) -> list[dict[str, Any]]:
    """One row per sample. A margin that was not found is null, and so is a change that has no two distances.

    Without a unit no margins were measured: verdicts stand in their place.
    """
    rows = []
    for sample in samples:
        name = set_of(sample, view)
        rows.append(
            {
                "index": sample.index,
                "set": f"{SYMBOLS[name]} {SET_WORDS[name]}",
                "label": class_name(dataset, sample.label),
                "dense_prediction": class_name(dataset, sample.dense_prediction),
                "pruned_prediction": class_name(dataset, sample.pruned_prediction),
                "logit_gap": sample.dense_logit_gap,
                **(verdict_cells(sample) if unit is None else margin_cells(sample, unit)),
            }
        )
    return rows


def margin_cells(sample: PairedSample, unit: Unit) -> dict[str, Any]:
    """Both margins, and their change where both are distances: none found and already wrong are not."""
    dense, pruned = sample.dense_margin, sample.pruned_margin
    return {
        "dense_margin": None if dense is None else unit.shown(dense),
        "pruned_margin": None if pruned is None else unit.shown(pruned),
        "change": unit.shown(pruned - dense) if dense and pruned else None,
        "best_known": best_known_text(sample, unit),
    }


def best_known_text(sample: PairedSample, unit: Unit) -> str:
    """Both best-known bounds where evidence lowered one; with the set that they make at eps, where it is another."""
    if not sample.has_evidence:
        return ""
    bounds = f"{short(sample.dense_best_known, unit)} → {short(sample.pruned_best_known, unit)}"
    name = sample.best_known_set
    return bounds if name == sample.robust_set else f"{bounds} {SYMBOLS[name]} {SET_WORDS[name]} at ε"


def verdict_cells(sample: PairedSample) -> dict[str, Any]:
    dense, pruned = verdict_words(sample)
    return {"dense_verdict": dense, "pruned_verdict": pruned}
