"""The whole record of one evaluation: what was measured, by what, on what, and every file of it."""

import json
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas import ACTIVE
from backend.schemas.evaluations import EvaluationOut, Summary
from backend.schemas.records import RunRecord
from backend.services import catalogues, checkpoints, datasets, evaluations
from frontend.components import Content, accuracy, aria, card, data, icon, number_card
from frontend.figures.units import unit_of
from frontend.jobs import buttons, progress_cell, state_word
from frontend.pages.jobs import ids
from frontend.pages.jobs.cards import RECORD_EVIDENCE
from frontend.words import count_words, day_time, duration_words, interval_words, percent

IN_DETAILS = ("settings", "early_flags", "device_note", "version")  # shown as JSON
HASHES = ("source_sha256", "weights_sha256", "samples")


def record_page(evaluation_id: str) -> Component:
    """The record's page; it follows an evaluation that still runs."""
    row = evaluations.get_evaluation(evaluation_id)
    parts = [
        dcc.Store(id=ids.RECORD_ID, data=str(row.id)),
        dcc.Store(id=ids.RECORD_STATE, data=row.state),
        dcc.Store(id=ids.RECORD_LIVE),
        dcc.Interval(id=ids.RECORD_POLL, interval=ids.RECORD_POLL_MILLISECONDS),
        dcc.Link("All jobs", href="/jobs", className="back"),
        html.Div(record_body(row), id=ids.RECORD_BODY, className="page-stack"),
        RECORD_EVIDENCE.layout(evaluation_id),
    ]
    return html.Div(parts, id=ids.RECORD, className="page-stack jobs record")


def record_body(row: EvaluationOut) -> list[Component]:
    """Everything that changes when the state does."""
    parts: list[Component | None] = [
        context_line(row),
        html.H1([row.checkpoint_name, html.Span(f" {row.preset}", className="muted")], className="page-title"),
        result_numbers(row) if row.summary else progress_card(row),
        error_notice(row),
        imported_notice(row),
        flags_card(row),
        html.Div(
            [record_card(row), html.Div([downloads_card(row), log_card(row)], className="page-stack")],
            className="grid two",
        ),
    ]
    return [part for part in parts if part is not None]


def context_line(row: EvaluationOut) -> Component:
    dataset = datasets.get_dataset(str(row.dataset_id))
    eps = "" if row.eps_text is None else f" ε {row.eps_text}"
    details: list[Content] = [
        dataset.name,
        f"n {row.n:,}",
        f"{row.norm}{eps}",
        f"preset {row.preset}",
        f"seed {row.seed}",
        day_time(row.finished_at or row.started_at or row.created_at),
        state_word(row),
    ]
    return html.Ul([html.Li(detail) for detail in details], className="context")


def progress_card(row: EvaluationOut) -> Component:
    parts: list[Content] = [progress_cell(row, row.checkpoint_name), buttons("evaluation", row, deletes=False)]
    return card("Progress", html.Div(parts, className="record-progress"))


def result_numbers(row: EvaluationOut) -> Component:
    summary = row.summary
    assert summary is not None
    at = "" if row.eps_text is None else f" at {row.eps_text}"
    cards = [
        number_card(
            "Clean accuracy",
            accuracy(summary.clean_accuracy, summary.n),
            f"{interval_words(summary.clean_accuracy_interval)} of {summary.n:,}",
        ),
        number_card(
            f"Robust accuracy{at}",
            accuracy(summary.robust_accuracy, summary.n),
            robust_words(row, summary),
        ),
        median_card(row, summary),
        missing_card(row, summary),
    ]
    return html.Div(cards, className="record-numbers")


def robust_words(row: EvaluationOut, summary: Summary) -> str:
    """The interval, and what of the verdict comparisons do not read."""
    if not row.eps_text:
        return "no ε given"
    words = f"{interval_words(summary.robust_accuracy_interval)} of {summary.n:,}"
    if summary.broken_by_fallbacks:
        words += (
            f"; {count_words(summary.broken_by_fallbacks, 'sample')} broken by fallback attacks only, "
            "which comparisons do not count, because they need equal effort"
        )
    return words


def missing_card(row: EvaluationOut, summary: Summary) -> Component:
    """Samples without an adversarial: of a verdict those that hold, of margins the censored ones."""
    words = "samples; censored, never averaged"
    if row.record.distance_kind == "witness":
        words = "samples hold at ε"
    return number_card("No adversarial found", f"{summary.not_found:,}", words)


def median_card(row: EvaluationOut, summary: Summary) -> Component:
    """The median margin; of witnesses there is none."""
    if row.record.distance_kind == "witness":
        return number_card("Median margin", "–", "this preset gives verdicts at ε, not margins")
    unit = unit_of(row.norm)
    wrong = f"over correctly classified samples; {summary.zero_margins:,} already wrong"
    return number_card(
        "Median margin", "not found" if summary.median_margin is None else unit.text(summary.median_margin), wrong
    )


def error_notice(row: EvaluationOut) -> Component | None:
    """Why it failed, that its finished chunks are safe, and how to go on."""
    if row.error is None:
        return None
    words: list[Content] = [
        html.Strong("This evaluation failed. "),
        f"{row.error.message} Finished work is kept ({count_words(row.progress.done, 'sample')}). ",
        html.Span(f"(code {row.error.code})", className="muted small"),
    ]
    return html.Div([icon("warning"), html.Span(words)], className="refusal", role="alert")


def flags_card(row: EvaluationOut) -> Component | None:
    """Each raised flag with what raised it, what it means and what to do."""
    if row.state != "succeeded":
        return None
    if not row.flags:
        return html.P([icon("check"), "No reliability flag was raised."], className="accepted is-gained")
    known = {flag.code: flag for flag in catalogues.list_flags().items}
    parts: list[Component] = []
    for code in row.flags:
        flag = known.get(code)
        words: list[Component] = [html.H3([icon("warning"), code if flag is None else f"{flag.title} ({code})"])]
        if flag is not None:
            pairs = (("Raised if", flag.raised_if), ("Means", flag.means), ("What to do", flag.what_to_do))
            words.append(
                html.Dl([part for name, text in pairs for part in (html.Dt(name), html.Dd(text))], className="details")
            )
        parts.append(html.Div(words, className="flag-help"))
    return card("Reliability flags", *parts, note=f"{len(row.flags)} raised")


def imported_notice(row: EvaluationOut) -> Component | None:
    """Where imported rows were measured, and how many of them this server verified."""
    imported = row.record.imported
    if imported is None or row.state != "succeeded":
        return None
    if not imported.predictions:
        words = f"Measured {imported.origin}. A worker verifies the rows on this machine as soon as it is free."
        return html.P([icon("warning"), words], className="accepted is-warning")
    words = (
        f"Measured {imported.origin}, verified here: {imported.predictions:,} of {count_words(row.n, 'prediction')}, "
        f"{imported.verified:,} of {count_words(imported.found, 'adversarial')}."
    )
    rest = " The others are computed again when somebody opens their sample."
    return html.P([icon("check"), words + (rest if imported.verified < imported.found else "")], className="accepted")


def record_card(row: EvaluationOut) -> Component:
    """Every field of the record, known ones in words, the attacks' settings as they were given."""
    shown: list[Component] = []
    checkpoint = checkpoints.get_checkpoint(str(row.checkpoint_id))
    shown.extend(
        [html.Dt("Checkpoint"), html.Dd(dcc.Link(checkpoint.name, href=f"/upload?checkpoint={checkpoint.id}"))]
    )
    record = row.record.to_json()
    for key, name in labels():
        if key in record:
            shown.extend([html.Dt(name), html.Dd(shown_value(key, record.pop(key)))])
    for name, moment in (("Queued", row.created_at), ("Started", row.started_at), ("Finished", row.finished_at)):
        shown.extend([html.Dt(name), html.Dd(day_time(moment))])
    shown.extend([html.Dt("Evaluation"), html.Dd(html.Code(str(row.id)))])
    parts: list[Component] = [html.Dl(shown, className="details")]
    record.pop("checkpoint", None)  # linked above
    text = json.dumps(record, indent=2, ensure_ascii=False)
    pre = html.Pre(text, tabIndex=0, className="raw", **aria(label="Settings and versions"))
    parts.append(html.Details([html.Summary("Settings and versions"), html.Div(pre)], className="as-table"))
    return card("Record", *parts, note="everything needed to repeat this evaluation")


def labels() -> list[tuple[str, str]]:
    """(name, label) of the fields that have a line of their own, in the order in which they are shown."""
    own = {name: field for name, field in RunRecord.model_fields.items() if name not in ("checkpoint", *IN_DETAILS)}
    return [(name, str(field.title)) for name, field in own.items()]


def shown_value(key: str, value: Any) -> Content:
    if key in HASHES:
        return html.Code(str(value))
    if key == "measured_sparsity" and isinstance(value, int | float):
        return percent(value)
    if key == "seconds" and isinstance(value, int | float):
        return f"{value:,.1f} s ({duration_words(value)})"
    if key == "imported" and isinstance(value, dict):
        return f"from the bundle {value['bundle'][:12]}…, written {value['made_at'][:10]}"
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {item}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "–" if value is None else str(value)


def downloads_card(row: EvaluationOut) -> Component:
    """Every number as a file, from the REST interface."""
    base = f"/api/v1/evaluations/{row.id}"
    links: list[tuple[str, str, str]] = [("JSON record", base, f"evaluation-{row.id}.json")]
    if row.progress.done:
        links += [
            ("Margins, CSV", f"{base}/margins?format=csv", f"margins-{row.id}.csv"),
            ("Margins, Parquet", f"{base}/margins?format=parquet", f"margins-{row.id}.parquet"),
            ("Margins, JSON", f"{base}/margins", f"margins-{row.id}.json"),
        ]
    if row.state == "succeeded":
        links.append(
            ("Bundle, for another server", f"/api/v1/bundles?evaluation={row.id}", f"{row.checkpoint_name}.thinice")
        )
    parts = [
        html.A([icon("download"), words], href=href, className="button", download=name) for words, href, name in links
    ]
    note = "rows stored so far" if row.state != "succeeded" and row.progress.done else None
    return card("Files", html.Div(parts, className="files"), note=note)


def log_card(row: EvaluationOut) -> Component:
    return card(
        "Log",
        html.Pre(log_text(row.id), className="raw log", tabIndex=0, **data(live=f"{row.id}:log"), **aria(label="Log")),
        note="last lines",
    )


def log_text(evaluation_id: object) -> str:
    """The last lines of the log, the newest last."""
    lines = evaluations.log_tail(str(evaluation_id))
    return "\n".join(f"{line['at']:%H:%M:%S}  {line['text']}" for line in lines) or "no entries yet"


def is_followed(row: EvaluationOut) -> bool:
    """Whether the page has to look again."""
    return row.state in ACTIVE
