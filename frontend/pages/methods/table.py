"""The table of a family: a row a checkpoint under what it may be ranked with, every figure a link to its evaluation."""

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas.families import FamilyOut, FamilyRow
from backend.services.families.tables import Cell, Line, TableLayout, find_gaps, lay_out
from frontend.components import Content, dot, icon
from frontend.pages.methods.panels import list_methods
from frontend.review.methods import UNNAMED, place_method
from frontend.rows import Column, Group, row_table
from frontend.theme import METHOD_MARKS

DOTS = {"dense": "dense", "finetuned": "control", "seed": "control"}
PLACES = {"dense": "dense", "finetuned": "control", "seed": "other seed", "pruned": "pruned"}


def family_table(family: FamilyOut, address: str) -> Component:
    """Everything; `address` is the query that a comparison takes along, such as `&eps=8/255`."""
    layout, methods = lay_out(family), list_methods(family)
    columns = [
        Column("Checkpoint"),
        *(Column(heading[:1].upper() + heading[1:], is_number=True) for heading in layout.headings),
    ]
    rows: list[Sequence[Content] | Group] = []
    for group, lines in layout.groups:
        rows.append(Group(group))
        rows.extend([name_cell(line.row, methods), *figure_cells(layout, line, address)] for line in lines)
    return row_table("All checkpoints of the family", columns, rows)


def name_cell(row: FamilyRow, methods: Sequence[str]) -> Component:
    """Name and method, with the method's colour of the panels, and the flags of all its evaluations."""
    name = dcc.Link(row.name, href=f"/upload?checkpoint={row.checkpoint_id}", className="checkpoint-name")
    words = html.Span(row.method or PLACES[row.place], className="under")
    flags = sorted({code for found in (row.clean_accuracy, *row.verdicts) for code in found.flags})
    marks = [html.Span([icon("warning"), code], className="flag") for code in flags]
    kind = DOTS.get(row.place) or f"pruned-{1 + place_method(row.method or UNNAMED, methods) % len(METHOD_MARKS)}"
    return html.Span([dot(kind), html.Span([name, words, *marks])], className="named")


def figure_cells(layout: TableLayout, line: Line, address: str) -> list[Content]:
    return [
        figure_cell(cell, column.key in line.best, cell.detail != layout.shared[column.key], address)
        for column, cell in zip(layout.columns, line.cells, strict=True)
    ]


def figure_cell(cell: Cell, is_best: bool, has_detail: bool, address: str) -> Component:
    """The figure over its interval; a dash with the reason where there is none."""
    if cell.value is None:
        return html.Span("–", className="muted is-empty", title=cell.reason or "")
    style = "few-samples is-warning" if cell.is_few else "best" if is_best else ""
    mark = [icon("warning")] if cell.is_few else []
    figure = html.Span([*mark, cell.figure.replace("-", "−")], className=style)
    shown = link(cell, figure, address) if cell.evaluation_ids else figure
    under = [html.Span(cell.interval.replace("-", "−"), className="under")] if cell.interval else []
    under += [html.Span(cell.aside, className="under")] if cell.aside else []
    if has_detail:
        under.append(html.Span(cell.detail, className="under"))
    return html.Span([shown, *under])


def link(cell: Cell, figure: Content, address: str) -> Component:
    """To the evaluation, or to the comparison of the two."""
    first, *others = cell.evaluation_ids
    href = f"/compare?dense={first}&pruned={others[0]}{address}" if others else f"/jobs?evaluation={first}"
    return dcc.Link(figure, href=href, title=cell.detail)


def gaps(family: FamilyOut) -> Component | None:
    """Why cells are empty, each reason once."""
    told = find_gaps(lay_out(family))
    if not told:
        return None
    items = [html.Li(sentence) for sentence in told]
    return html.Details([html.Summary("Why some cells are empty"), html.Ul(items)], className="as-table gaps")
