"""Published figures as a table: Claims shows them, and the protocol in Help."""

from collections.abc import Iterable, Sequence

from dash import html
from dash.development.base_component import Component

from backend.schemas.claims import ReferenceFigure
from frontend.components import Content
from frontend.rows import Column, Group, row_table
from frontend.words import percent


def references_table(rows: Sequence[ReferenceFigure]) -> Component:
    """Published figures, one row a method and network, under their sources."""
    rates = sorted({row.sparsity for row in rows})
    shown: list[list[Content] | Group] = []
    for source in dict.fromkeys(row.source for row in rows):
        of_source = [row for row in rows if row.source == source]
        first = of_source[0]
        title = f"{source} · {first.dataset} · {first.norm} {first.eps_text} · {first.attack} · "
        shown.append(Group([title, html.Span(first.url.removeprefix("https://"))]))
        for name in dict.fromkeys((row.method, row.architecture) for row in of_source):
            same = {row.sparsity: row for row in of_source if (row.method, row.architecture) == name}
            shown.append([name[0], name[1], *(figure_cell(same.get(rate)) for rate in rates), remark(same.values())])
    columns = [
        Column("Method"),
        Column("Network"),
        *(Column(f"{percent(rate, digits=0)} pruned, clean / robust (%)", True) for rate in rates),
        Column("Note"),
    ]
    return row_table("Published figures", columns, shown)


def figure_cell(row: ReferenceFigure | None) -> Content:
    """`80.54 / 43.68`; nothing where the source has none."""
    if row is None:
        return None
    return f"{percent(row.clean_accuracy, unit=False)} / {percent(row.robust_accuracy, unit=False)}"


def remark(rows: Iterable[ReferenceFigure]) -> str | None:
    """What was claimed before, and what else has to be known."""
    said: list[str] = []
    for row in rows:
        if row.claimed_robust_accuracy is not None:
            said.append(f"Claimed {percent(row.claimed_robust_accuracy)} with {row.claimed_attack}.")
        if row.note:
            said.append(row.note)
    return " ".join(said) or None
