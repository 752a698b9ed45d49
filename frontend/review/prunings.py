"""Prunings as people read them; Jobs lists them and Prune shows one."""

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas.prunings import PruningOut
from frontend.components import Content
from frontend.jobs import buttons, progress_cell, state_word
from frontend.rows import Column, row_table
from frontend.words import percent
from models.pruning.plans import CONTROL

GRANULARITY_WORDS = {"weight": "US", "filter": "filters", "channel": "channels"}
COLUMNS = [
    Column("Result"),
    Column("Method"),
    Column("Trained on"),
    Column("State"),
    Column("Progress", kind="progress-cell"),
    Column(html.Span("actions", className="hidden-label"), kind="actions-cell"),
]


def pruning_table(rows: Sequence[PruningOut]) -> Component:
    """One row for each run."""
    return row_table("Prunings", COLUMNS, [cells(row) for row in rows])


def cells(row: PruningOut) -> list[Content]:
    name = dcc.Link(row.name, href=f"/prune?pruning={row.id}", id=f"prune-name-{row.id}")
    return [
        html.Span(html.Span([name, html.Span(f"from {row.parent_name}", className="under")]), className="named"),
        method_words(row),
        row.training_dataset,
        state_word(row),
        progress_cell(row, row.name, made_link(row)),
        buttons("pruning", row),
    ]


def method_words(row: PruningOut) -> str:
    """`hydra, 95.00 % US`."""
    if row.method == CONTROL:
        return CONTROL
    return f"{row.method}, {percent(row.sparsity)} {GRANULARITY_WORDS[row.granularity]}"


def made_link(row: PruningOut) -> Component:
    """The way to what a run made."""
    if row.checkpoint_id is None:
        return html.Span("checkpoint deleted", className="muted")
    return dcc.Link("Open the checkpoint", href=f"/upload?checkpoint={row.checkpoint_id}", id=f"prune-made-{row.id}")
