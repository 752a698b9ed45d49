"""The samples behind the numbers: a wall of thumbnails, thinnest ice first, and the same as a table."""

from typing import Any

import dash_ag_grid as dag
from dash import html
from dash.development.base_component import Component

from backend.schemas import DatasetOut, FlipSet, PairedSample
from frontend import ids
from frontend.components import SET_CLASSES, SET_WORDS, SYMBOLS, Content, data
from frontend.figures.units import Unit
from frontend.pages.compare.cut import Cut, View, set_of, thinness

SHOWN = 18  # tiles before "show the others"
MOST = 120  # tiles at all; the table holds every sample


def class_name(dataset: DatasetOut, label: int) -> str:
    """A class by name; by number where the data set has fewer names than the model has classes."""
    return dataset.classes[label] if 0 <= label < len(dataset.classes) else f"class {label}"


def wall(samples: list[PairedSample], name: FlipSet, cut: Cut, dataset: DatasetOut, unit: Unit) -> list[Component]:
    """Tiles in the given order; what lies beyond the first rows opens on request."""
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


def tile(sample: PairedSample, name: FlipSet, cut: Cut, dataset: DatasetOut, unit: Unit) -> Component:
    """One sample: picture, true label and what became of it, index and both margins."""
    label = class_name(dataset, sample.label)
    address = f"/api/v1/datasets/{dataset.id}/samples/{sample.index}.png"
    picture = html.Img(src=address, alt=f"{label}, sample {sample.index}", className="pixels")
    distance = thinness(sample)
    parts = [
        picture,
        html.Span(outcome(sample, name, dataset), className="tile-labels"),
        html.Span(
            [html.Span(margins_text(sample, unit), className="tile-margin"), f"#{sample.index}"], className="tile-foot"
        ),
    ]
    return html.A(
        html.Div(parts, **data(margin="" if distance == float("inf") else f"{unit.shown(distance):.4f}")),
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


def grid(dataset: DatasetOut, unit: Unit) -> Component:
    """The table of samples: sortable, numbers right aligned, units in the header."""
    suffix = f" ({unit.suffix})"
    columns = [
        number_column("index", "#", width=80, link=True),
        {"field": "set", "headerName": "set", "width": 110},
        {"field": "label", "headerName": "true label", "flex": 1, "minWidth": 120},
        {"field": "dense_prediction", "headerName": "dense says", "flex": 1, "minWidth": 120},
        {"field": "pruned_prediction", "headerName": "pruned says", "flex": 1, "minWidth": 120},
        number_column("dense_margin", f"dense margin{suffix}", width=160),
        number_column("pruned_margin", f"pruned margin{suffix}", width=160),
        number_column("change", f"change{suffix}", width=140),
        number_column("logit_gap", "dense logit gap", width=140),
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


def number_column(field: str, name: str, *, width: int, link: bool = False) -> dict[str, Any]:
    column: dict[str, Any] = {"field": field, "headerName": name, "type": "rightAligned", "width": width}
    if link:
        column["cellRenderer"] = "SampleLink"
    else:
        digits = 2
        column["valueFormatter"] = {
            "function": f"params.value == null ? 'none found' : d3.format('.{digits}f')(params.value)"
        }
    return column


def grid_rows(samples: list[PairedSample], view: View, dataset: DatasetOut, unit: Unit) -> list[dict[str, Any]]:
    """One row per sample. A margin that was not found is null, and so is a change that has no two distances."""
    rows = []
    for sample in samples:
        name = set_of(sample, view)
        dense, pruned = sample.dense_margin, sample.pruned_margin
        rows.append(
            {
                "index": sample.index,
                "set": f"{SYMBOLS[name]} {SET_WORDS[name]}",
                "label": class_name(dataset, sample.label),
                "dense_prediction": class_name(dataset, sample.dense_prediction),
                "pruned_prediction": class_name(dataset, sample.pruned_prediction),
                "dense_margin": None if dense is None else unit.shown(dense),
                "pruned_margin": None if pruned is None else unit.shown(pruned),
                "change": None if dense is None or pruned is None else unit.shown(pruned - dense),
                "logit_gap": sample.dense_logit_gap,
            }
        )
    return rows
