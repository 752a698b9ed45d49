"""The samples behind the numbers as a table; the browser fills it (compare_rows.js)."""

from pathlib import Path
from typing import Any

import dash_ag_grid as dag
from dash.development.base_component import Component
from dash.fingerprint import build_fingerprint

from frontend.figures.units import Unit
from frontend.pages.compare import ids

SCRIPT = "dash_ag_grid.min.js"

for resource in dag._js_dist:
    if resource["relative_package_path"] == SCRIPT:
        resource["dynamic"] = True  # 364 kB that one folded section needs: it comes when that is opened


def grid_script() -> str:
    """The address of the library that draws the table, one for each version of its file."""
    file = Path(dag.__file__).with_name(SCRIPT)
    name = build_fingerprint(SCRIPT, dag.__version__, int(file.stat().st_mtime))
    return f"/_dash-component-suites/dash_ag_grid/{name}"


def grid(unit: Unit, is_measured: bool, *, has_evidence: bool = False) -> Component:
    """The table of samples: sortable, numbers right aligned, units in the header; verdicts for want of margins.

    `has_evidence`: a best-known bound lies below a margin, so that there is a column for it; the others move together.
    """
    suffix = f" ({unit.suffix})"
    distances = [
        number_column("dense_margin", f"Dense margin{suffix}", width=176, zero="wrong", missing="none found"),
        number_column("pruned_margin", f"Pruned margin{suffix}", width=182, zero="wrong", missing="none found"),
        number_column("change", f"Change{suffix}", width=114 if has_evidence else 140),
        *([{"field": "best_known", "headerName": "Best known", "width": 164}] if has_evidence else []),
    ]
    words: dict[str, Any] = {"flex": 1, "minWidth": 94 if has_evidence else 120}
    verdicts: list[dict[str, Any]] = [
        {"field": "dense_verdict", "headerName": "Dense at ε", "width": 130},
        {"field": "pruned_verdict", "headerName": "Pruned at ε", "width": 130},
    ]
    columns = [
        number_column("index", "#", width=72, link=True),
        {"field": "set", "headerName": "Set", "width": 90},
        {"field": "label", "headerName": "True label", **words},
        {"field": "dense_prediction", "headerName": "Dense says", **words},
        {"field": "pruned_prediction", "headerName": "Pruned says", **words},
        *(distances if is_measured else verdicts),
        number_column("logit_gap", "Dense logit gap", width=120 if has_evidence else 140),
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
    grid: Component = dag.AgGrid(
        id=ids.TABLE,
        columnDefs=columns,
        rowData=[],
        getRowId="params.data.id",
        defaultColDef=default,
        dashGridOptions=options,
        className="ag-theme-quartz samples-grid",
        style={"height": "380px"},
    )
    return grid


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
