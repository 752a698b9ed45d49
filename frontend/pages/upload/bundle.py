"""Results from another server: what is in the file, what will be verified, and how far that is."""

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from backend.errors import NotFound, ThinIceError
from backend.schemas import ACTIVE
from backend.schemas.bundles import BundleOut, BundlePreview, ImportedEvaluation
from backend.schemas.evaluations import EvaluationOut
from backend.services import bundles, comparisons, evaluations, uploads
from frontend.callbacks import in_thread
from frontend.components import Content, aria, card, icon, refusal
from frontend.pages.upload import ids
from frontend.rows import Column, Live, doing_text, left_text, live_cells, live_text, progress_bar, row_table
from frontend.words import count_words, day_time, sentence_list

POLL_MILLISECONDS = 1000
SHOWN = 60
WAITING = "Choose a file. What it holds is shown here before anything is imported."
OUTCOMES = {"queued": "will be verified", "known": "here already", "refused": "refused"}


def bundle_form() -> list[Component]:
    """There is nothing to fill in: the file says what it holds."""
    return [card("2. What is in it", html.Div(waiting_words(), id=ids.BUNDLE_PREVIEW, role="status"))]


def waiting_words() -> Component:
    return html.P(WAITING, className="muted")


def result_parts() -> list[Component]:
    """Empty until something was imported."""
    return [
        dcc.Store(id=ids.BUNDLE_CAME),
        dcc.Store(id=ids.BUNDLE_STATE),
        dcc.Store(id=ids.BUNDLE_LIVE),
        dcc.Interval(id=ids.BUNDLE_POLL, interval=POLL_MILLISECONDS, disabled=True),
        html.Div(id=ids.BUNDLE_RESULT),
    ]


def show_preview(found: BundlePreview) -> list[Component]:
    """What will be verified, and a row for each evaluation."""
    rows = found.evaluations
    made = f"{count_words(len(rows), 'evaluation')}, written {day_time(found.made_at)} by Thin Ice {found.thinice}."
    parts: list[Component] = [html.P(f"{made} {work_words(rows)}")]
    columns = [
        Column("Checkpoint"),
        Column("Preset"),
        Column("n", True),
        Column("Adversarials", True),
        Column("What happens"),
    ]
    cells: list[list[Content]] = [
        [row.checkpoint_name, row.preset, f"{row.n:,}", f"{row.adversarials:,}", outcome_cell(row)]
        for row in rows[:SHOWN]
    ]
    table = row_table("Evaluations in the bundle", columns, cells)
    label = aria(label="Evaluations in the bundle")
    parts.append(html.Div(table, className="table-scroll", tabIndex=0, role="region", **label))
    if len(rows) > SHOWN:
        parts.append(html.P(f"And {count_words(len(rows) - SHOWN, 'more evaluation')}.", className="muted"))
    return parts


def work_words(rows: list[ImportedEvaluation]) -> str:
    """What the worker would do."""
    fresh = [row for row in rows if row.outcome == "queued"]
    if not fresh:
        return "None of them can be imported." if rows[0].outcome == "refused" else "There is nothing to import."
    predictions, adversarials = sum(row.n for row in fresh), sum(row.adversarials for row in fresh)
    return (
        f"To verify: {count_words(predictions, 'prediction')} with the scores, and "
        f"{count_words(adversarials, 'adversarial')}."
    )


def outcome_cell(row: ImportedEvaluation) -> Content:
    words = OUTCOMES[row.outcome]
    if row.outcome == "known":
        return dcc.Link(words, href=f"/jobs?evaluation={row.evaluation_id}")
    if row.reason is None:
        return words
    return html.Span([icon("warning"), html.Span(f" {words}: {row.reason}")], className="is-warning")


def find_rows(came: BundleOut) -> list[tuple[ImportedEvaluation, EvaluationOut | None]]:
    """What came, with its evaluation as it is now; None where it was refused, or deleted since."""
    return [(one, _find(one)) for one in came.evaluations[:SHOWN]]


def _find(one: ImportedEvaluation) -> EvaluationOut | None:
    if one.outcome == "refused":
        return None
    try:
        return evaluations.get_evaluation(one.evaluation_id)
    except NotFound:
        return None


def show_result(came: BundleOut, rows: list[tuple[ImportedEvaluation, EvaluationOut | None]]) -> Component:
    """A line for each evaluation: how far it is, and at the end the way to it."""
    pairs = {} if any(row and row.state in ACTIVE for _, row in rows) else list_pairs()
    lines = [html.Li(line_of(one, row, pairs)) for one, row in rows]
    counts = {word: sum(one.outcome == word for one in came.evaluations) for word in OUTCOMES}
    told = sentence_list([f"{count:,} {RESULTS[word]}" for word, count in counts.items() if count])
    parts: list[Content] = [
        html.P(f"{told[:1].upper()}{told[1:]}.", role="status"),
        html.Ul(lines, className="short-jobs"),
    ]
    if len(came.evaluations) > SHOWN:
        parts.append(html.P(dcc.Link("All evaluations are on Jobs", href="/jobs")))
    return card("3. What came", *parts)


RESULTS = {"queued": "new", "known": "here already", "refused": "refused"}


def list_pairs() -> dict[str, str]:
    """The address of the most telling comparison of each evaluation that has one."""
    found: dict[str, str] = {}
    for dense, pruned in comparisons.default_pairs():
        for one in (pruned, dense):
            found.setdefault(str(one.id), f"/compare?dense={dense.id}&pruned={pruned.id}")
    return found


def line_of(one: ImportedEvaluation, row: EvaluationOut | None, pairs: dict[str, str]) -> list[Content]:
    name = f"{one.checkpoint_name}: {one.preset}, n {one.n:,}"
    if row is None:
        words = one.reason or "It was deleted."
        return [name, html.Span([icon("warning"), html.Span(f" {words}")], className="is-warning")]
    link = dcc.Link(name, href=f"/jobs?evaluation={row.id}", id=f"upload-came-{row.id}")
    if row.state in ACTIVE:
        left = live_text(f"{row.id}:left", left_text(row), "under")
        return [link, html.Span([progress_bar(row, one.checkpoint_name), left], className="job-state")]
    if row.state != "succeeded":
        return [link, html.Span([icon("warning"), html.Span(f" {doing_text(row)}")], className="is-warning")]
    ways: list[Content] = [html.Span(verified_words(row), className="muted")]
    if str(row.id) in pairs:
        ways.append(dcc.Link("Compare", href=pairs[str(row.id)], className="button"))
    return [link, html.Span(ways, className="links")]


def verified_words(row: EvaluationOut) -> str:
    """How much of it was computed again here; of one that was measured here, nothing had to be."""
    imported = row.record.imported
    if imported is None:
        return "measured here"
    return (
        f"verified: {imported.predictions:,} of {count_words(row.n, 'prediction')}, "
        f"{imported.verified:,} of {count_words(imported.adversarials, 'adversarial')}"
    )


def register(app: Dash) -> None:
    """The file is looked into as soon as it is here; what was imported is followed until it has ended."""

    @app.callback(Output(ids.BUNDLE_PREVIEW, "children"), Input(ids.FILE, "data"), prevent_initial_call=True)
    @in_thread
    def preview(upload: dict[str, Any] | None) -> Content:
        return preview_upload(upload)

    @app.callback(
        Output(ids.BUNDLE_RESULT, "children"),
        Output(ids.BUNDLE_STATE, "data"),
        Output(ids.BUNDLE_LIVE, "data"),
        Output(ids.BUNDLE_POLL, "disabled"),
        Input(ids.BUNDLE_CAME, "data"),
        Input(ids.BUNDLE_POLL, "n_intervals"),
        State(ids.BUNDLE_STATE, "data"),
        prevent_initial_call=True,
    )
    @in_thread
    def follow(came: dict[str, Any] | None, _tick: int | None, state: str | None) -> tuple[Content, ...]:
        return follow_import(came, state)

    app.clientside_callback(ClientsideFunction("live", "patch"), Input(ids.BUNDLE_LIVE, "data"))


def preview_upload(upload: dict[str, Any] | None) -> Content:
    """What the file that has arrived holds, or why it is no bundle."""
    if not upload:
        return waiting_words()
    try:
        return show_preview(bundles.preview_bundle(uploads.find_upload(upload["upload_id"])[0]))
    except ThinIceError as error:
        return refusal(error.message, error.code)


def follow_import(came: dict[str, Any] | None, state: str | None) -> tuple[Content, ...]:
    """(the result anew where a state changed, the states, the cells that move, whether everything has ended)."""
    if not came:
        return no_update, no_update, no_update, True
    out = BundleOut.model_validate(came)
    rows = find_rows(out)
    now = str([(str(one.evaluation_id), None if row is None else row.state) for one, row in rows])
    live: Live = live_cells([row for _, row in rows if row is not None])
    has_ended = not any(row is not None and row.state in ACTIVE for _, row in rows)
    return (no_update if now == state else show_result(out, rows)), now, live, has_ended
