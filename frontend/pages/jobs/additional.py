"""Additional evidence on the jobs pages: what waits, runs and ended lately, of all or of one evaluation."""

from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from backend.schemas.evidence import EvidenceOut
from backend.services import evidence as service
from frontend.callbacks import in_thread
from frontend.components import Content, card
from frontend.pages.jobs import names
from frontend.review import evidence

SHOWN = 20
NOTE = "it lowers best-known bounds and leaves margins as they are"


def list_card() -> Component:
    """The newest of every evaluation."""
    rows = read(None)
    return holder(rows, names.EVIDENCE, names.EVIDENCE_SEEN, with_checkpoint=True)


def record_card(evaluation_id: str) -> Component:
    """That of one evaluation."""
    rows = read(evaluation_id)
    return holder(rows, names.RECORD_EVIDENCE, names.RECORD_EVIDENCE_SEEN, with_checkpoint=False)


def holder(rows: list[EvidenceOut], id: str, seen_id: str, *, with_checkpoint: bool) -> Component:
    parts = [dcc.Store(id=seen_id, data=fingerprint(rows)), html.Div(body(rows, with_checkpoint), id=id)]
    return html.Div(parts)


def read(evaluation_id: str | None) -> list[EvidenceOut]:
    return service.list_evidence(SHOWN, evaluation_ids=None if evaluation_id is None else [evaluation_id]).items


def fingerprint(rows: list[EvidenceOut]) -> str:
    """Changes whenever a row reads otherwise."""
    return "".join(f"{row.id}{row.state}{row.progress.done}" for row in rows)


def body(rows: list[EvidenceOut], with_checkpoint: bool) -> list[Component]:
    """The card; nothing where there is no evidence at all."""
    if not rows:
        return []
    return [card("Beside the primary run", evidence.evidence_table(rows, with_checkpoint=with_checkpoint), note=NOTE)]


def register(app: Dash) -> None:
    """Draw the table anew where it changed."""

    @app.callback(
        Output(names.EVIDENCE, "children"),
        Output(names.EVIDENCE_SEEN, "data"),
        Input(names.POLL, "n_intervals"),
        State(names.EVIDENCE_SEEN, "data"),
        prevent_initial_call=True,
    )
    @in_thread
    def follow_all(_tick: int | None, seen: str | None) -> tuple[Content, Any]:
        return renew(None, seen)

    @app.callback(
        Output(names.RECORD_EVIDENCE, "children"),
        Output(names.RECORD_EVIDENCE_SEEN, "data"),
        Input(names.RECORD_POLL, "n_intervals"),
        State(names.RECORD_ID, "data"),
        State(names.RECORD_EVIDENCE_SEEN, "data"),
        prevent_initial_call=True,
    )
    @in_thread
    def follow_one(_tick: int | None, evaluation_id: str, seen: str | None) -> tuple[Content, Any]:
        return renew(evaluation_id, seen)

    evidence.register(app)


def renew(evaluation_id: str | None, seen: str | None) -> tuple[Content, Any]:
    rows = read(evaluation_id)
    now = fingerprint(rows)
    return (no_update, no_update) if now == seen else (body(rows, evaluation_id is None), now)
