"""One pruning as a page of its own."""

import json

from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas.prunings import PruningOut
from backend.schemas.records import PruningRecord
from backend.services import prunings
from frontend.components import Content, accuracy, aria, card, icon, number_card
from frontend.jobs import buttons, fingerprint, progress_cell, state_word
from frontend.pages.prune import ids
from frontend.review.prunings import made_link, method_words
from frontend.words import ago, count_words, day_time, percent


def accepted(row: PruningOut) -> Component:
    words = f"Queued as {row.name}. "
    return html.P([icon("check"), words, dcc.Link("Follow it", href=f"/prune?pruning={row.id}")], className="accepted")


def record_page(pruning_id: str) -> Component:
    """One run; it is followed while it goes on."""
    row = prunings.get_pruning(pruning_id)
    parts = [
        dcc.Store(id=ids.RECORD_ID, data=str(row.id)),
        dcc.Store(id=ids.RECORD_SEEN, data=fingerprint([row])),
        dcc.Interval(id=ids.RECORD_POLL, interval=ids.POLL_MILLISECONDS),
        dcc.Link("All jobs", href="/jobs", className="back"),
        html.Div(record_body(row), id=ids.RECORD, className="page-stack"),
    ]
    return html.Div(parts, id=ids.PAGE, className="page-stack jobs prune record")


def record_body(row: PruningOut) -> list[Component]:
    """Everything that changes while it runs."""
    parent = dcc.Link(row.parent_name, href=f"/upload?checkpoint={row.parent_id}")
    line = html.P(["From ", parent, f", queued {day_time(row.created_at)}"], className="muted")
    title = html.H1([row.name, html.Span(f" {method_words(row)}", className="muted")], className="page-title")
    head: list[Component] = [line, title, result_numbers(row) if row.state == "succeeded" else progress_card(row)]
    if row.warnings:
        notices = [html.Div([icon("warning"), html.Span(words)], className="notice") for words in row.warnings]
        head.append(html.Div(notices, className="notices", role="note", **aria(label="Warnings")))
    return [*head, html.Div([run_card(row), recipe_card(row)], className="grid two")]


def progress_card(row: PruningOut) -> Component:
    parts: list[Content] = [state_word(row), progress_cell(row, row.name), buttons("pruning", row, deletes=False)]
    return html.Div(parts, className="card record-progress")


def result_numbers(row: PruningOut) -> Component:
    """What the run itself measured; the claim is what papers would print."""
    record = row.record
    sample = f"n {record.claimed_n:,}"
    numbers = [
        number_card("Measured sparsity (US)", percent(record.measured_sparsity), f"target {percent(row.sparsity)}"),
        number_card("Clean accuracy", accuracy(record.clean_accuracy, record.claimed_n), sample),
        number_card(
            "Claim: PGD-10",
            accuracy(record.claimed_robust_accuracy, record.claimed_n),
            f"at ε {row.eps_text}, {sample}: an upper bound",
        ),
        number_card("checkpoint", html.Span(made_link(row), className="word-value"), ago(row.finished_at)),
    ]
    return html.Div(numbers, className="record-numbers")


def run_card(row: PruningOut) -> Component:
    """What decided the run, in words."""
    record = row.record
    validation = record.validation_robust_accuracy
    settings = (record.recipe or {}).get("settings", {})
    length = f"{count_words(row.epochs, 'epoch')}, {count_words(int(row.progress.total), 'step')}"
    details: list[tuple[str, Content]] = [
        ("Training images", f"{row.training_dataset}, {record.training_samples:,}"),
        (
            "Schedule",
            f"{row.schedule}, {length}",
        ),
        ("Settings", ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in settings.items())),
        ("Dense margins", margins_source(record)),
        ("Loss", row.loss),
        ("Training ε", row.eps_text),
        ("Seed", str(row.seed)),
        ("Passes", f"{row.passes:,}"),
        (
            "Best epoch on validation",
            f"{record.best_epoch}, {percent(validation)}" if validation is not None else "",
        ),
        ("Devices", ", ".join(record.devices or [record.device or ""])),
        ("torch", record.torch or ""),
        ("Training took", "" if record.train_seconds is None else f"{record.train_seconds:,.0f} s"),
    ]
    rows = [html.Tr([html.Th(name, scope="row"), html.Td(value)]) for name, value in details if value]
    return card("Run", html.Table(html.Tbody(rows), className="table run-details"))


def margins_source(record: PruningRecord) -> Content:
    """The way to the evaluation that the dense margins of the training images come from, where there is one."""
    source = record.dense_margins
    if source is None:
        return None
    passes = source.forwards + source.backwards
    return html.Span(
        [dcc.Link("measured", href=f"/jobs?evaluation={source.evaluation_id}"), f", {passes:,} passes in addition"]
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
