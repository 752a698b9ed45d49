"""The top of the page while no pruned network can be compared: what will come and when, and how to get it."""

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas.evaluations import EvaluationOut
from backend.services import system
from frontend.components import Content, card
from frontend.pages.overview.holdings import Holdings, Standing
from frontend.rows import left_text, live_text, progress_bar
from frontend.shipped import ways_in
from frontend.words import count_words

SHOWN = 3


def show_waiting(holdings: Holdings) -> list[Content]:
    """What the finding waits for."""
    active = find_first(holdings.standings)
    return [card("The finding comes here", *describe(active, holdings), actions(), kind="finding-waiting")]


def find_first(standings: Sequence[Standing]) -> list[tuple[Standing, EvaluationOut]]:
    """What runs and waits, in the order of the queue."""
    active = [(standing, row) for standing in standings for row in standing.active]
    return sorted(active, key=lambda entry: (entry[1].state != "running", entry[1].queue_position or 0))


def describe(active: Sequence[tuple[Standing, EvaluationOut]], holdings: Holdings) -> list[Content]:
    sentence = (
        "One sentence will say which samples pruning loses, whether they lie on thin ice, and whether a control loses "
        "as many. "
    )
    if not active:
        return [html.P(sentence + next_step(holdings))]
    words = "It needs a dense network and one pruned from it, evaluated on the same samples, and appears by itself."
    if not system.health().workers:
        words = "No worker is running, so nothing goes on: make run starts the web server and the workers."
    rows = [waiting_row(standing, row) for standing, row in active[:SHOWN]]
    more: list[Content] = []
    if len(active) > SHOWN:
        link = dcc.Link(f"{count_words(len(active) - SHOWN, 'more evaluation')} in the queue", href="/jobs")
        more = [html.P(link, className="footnote")]
    return [html.P(sentence + words), html.Ul(rows, className="short-jobs"), *more]


def next_step(holdings: Holdings) -> str:
    """What a visitor has to do, as nothing comes by itself."""
    places = {standing.place for standing in holdings.standings}
    if "dense" not in places:
        return "Upload a dense network first."
    if "pruned" not in places:
        return "Upload a network that was pruned from one of those below, or prune one here."
    return "Evaluate a dense network and one pruned from it on the same samples."


def waiting_row(standing: Standing, row: EvaluationOut) -> Component:
    name = dcc.Link(
        f"{standing.checkpoint.name}: {row.preset}, n {row.n:,}",
        href=f"/jobs?evaluation={row.id}",
        id=f"overview-waiting-{row.id}",
    )
    state: list[Content] = [live_text(f"{row.id}:left", left_text(row), "under")]
    if row.state == "running":
        state.insert(0, progress_bar(row, standing.checkpoint.name))
    return html.Li([name, html.Span(state, className="job-state")])


def actions() -> Component:
    return html.Div([*ways_in(), dcc.Link("Prune", href="/prune", className="button")], className="form-foot")
