"""A job as people see it, whatever its kind: its state, how far it is, and the buttons that act on it."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dash import ALL, Dash, Input, ctx, html, set_props
from dash.development.base_component import Component

from backend.schemas import ACTIVE, ENDED, RESUMABLE
from backend.schemas.prunings import PruningOut
from backend.services import evaluations, evidence, prunings
from backend.services.shared.jobs import Jobs
from frontend import ids
from frontend.callbacks import in_thread, notify
from frontend.components import Content, aria, data, icon
from frontend.rows import JobOut, doing_text, done_text, left_text, live_text, progress_bar
from frontend.words import STATE_WORDS, ago

BUTTON = "job-button"
MARKS = {"succeeded": "check", "failed": "warning", "cancelled": "close"}


@dataclass(frozen=True)
class KindWords:
    """A kind of job on the pages: the service that acts on it, and how sentences call one.

    `keeps` says what a cancelled job keeps, `loses` what a deleted one takes along.
    """

    jobs: Jobs[Any, Any]
    name: Callable[[Any], str]
    keeps: str
    loses: str


KINDS = {
    "evaluation": KindWords(
        evaluations.JOBS,
        lambda row: f"{row.checkpoint_name}, {row.preset}",
        "finished samples are kept",
        "This also deletes the margins, the log and the additional evidence of this evaluation. Compare, Samples, "
        "Methods and Claims can no longer show them.",
    ),
    "evidence": KindWords(
        evidence.JOBS,
        lambda row: f"{row.checkpoint_name}, {row.source}",
        "lowered bounds are kept",
        "This also withdraws the best-known bounds that this evidence lowered. Margins stay as they are.",
    ),
    "pruning": KindWords(
        prunings.JOBS,
        lambda row: row.name,
        "its training state is kept",
        "This also deletes the record and the training state, so this pruning cannot be resumed.",
    ),
}


@dataclass(frozen=True)
class Verb:
    """Something that a button does to a job; `question` is asked before it is done."""

    word: str
    act: Callable[[KindWords, str], None]
    says: Callable[[KindWords, str], str]
    question: str | None = None


def cancel(kind: KindWords, job_id: str) -> None:
    row = kind.jobs.cancel(job_id)
    notify("Cancelled", f"{kind.name(row)}: {kind.keeps}.")


def resume(kind: KindWords, job_id: str) -> None:
    row = kind.jobs.resume(job_id)
    notify("Queued again", f"{kind.name(row)}: it will resume where it stopped, with {done_text(row)} done.")


def delete(kind: KindWords, job_id: str) -> None:
    name = kind.name(kind.jobs.get(job_id))
    kind.jobs.delete(job_id)
    notify("Deleted", name)


VERBS = {
    "cancel": Verb("Cancel", cancel, lambda kind, name: f"Cancel {name}; {kind.keeps}", "Really cancel?"),
    "resume": Verb("Resume", resume, lambda _kind, name: f"Resume {name} where it stopped"),
    "delete": Verb("Delete", delete, lambda _kind, name: f"Delete {name}", "Really delete?"),
}


def button_id(verb: str, kind: str, job_id: object) -> dict[str, str]:
    """Id of the button that does something to a job, on whatever page it stands."""
    return {"type": BUTTON, "verb": verb, "kind": kind, "id": str(job_id)}


def button(verb: str, kind: str, row: JobOut, **described: str) -> Component:
    """The button of one verb; `describedby` is the id of words that belong to the button."""
    does, of = VERBS[verb], KINDS[kind]
    asks = {"confirm": does.question} if does.question else {}
    return html.Button(
        does.word,
        id=button_id(verb, kind, row.id),
        className="button",
        title=does.says(of, of.name(row)),
        **data(row=str(row.id), **asks),
        **aria(**described),
    )


def delete_button(kind: str, row: JobOut) -> Component:
    """Delete, and what goes with the job: shown while the button asks once more, and read with the button."""
    note = f"delete-note-{row.id}"
    press = button("delete", kind, row, describedby=note)
    return html.Span([press, html.Span(KINDS[kind].loses, id=note, className="confirm-note")], className="delete")


def can_delete(row: JobOut) -> bool:
    """Whether a job has ended and nothing that it made needs it: a checkpoint keeps the pruning that made it."""
    return row.state in ENDED and not (isinstance(row, PruningOut) and row.checkpoint_id)


def buttons(kind: str, row: JobOut, *, deletes: bool = True) -> Content:
    """Cancel what runs or waits, resume what failed or was cancelled, delete what has ended."""
    if row.state in ACTIVE:
        return button("cancel", kind, row)
    found = [button("resume", kind, row)] if row.state in RESUMABLE else []
    if deletes and can_delete(row):
        found.append(delete_button(kind, row))
    return html.Span(found, className="links job-verbs") if found else ""


def register(app: Dash) -> None:
    """Make the buttons act; their page shows at once what became of it."""
    place = Input({"type": BUTTON, "verb": ALL, "kind": ALL, "id": ALL}, "n_clicks")

    @app.callback(place, prevent_initial_call=True)
    @in_thread
    def press(_clicks: list[int | None]) -> None:
        pressed = ctx.triggered_id
        if isinstance(pressed, dict) and ctx.triggered[0]["value"]:  # a button that merely appeared was not pressed
            VERBS[pressed["verb"]].act(KINDS[pressed["kind"]], pressed["id"])
            set_props(ids.CHANGED, {"data": secrets.token_hex(4)})


def fingerprint(rows: Sequence[JobOut]) -> str:
    """Changes whenever a row reads otherwise."""
    return "".join(f"{row.id}{row.state}{row.progress.done}{row.progress.stage}" for row in rows)


def state_word(row: JobOut) -> Component:
    mark = [icon(MARKS[row.state])] if row.state in MARKS else []
    return html.Span([*mark, STATE_WORDS[row.state]], className=f"state state-{row.state}")


def progress_cell(row: JobOut, name: str, outcome: Content = None) -> Component:
    """While a job runs or waits: bar, how much is done, time left, what it is doing; afterwards how it ended and when.

    Args:
        name: what is progressing, for those who listen.
        outcome: what stands there once it succeeded; by default how long it took.
    """
    ended = live_text(f"{row.id}:ago", ago(row.finished_at), "under" if row.state == "succeeded" else "job-left")
    if row.state == "succeeded":
        return html.Span([doing_text(row) if outcome is None else outcome, ended], className="job-progress")
    is_active = row.state in ACTIVE
    left = live_text(f"{row.id}:left", left_text(row), "job-left") if is_active else ended
    parts = [
        progress_bar(row, name),
        html.Span([live_text(f"{row.id}:done", done_text(row)), left], className="job-line"),
        live_text(f"{row.id}:doing", doing_text(row), "under"),
    ]
    return html.Span(parts, className="job-progress")
