"""Prunings as people read them: rows of a table on Jobs, and one run as a page of its own."""

import json
from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas import ACTIVE, RESUMABLE
from backend.schemas.prunings import PruningOut
from backend.schemas.records import PruningRecord
from backend.services import prunings
from frontend.components import Content, aria, card, data, icon, number_card
from frontend.pages.prune import names
from frontend.rows import Column, progress_bar, row_table
from frontend.words import STATE_WORDS, ago, day_time, percent, time_left

GRANULARITY_WORDS = {"weight": "US", "filter": "filters", "channel": "channels"}
MARKS = {"succeeded": "check", "failed": "warning", "cancelled": "close"}
COLUMNS = [
    Column("result"),
    Column("method"),
    Column("trained on"),
    Column("state"),
    Column("progress", kind="progress-cell"),
    Column(html.Span("actions", className="hidden-label"), kind="actions-cell"),
]


def is_active(row: PruningOut) -> bool:
    return row.state in ACTIVE


def fingerprint(rows: Sequence[PruningOut]) -> str:
    """Changes whenever a row reads otherwise."""
    return "".join(f"{row.id}{row.state}{row.progress.done}{row.progress.stage}" for row in rows)


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
        progress_cell(row),
        action(row),
    ]


def method_words(row: PruningOut) -> str:
    """`hydra, 95.00 % US`."""
    if row.method == "control":
        return "control"
    return f"{row.method}, {percent(row.sparsity)} {GRANULARITY_WORDS[row.granularity]}"


def state_word(row: PruningOut) -> Component:
    mark = [icon(MARKS[row.state])] if row.state in MARKS else []
    return html.Span([*mark, STATE_WORDS[row.state]], className=f"state state-{row.state}")


def progress_cell(row: PruningOut) -> Component:
    """The bar with steps and time left while it runs; afterwards the way to what it made, or why there is nothing."""
    if row.state == "succeeded":
        return html.Span(made_parts(row), className="job-progress")
    done = f"{row.progress.done:,} of {row.progress.total:,} steps"
    left = time_left(row.progress.eta_seconds) if row.state == "running" else ago(row.finished_at)
    doing = "waits for a worker" if row.state == "queued" else row.progress.stage
    if row.error is not None:
        doing = row.error.message
    parts = [
        progress_bar(row, row.name),
        html.Span([html.Span(done), html.Span(left, className="job-left")], className="job-line"),
        html.Span(doing, className="under"),
    ]
    return html.Span(parts, className="job-progress")


def made_parts(row: PruningOut) -> list[Content]:
    if row.checkpoint_id is None:
        return [html.Span("its checkpoint was deleted", className="muted")]
    link = dcc.Link("The checkpoint", href=f"/upload?checkpoint={row.checkpoint_id}", id=f"prune-made-{row.id}")
    return [link, html.Span(ago(row.finished_at), className="under")]


def action(row: PruningOut) -> Content:
    """Cancel what runs or waits (asks once more), resume what failed or was cancelled."""
    if is_active(row):
        words, kind, title = "Cancel", names.CANCEL, f"Stop {row.name}; the state of its training is kept"
        return html.Button(
            words,
            id=names.button(kind, row.id),
            className="button",
            title=title,
            **data(confirm="Really cancel?", row=str(row.id)),
        )
    if row.state in RESUMABLE:
        return html.Button(
            "Resume",
            id=names.button(names.RESUME, row.id),
            className="button",
            title=f"Go on with {row.name} where it stopped",
            **data(row=str(row.id)),
        )
    return ""


def accepted(row: PruningOut) -> Component:
    words = f"Queued as {row.name}. "
    return html.P([icon("check"), words, dcc.Link("Follow it", href=f"/prune?pruning={row.id}")], className="accepted")


def record_page(pruning_id: str) -> Component:
    """One run; it is followed while it goes on."""
    row = prunings.get_pruning(pruning_id)
    parts = [
        dcc.Store(id=names.RECORD_ID, data=str(row.id)),
        dcc.Store(id=names.RECORD_SEEN, data=fingerprint([row])),
        dcc.Interval(id=names.RECORD_POLL, interval=names.POLL_MILLISECONDS),
        dcc.Link("All jobs", href="/jobs", className="back"),
        html.Div(record_body(row), id=names.RECORD, className="page-stack"),
    ]
    return html.Div(parts, id=names.PAGE, className="page-stack jobs prune record")


def record_body(row: PruningOut) -> list[Component]:
    """Everything that changes while it runs."""
    parent = dcc.Link(row.parent_name, href=f"/upload?checkpoint={row.parent_id}")
    line = html.P(["from ", parent, f", asked for {day_time(row.created_at)}"], className="muted")
    title = html.H1([row.name, html.Span(f" {method_words(row)}", className="muted")], className="page-title")
    head: list[Component] = [line, title, result_numbers(row) if row.state == "succeeded" else progress_card(row)]
    if row.warnings:
        notices = [html.Div([icon("warning"), html.Span(words)], className="notice") for words in row.warnings]
        head.append(html.Div(notices, className="notices", role="note", **aria(label="What is odd")))
    return [*head, html.Div([facts_card(row), recipe_card(row)], className="grid two")]


def progress_card(row: PruningOut) -> Component:
    return html.Div([state_word(row), progress_cell(row), action(row)], className="card record-progress")


def result_numbers(row: PruningOut) -> Component:
    """What the run itself measured; the claim is what papers would print."""
    record = row.record
    sample = f"n {record.claimed_n:,}"
    numbers = [
        number_card("measured sparsity (US)", percent(record.measured_sparsity), f"asked for {percent(row.sparsity)}"),
        number_card("clean accuracy", percent(record.clean_accuracy), sample),
        number_card(
            "claim: PGD-10",
            percent(record.claimed_robust_accuracy),
            f"at ε {row.eps_text}, {sample}: an upper bound",
        ),
        number_card("checkpoint", html.Span(made_parts(row)[:1], className="word-value"), ago(row.finished_at)),
    ]
    return html.Div(numbers, className="record-numbers")


def facts_card(row: PruningOut) -> Component:
    """What decided the run, in words."""
    record = row.record
    validation = record.validation_robust_accuracy
    settings = (record.recipe or {}).get("settings", {})
    facts: list[tuple[str, Content]] = [
        ("training images", f"{row.training_dataset}, {record.training_samples:,}"),
        ("schedule", f"{row.schedule}, {row.epochs} epochs, {row.progress.total:,} steps"),
        ("settings", ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in settings.items())),
        ("dense margins", margins_source(record)),
        ("loss", row.loss),
        ("ε of training", row.eps_text),
        ("seed", str(row.seed)),
        ("passes", f"{row.passes:,}"),
        (
            "best epoch on validation",
            f"{record.best_epoch}, {percent(validation)}" if validation is not None else "",
        ),
        ("devices", ", ".join(record.devices or [record.device or ""])),
        ("torch", record.torch or ""),
        ("training took", "" if record.train_seconds is None else f"{record.train_seconds:,.0f} s"),
    ]
    rows = [html.Tr([html.Th(name, scope="row"), html.Td(value)]) for name, value in facts if value]
    return card("The run", html.Table(html.Tbody(rows), className="table run-facts"))


def margins_source(record: PruningRecord) -> Content:
    """The way to the evaluation that the dense margins of the training images come from, where there is one."""
    source = record.dense_margins
    if source is None:
        return None
    passes = source.forwards + source.backwards
    return html.Span(
        [dcc.Link("measured", href=f"/jobs?evaluation={source.evaluation_id}"), f", {passes:,} passes of its own"]
    )


def recipe_card(row: PruningOut) -> Component:
    """The whole record, as the file has it."""
    file = html.A(
        [icon("download"), "JSON record"],
        href=f"/api/v1/prunings/{row.id}",
        className="button",
        download=f"pruning-{row.name}.json",
    )
    text = json.dumps(row.record.to_json(), indent=2)
    body = html.Pre(text, className="raw log", tabIndex=0, **aria(label="Record"))
    return card("Recipe and record", body, tools=file)
