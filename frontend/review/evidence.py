"""Additional evidence as people read it; Sample, Compare and Jobs use the same words."""

from dash import ALL, Dash, Input, ctx, dcc, html
from dash.development.base_component import Component

from backend.schemas import ACTIVE
from backend.schemas.evidence import EvidenceOut
from backend.services import evidence
from frontend.callbacks import in_thread, notify
from frontend.components import Content, data, table
from frontend.words import ago, count_words, sentence_list, time_left

CANCEL = "evidence-cancel"
KIND_WORDS = {"upload": "uploaded adversarials", "replay": "replayed adversarials", "harder": "more effort"}
REASON_WORDS = {
    "not-adversarial": "still classified correctly",
    "already-wrong": "wrong before any attack",
    "not-finite": "not finite",
    "out-of-box": "outside [0, 1]",
    "outside-ball": "outside the ball",
    "unmoved": "the clean image itself",
}
UNIT_WORDS = {"samples": "samples", "gradients": "gradients a sample", "seconds": "seconds"}


def register(app: Dash) -> None:
    """The buttons that stop evidence, on whatever page they stand."""

    @app.callback(Input({"type": CANCEL, "id": ALL}, "n_clicks"), prevent_initial_call=True)
    @in_thread
    def press(_clicks: list[int | None]) -> None:
        if isinstance(ctx.triggered_id, dict) and ctx.triggered[0]["value"]:  # not where one merely appeared
            row = evidence.cancel_evidence(ctx.triggered_id["id"])
            notify("Cancelled", f"{row.checkpoint_name}, {title_words(row)}: bounds that it lowered are kept.")


def is_active(row: EvidenceOut) -> bool:
    return row.state in ACTIVE


def title_words(row: EvidenceOut) -> str:
    """What it is: `replayed adversarials of cnn-dense`."""
    joint = {"upload": "by", "replay": "of", "harder": "with"}[row.kind]
    return f"{KIND_WORDS[row.kind]} {joint} {row.source}"


def state_words(row: EvidenceOut) -> str:
    """How far it is, or how it ended."""
    progress = row.progress
    done = f"{progress.done:,.0f} of {progress.total:,.0f} {UNIT_WORDS[progress.unit]}"
    if row.state == "queued":
        return "waits for a worker"
    if row.state == "running":
        return f"{done}, {time_left(progress.eta_seconds)}"
    if row.error is not None:
        return f"failed: {row.error.message}"
    return f"done {ago(row.finished_at)}" if row.state == "succeeded" else f"cancelled after {done}"


def outcome_words(row: EvidenceOut) -> str:
    """What came of it: checked, held, lowered, and why the others do not hold."""
    if not row.checked:
        return "nothing checked yet"
    noun = "run" if row.kind == "harder" else "adversarial"
    words = f"{count_words(row.checked, noun)}, {row.held:,} hold, {count_words(row.improved, 'bound')} lowered"
    reasons = [f"{count:,} {REASON_WORDS.get(reason, reason)}" for reason, count in row.refused.items()]
    return f"{words}; {sentence_list(reasons)}" if reasons else words


def cancel_button(row: EvidenceOut) -> Component:
    """Stops it; no question is asked, because it can be resumed and nothing is lost."""
    return html.Button(
        "Cancel",
        id={"type": CANCEL, "id": str(row.id)},
        className="button",
        title=f"Stop it ({title_words(row)}); bounds that it lowered stay",
        **data(row=str(row.id)),
    )


def evidence_table(rows: list[EvidenceOut], *, with_checkpoint: bool) -> Component:
    """One row for each; those that wait or run can be stopped."""
    body: list[list[Content]] = []
    for row in rows:
        link = dcc.Link(row.checkpoint_name, href=f"/jobs?evaluation={row.evaluation_id}")
        button: Content = cancel_button(row) if is_active(row) else ""
        cells: list[Content] = [title_words(row), state_words(row), outcome_words(row), button]
        body.append([link, *cells] if with_checkpoint else cells)
    columns = ["evidence", "state", "outcome", "actions"]
    if with_checkpoint:
        columns.insert(0, "checkpoint")
    return table("Additional evidence", columns, body, text_columns=len(columns))
