"""Additional evidence as people read it; Sample, Compare and Jobs use the same words."""

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas import ACTIVE
from backend.schemas.evidence import EvidenceOut
from frontend import jobs
from frontend.components import Content
from frontend.rows import Column, done_text, row_table
from frontend.words import ago, count_words, sentence_list, time_left

KIND_WORDS = {
    "upload": "uploaded adversarials",
    "replay": "replayed adversarials",
    "harder": "harder attack",
    "slice": "boundary slice",
    "layers": "restored layers",
}
REASON_WORDS = {
    "not-adversarial": "still classified correctly",
    "already-wrong": "wrong before any attack",
    "not-finite": "not finite",
    "out-of-box": "outside [0, 1]",
    "outside-ball": "outside the norm ball",
    "unmoved": "identical to the clean image",
}


def is_active(row: EvidenceOut) -> bool:
    return row.state in ACTIVE


def title_words(row: EvidenceOut) -> str:
    """What it is: `replayed adversarials of cnn-dense`."""
    joint = {"upload": "by", "replay": "of", "harder": "with", "slice": "against", "layers": "of"}[row.kind]
    return f"{KIND_WORDS[row.kind]} {joint} {row.source}"


def state_words(row: EvidenceOut) -> str:
    """How far it is, or how it ended."""
    done = done_text(row)
    if row.state == "queued":
        return "waiting for a worker"
    if row.state == "running":
        return f"{done}, {time_left(row.progress.eta_seconds)}"
    if row.error is not None:
        return f"failed: {row.error.message}"
    return f"done {ago(row.finished_at)}" if row.state == "succeeded" else f"cancelled after {done}"


def outcome_words(row: EvidenceOut) -> str:
    """What came of it: checked, held, lowered, and why the others do not hold."""
    if not row.checked:
        return "nothing checked yet"
    if row.record.slice is not None:
        return f"drawn; {count_words(row.checked, 'point')} verified"
    if row.record.layers is not None:
        found = row.record.layers
        return (
            f"{len(found.restored)} of {count_words(len(found.names), 'layer')} measured on {found.lost:,} lost samples"
        )
    noun = "attempt" if row.kind == "harder" else "adversarial"
    words = f"{count_words(row.checked, noun)}, {row.held:,} verified, {count_words(row.improved, 'bound')} lowered"
    reasons = [f"{count:,} {REASON_WORDS.get(reason, reason)}" for reason, count in row.refused.items()]
    return f"{words}; {sentence_list(reasons)}" if reasons else words


def cancel_button(row: EvidenceOut) -> Component:
    """Stops it; bounds that it lowered stay."""
    return jobs.button("cancel", "evidence", row)


def evidence_table(rows: Sequence[EvidenceOut], *, with_checkpoint: bool) -> Component:
    """One row for each; `with_checkpoint` names the network too."""
    columns = [
        Column("evidence"),
        Column("State"),
        Column("Progress", kind="progress-cell"),
        Column("outcome"),
        Column(html.Span("actions", className="hidden-label"), kind="actions-cell"),
    ]
    body: list[list[Content]] = []
    for row in rows:
        title = title_words(row)
        progress = jobs.progress_cell(row, title)
        cells: list[Content] = [
            title,
            jobs.state_word(row),
            progress,
            outcome_words(row),
            jobs.buttons("evidence", row),
        ]
        link = dcc.Link(row.checkpoint_name, href=f"/jobs?evaluation={row.evaluation_id}")
        body.append([link, *cells] if with_checkpoint else cells)
    if with_checkpoint:
        columns.insert(0, Column("Checkpoint"))
    return row_table("Additional evidence", columns, body)
