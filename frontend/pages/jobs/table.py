"""The list of jobs, its filters, and the workers."""

import json

from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas import ACTIVE
from backend.schemas.evaluations import EvaluationOut
from backend.schemas.health import Health, WorkerOut
from frontend.components import Content, accuracy, aria, data, icon
from frontend.jobs import buttons, progress_cell, state_word
from frontend.pages.jobs.listing import STATES, Filter, Listing
from frontend.rows import Column, Live, live_cells, live_text, row_table
from frontend.shipped import ways_in
from frontend.words import STATE_WORDS, ago, count_words

COLUMNS = [
    Column("Checkpoint"),
    Column("Preset"),
    Column("Norm, ε"),
    Column("n", True),
    Column("State"),
    Column("Progress", kind="progress-cell"),
    Column("Clean / robust (%)", True),
    Column(html.Span("actions", className="hidden-label"), kind="actions-cell"),
]


def jobs_table(listing: Listing) -> Component:
    """One row per evaluation, or what to do where there is none."""
    if not listing.rows:
        if sum(listing.counts.values()):
            return html.P("No evaluations are in this state.", className="muted")
        return html.Div([html.P("Nothing has been evaluated yet."), html.Div(ways_in(), className="empty-ways")])
    parts: list[Component] = [row_table("Evaluations", COLUMNS, [job_cells(row) for row in listing.rows])]
    if listing.hidden > 0:
        ended = sum(row.state not in ACTIVE for row in listing.rows)
        more = {"shown": str(ended + 100)}
        parts.append(
            html.Button(
                f"Show more ({listing.hidden:,} older)", className="button more-jobs", **data(go=json.dumps(more))
            )
        )
    return html.Div(parts)


def job_cells(row: EvaluationOut) -> list[Content]:
    name = dcc.Link(row.checkpoint_name, href=f"/jobs?evaluation={row.id}", id=f"jobs-name-{row.id}")
    seed = f"seed {row.seed}" + (" · demo" if row.purpose == "demo" else "")
    return [
        html.Span(html.Span([name, html.Span(seed, className="under")]), className="named"),
        row.preset,
        f"{row.norm}{'' if row.eps_text is None else f' {row.eps_text}'}",
        f"{row.n:,}",
        state_word(row),
        progress_cell(row, row.checkpoint_name),
        result_cell(row),
        buttons("evaluation", row),
    ]


def result_cell(row: EvaluationOut) -> Content:
    if row.summary is None:
        return "–"
    shares = row.summary.clean_accuracy, row.summary.robust_accuracy
    clean, robust = (accuracy(share, row.summary.n, unit=False) for share in shares)
    words: list[Content] = [
        dcc.Link([clean, " / ", robust], href=f"/jobs?evaluation={row.id}", id=f"jobs-result-{row.id}")
    ]
    if row.flags:
        words.append(html.Span([icon("warning"), count_words(len(row.flags), "flag")], className="under is-warning"))
    return html.Span(words)


def summary_sentence(listing: Listing) -> list[Content]:
    """How much runs and waits, and whether anybody works on it."""
    running, queued = listing.counts["running"], listing.counts["queued"]
    if listing.is_stuck:
        return [
            html.Span("No worker is running", className="is-warning strong"),
            f", so {count_words(running + queued, 'evaluation')} cannot continue. Start a worker on the server "
            "(make run starts the web server and the workers). Finished chunks are kept, and work resumes where it "
            "stopped.",
        ]
    if listing.has_other_work:
        workers = count_words(len(listing.health.workers), "worker")
        words = f"No evaluation in this list is running or queued, but other jobs are, on {workers}. "
        return [words + "They keep running if you close this tab."]
    if not running and not queued:
        return ["No jobs are running or queued."]
    busy = "No evaluation running yet" if not running else f"{count_words(running, 'evaluation')} running"
    waits = "none queued" if not queued else f"{queued:,} queued"
    return [
        f"{busy}, {waits}, on {count_words(len(listing.health.workers), 'worker')}. "
        "Jobs keep running if you close this tab."
    ]


def filter_chips(listing: Listing, wanted: Filter) -> list[Component]:
    """One chip per state with its count, and the checkpoint's where the address names one."""
    chips = [chip(None, "all", sum(listing.counts.values()), wanted)]
    chips.extend(chip(state, STATE_WORDS[state], listing.counts[state], wanted) for state in STATES)
    if listing.checkpoint_name is not None:
        chips.append(
            html.Button(
                [listing.checkpoint_name, icon("close"), html.Span("show all checkpoints", className="hidden-label")],
                className="chip",
                id="jobs-chip-checkpoint",
                **data(go=json.dumps({"checkpoint": None})),
            )
        )
    return chips


def chip(state: str | None, word: str, number: int, wanted: Filter) -> Component:
    is_chosen = wanted.state == state
    return html.Button(
        [word, html.Span(f"{number:,}", className="chip-count")],
        id=f"jobs-chip-{state or 'all'}",
        className="chip chip-choice",
        **data(go=json.dumps({"state": state})),
        **aria(pressed=str(is_chosen).lower()),
    )


def workers_list(listing: Listing) -> Component:
    """Who lives: device, host, last sign of life."""
    workers = listing.health.workers
    if not workers:
        words = "No worker is running. Jobs wait in the queue until one starts; nothing is lost."
        return html.Div([icon("warning"), html.Span(words)], className="notice", role="status")
    return html.Ul([html.Li(worker_parts(worker)) for worker in workers], className="workers")


def worker_parts(worker: WorkerOut) -> list[Content]:
    return [
        html.Span(className="pulse", **aria(hidden="true")),
        html.Span(worker.device, className="strong"),
        html.Span(f"on {worker.host}, process {worker.pid}", className="muted"),
        live_text(f"worker-{worker.id}:seen", f"last seen {ago(worker.last_seen)}", "muted"),
    ]


def listing_cells(listing: Listing) -> Live:
    """What changes in place: progress, how long ago the others ended, and when each worker was last seen."""
    cells = live_cells([row for row in listing.rows if row.state in ACTIVE])
    ended = {f"{row.id}:ago": {"text": ago(row.finished_at)} for row in listing.rows if row.state not in ACTIVE}
    return cells | ended | worker_cells(listing.health)


def worker_cells(health: Health) -> Live:
    return {f"worker-{worker.id}:seen": {"text": f"last seen {ago(worker.last_seen)}"} for worker in health.workers}
