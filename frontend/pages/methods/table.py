"""The table of a family: a row a checkpoint under what it may be ranked with, every figure a link to its evaluation."""

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas.families import FamilyOut, FamilyRow
from backend.services.families.tables import Cell, Line, TableLayout, find_gaps, lay_out
from frontend.components import Content, aria, data, dot, icon
from frontend.pages.methods.panels import list_methods
from frontend.review.methods import UNNAMED, place_method
from frontend.rows import Column, Group, row_table, scrolling
from frontend.theme import METHOD_MARKS

DOTS = {"dense": "dense", "finetuned": "control", "seed": "control"}
PLACES = {"dense": "dense", "finetuned": "control", "seed": "other seed", "pruned": "pruned"}


MOST = 8  # checkpoints that stand side by side on the page of several


def family_table(family: FamilyOut, address: str, picked: Sequence[str] = ()) -> Component:
    """Everything; `address` is the query that a comparison takes along, such as `&eps=8/255`.

    `picked`: ids of the evaluations whose boxes are ticked.
    """
    layout, methods = lay_out(family), list_methods(family)
    filled = list_filled(layout)
    headings = [layout.headings[place] for place in filled]
    columns = [
        Column("Checkpoint"),
        *(Column(heading[:1].upper() + heading[1:], is_number=True) for heading in headings),
    ]
    rows: list[Sequence[Content] | Group] = []
    for group, lines in layout.groups:
        rows.append(Group(group_title(group, [line.row for line in lines], address)))
        rows.extend(
            [name_cell(line.row, methods, picked), *figure_cells(layout, line, address, filled)] for line in lines
        )
    caption = "All checkpoints of the family"
    return scrolling(row_table(caption, columns, rows), caption)


def group_title(group: str, rows: Sequence[FamilyRow], address: str) -> Content:
    """What is pruned alike, and the way to see these checkpoints side by side."""
    flips = [row.flips for row in rows if row.place == "pruned" and row.flips is not None][:MOST]
    if len(flips) < 2:
        return group
    pruned = ",".join(str(one.evaluation_id) for one in flips)
    href = f"/several?dense={flips[0].dense_evaluation_id}&pruned={pruned}&view=robust{address}"
    return html.Span([group, dcc.Link(f"Compare these {len(flips)}", href=href, className="group-link")])


def pick_box(row: FamilyRow, picked: Sequence[str]) -> Component | None:
    """A box that chooses a checkpoint for the page of several; none where its margins are not compared."""
    if row.flips is None:
        return None
    id = str(row.flips.evaluation_id)
    checked = "true" if id in picked else "false"
    return html.Button(
        icon("check"),
        className="pick",
        role="checkbox",
        **aria(checked=checked, label=f"Choose {row.name}"),
        **data(pick=id, dense=str(row.flips.dense_evaluation_id)),
    )


def name_cell(row: FamilyRow, methods: Sequence[str], picked: Sequence[str]) -> Component:
    """A box, name and method, with the method's colour of the panels, and the flags of all its evaluations."""
    name = dcc.Link(row.name, href=f"/upload?checkpoint={row.checkpoint_id}", className="checkpoint-name")
    words = html.Span(row.method or PLACES[row.place], className="under")
    flags = sorted({code for found in (row.clean_accuracy, *row.verdicts) for code in found.flags})
    marks = [html.Span([icon("warning"), code], className="flag") for code in flags]
    kind = DOTS.get(row.place) or f"pruned-{1 + place_method(row.method or UNNAMED, methods) % len(METHOD_MARKS)}"
    box = pick_box(row, picked)
    parts = [dot(kind), html.Span([name, words, *marks])]
    return html.Span(parts if box is None else [box, *parts], className="named")


def list_filled(layout: TableLayout) -> list[int]:
    """The places of the columns that hold any figure; the reasons for the others stand below the table."""
    lines = [line for _, lines in layout.groups for line in lines]
    return [place for place in range(len(layout.columns)) if any(line.cells[place].value is not None for line in lines)]


def figure_cells(layout: TableLayout, line: Line, address: str, filled: Sequence[int]) -> list[Content]:
    shown = [(layout.columns[place], line.cells[place]) for place in filled]
    return [
        figure_cell(cell, column.key in line.best, cell.detail != layout.shared[column.key], address)
        for column, cell in shown
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
