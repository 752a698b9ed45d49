"""Tables whose rows become cards on a narrow screen, and the cells that change while work runs.

A live cell is an element with `data-live`; frontend/assets/live.js changes it in place.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dash import html
from dash.development.base_component import Component

from backend.schemas.evaluations import EvaluationOut
from backend.schemas.evidence import EvidenceOut
from backend.schemas.prunings import PruningOut
from frontend.components import Content, aria, data
from frontend.words import duration_words, time_left, time_until_start

JobOut = EvaluationOut | EvidenceOut | PruningOut
UNIT_WORDS = {"samples": "samples", "layers": "layers", "gradients": "gradients per sample", "seconds": "seconds"}
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
    """A wide table. Under 860 px every row is a card whose cells carry their column's heading (assets/rows.css)."""
    head = html.Tr([html.Th(column.heading, scope="col", className=column.classes) for column in columns])
    body = [group_row(row, len(columns)) if isinstance(row, Group) else data_row(row, columns) for row in rows]
    parts = [html.Caption(caption, className="hidden-label"), html.Thead(head), html.Tbody(body)]
    return html.Table(parts, className="table row-table")


def scrolling(table: Component, label: str) -> Component:
    """A table in a box of its own that scrolls sideways, by keyboard too."""
    return html.Div(table, className="table-scroll", tabIndex=0, role="region", **aria(label=label))


def group_row(group: Group, span: int) -> Component:
    return html.Tr(html.Th(group.title, colSpan=span, scope="colgroup"), className="group-row")


def data_row(cells: Sequence[Content], columns: Sequence[Column]) -> Component:
    first, *others = cells
    shown: list[Component] = [html.Th(first, scope="row", className=columns[0].classes)]
    for content, column in zip(others, columns[1:], strict=True):
        label = column.heading if isinstance(column.heading, str) else ""
        shown.append(html.Td(content, className=column.classes, **data(label=label)))
    return html.Tr(shown)


def progress_bar(job: JobOut, name: str) -> Component:
    """A bar that live.js moves. `name`: what is progressing, for those who listen."""
    done, total = job.progress.done, job.progress.total
    fill = html.Span(className="progress-fill", style={"width": share_width(job)}, **data(live=f"{job.id}:fill"))
    return html.Span(
        fill,
        className=f"progress progress-{job.state}",
        role="progressbar",
        **aria(label=f"Progress of {name}", valuemin="0", valuemax=str(total), valuenow=str(done)),
        **data(live=f"{job.id}:bar"),
    )


def live_text(key: str, text: str, kind: str = "") -> Component:
    return html.Span(text, className=kind, **data(live=key))


def share_width(job: JobOut) -> str:
    return f"{100 * job.progress.done / max(1, job.progress.total):.1f}%"


def done_text(job: JobOut) -> str:
    """`20 of 60` samples, `3 of 8 steps`, `40 of 90 gradients per sample`."""
    unit = ""
    if isinstance(job, PruningOut):
        unit = " steps"
    elif isinstance(job, EvidenceOut):
        unit = f" {UNIT_WORDS[job.progress.unit]}"
    return f"{job.progress.done:,.0f} of {job.progress.total:,.0f}{unit}"


def doing_text(job: JobOut) -> str:
    """What a job is doing, or how it ended, in a few words."""
    if job.state == "queued":
        return "waiting for a worker"
    if job.state == "running":
        return job.progress.stage
    if job.state == "succeeded":
        seconds = job.record.seconds if isinstance(job, EvaluationOut) else None
        return "done" if seconds is None else f"took {duration_words(seconds)}"
    if job.error is not None:
        return job.error.message
    return f"{job.state} after {done_text(job)}"


def left_text(job: JobOut) -> str:
    """Time left; of a job that waits, when it is expected to start, and the place in the queue of an evaluation."""
    if job.state == "running":
        return time_left(job.progress.eta_seconds)
    if job.state != "queued":
        return ""
    words = []
    if isinstance(job, EvaluationOut):
        words.append("next in line" if job.queue_position == 1 else f"{ordinal(job.queue_position)} in line")
    if job.starts_in_seconds is not None:
        words.append(time_until_start(job.starts_in_seconds))
    return ", ".join(words)


def ordinal(number: int | None) -> str:
    """`1st`, `2nd`, `13th`."""
    if number is None:
        return "–"
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def live_cells(jobs: Sequence[JobOut]) -> Live:
    """The cells of these jobs that change without a change of state."""
    cells: Live = {}
    for item in jobs:
        cells[f"{item.id}:fill"] = {"width": share_width(item)}
        cells[f"{item.id}:bar"] = {"value": str(item.progress.done)}
        cells[f"{item.id}:done"] = {"text": done_text(item)}
        cells[f"{item.id}:doing"] = {"text": doing_text(item)}
        cells[f"{item.id}:left"] = {"text": left_text(item)}
    return cells
