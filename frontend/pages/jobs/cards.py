"""The cards under the evaluations: evidence and prunings that wait, run or ended lately, a row of `CARDS` each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from backend.services import evidence, prunings
from frontend import ids as shell_ids
from frontend.callbacks import in_thread
from frontend.components import Content, card
from frontend.jobs import fingerprint
from frontend.pages.jobs import ids
from frontend.review.evidence import evidence_table
from frontend.review.prunings import pruning_table
from frontend.rows import JobOut

SHOWN = 20


@dataclass(frozen=True)
class JobCard:
    """A card that lists the newest jobs of a kind, drawn anew where one of them changed; no card where there are none.

    `place` and `seen` are the ids of the card and of what was last drawn; `news` says when to look. `read` and
    `table` take the id of the evaluation whose record the page shows, None on the list of all jobs.
    """

    place: str
    seen: str
    news: Input
    title: str
    read: Callable[[str | None], Sequence[Any]]
    table: Callable[[Sequence[Any], str | None], Component]
    note: str | None = None
    tools: Content = None

    def draw(self, rows: Sequence[JobOut], of: str | None) -> list[Component]:
        if not rows:
            return []
        content = html.Div(self.table(rows, of), className="table-scroll")
        return [card(self.title, content, note=self.note, tools=self.tools)]

    def layout(self, of: str | None = None) -> Component:
        """The card, and what the page remembers of it."""
        rows = self.read(of)
        seen = dcc.Store(id=self.seen, data=fingerprint(rows))
        return html.Div([seen, html.Div(self.draw(rows, of), id=self.place)])

    def renew(self, of: str | None, seen: str | None) -> tuple[Content, Any]:
        rows = self.read(of)
        now = fingerprint(rows)
        return (no_update, no_update) if now == seen else (self.draw(rows, of), now)


def read_evidence(of: str | None) -> Sequence[JobOut]:
    return evidence.list_evidence(SHOWN, evaluation_ids=None if of is None else [of], with_slices=False).items


def show_evidence(rows: Sequence[Any], of: str | None) -> Component:
    return evidence_table(rows, with_checkpoint=of is None)


ADDITIONAL = "Additional evidence"
NEWS = Input(shell_ids.CHANGED, "data")
NOTE = "can lower best-known bounds; never changes margins"
PRUNINGS = JobCard(
    ids.PRUNINGS,
    ids.PRUNINGS_SEEN,
    NEWS,
    "Prunings",
    lambda _of: prunings.list_prunings(SHOWN).items,
    lambda rows, _of: pruning_table(rows),
    tools=dcc.Link("Prune", href="/prune", className="button button-quiet"),
)
EVIDENCE = JobCard(ids.EVIDENCE, ids.EVIDENCE_SEEN, NEWS, ADDITIONAL, read_evidence, show_evidence, NOTE)
RECORD_EVIDENCE = JobCard(
    ids.RECORD_EVIDENCE,
    ids.RECORD_EVIDENCE_SEEN,
    Input(ids.RECORD_POLL, "n_intervals"),
    ADDITIONAL,
    read_evidence,
    show_evidence,
    NOTE,
)


def register(app: Dash) -> None:
    """Draw each card anew where it changed."""
    for one in (PRUNINGS, EVIDENCE):
        follow(app, one)
    follow(app, RECORD_EVIDENCE, State(ids.RECORD_ID, "data"))


def follow(app: Dash, one: JobCard, *of: State) -> None:
    @app.callback(
        Output(one.place, "children"),
        Output(one.seen, "data"),
        one.news,
        State(one.seen, "data"),
        *of,
        prevent_initial_call=True,
    )
    @in_thread
    def look(_news: Any, seen: str | None, evaluation_id: str | None = None) -> tuple[Content, Any]:
        return one.renew(evaluation_id, seen)
