"""Tables whose rows become cards on a narrow screen, and the cells that change while work runs.

A live cell is an element with `data-live`; frontend/assets/live.js changes it in place.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dash import html
from dash.development.base_component import Component

from backend.schemas.evaluations import EvaluationOut
from backend.schemas.prunings import PruningOut
from frontend.components import Content, aria, data
from frontend.words import duration_words, time_left

Live = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Column:
    """A column: its heading, whether it holds numbers (right, tabular), and a CSS class of its cells."""

    heading: Content
    is_number: bool = False
    kind: str = ""

    @property
    def classes(self) -> str:
        return f"{'number-cell' if self.is_number else ''} {self.kind}".strip()


@dataclass(frozen=True)
class Group:
    """A heading over the rows that follow it."""

    title: Content


def row_table(caption: str, columns: Sequence[Column], rows: Sequence[Sequence[Content] | Group]) -> Component:
    """A wide table. Under 860 px every row is a card whose cells carry their column's heading (assets/jobs.css)."""
    head = html.Tr([html.Th(column.heading, scope="col", className=column.classes) for column in columns])
    body = [group_row(row, len(columns)) if isinstance(row, Group) else data_row(row, columns) for row in rows]
    parts = [html.Caption(caption, className="hidden-label"), html.Thead(head), html.Tbody(body)]
    return html.Table(parts, className="table row-table")


def group_row(group: Group, span: int) -> Component:
    return html.Tr(html.Th(group.title, colSpan=span, scope="colgroup"), className="group-row")


def data_row(cells: Sequence[Content], columns: Sequence[Column]) -> Component:
    first, *others = cells
    shown: list[Component] = [html.Th(first, scope="row", className=columns[0].classes)]
    for content, column in zip(others, columns[1:], strict=True):
        label = column.heading if isinstance(column.heading, str) else ""
        shown.append(html.Td(content, className=column.classes, **data(label=label)))
    return html.Tr(shown)


def progress_bar(evaluation: EvaluationOut | PruningOut, name: str) -> Component:
    """A bar that live.js moves. `name`: what is progressing, for those who listen."""
    done, total = evaluation.progress.done, evaluation.progress.total
    fill = html.Span(
        className="progress-fill", style={"width": share_width(evaluation)}, **data(live=f"{evaluation.id}:fill")
    )
    return html.Span(
        fill,
        className=f"progress progress-{evaluation.state}",
        role="progressbar",
        **aria(label=f"Progress of {name}", valuemin="0", valuemax=str(total), valuenow=str(done)),
        **data(live=f"{evaluation.id}:bar"),
    )


def live_text(key: str, text: str, kind: str = "") -> Component:
    return html.Span(text, className=kind, **data(live=key))


def share_width(evaluation: EvaluationOut | PruningOut) -> str:
    return f"{100 * evaluation.progress.done / max(1, evaluation.progress.total):.1f}%"


def done_text(evaluation: EvaluationOut) -> str:
    return f"{evaluation.progress.done:,} of {evaluation.progress.total:,}"


def doing_text(evaluation: EvaluationOut) -> str:
    """What an evaluation is doing, or how it ended, in a few words."""
    if evaluation.state == "queued":
        return "waits for a worker"
    if evaluation.state == "running":
        return evaluation.progress.stage
    if evaluation.state == "succeeded":
        seconds = evaluation.record.seconds
        return "done" if seconds is None else f"took {duration_words(seconds)}"
    if evaluation.error is not None:
        return evaluation.error.message
    return f"{evaluation.state} after {evaluation.progress.done:,} samples"


def left_text(evaluation: EvaluationOut) -> str:
    """Time left, or the place in the queue."""
    if evaluation.state == "running":
        return time_left(evaluation.progress.eta_seconds)
    if evaluation.state == "queued":
        return "next in line" if evaluation.queue_position == 1 else f"{ordinal(evaluation.queue_position)} in line"
    return ""


def ordinal(number: int | None) -> str:
    """`1st`, `2nd`, `13th`."""
    if number is None:
        return "–"
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def live_cells(evaluations: Sequence[EvaluationOut]) -> Live:
    """The cells of these evaluations that change without a change of state."""
    cells: Live = {}
    for item in evaluations:
        cells[f"{item.id}:fill"] = {"width": share_width(item)}
        cells[f"{item.id}:bar"] = {"value": str(item.progress.done)}
        cells[f"{item.id}:done"] = {"text": done_text(item)}
        cells[f"{item.id}:doing"] = {"text": doing_text(item)}
        cells[f"{item.id}:left"] = {"text": left_text(item)}
    return cells
