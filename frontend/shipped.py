"""The ways out of an empty page: the shipped results, an evaluation, an upload."""

from dash import ClientsideFunction, Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from backend.services import checkpoints, evaluations, system
from backend.services.system import ShippedResults
from frontend import ids
from frontend.callbacks import in_thread
from frontend.components import Content, empty_state
from frontend.words import count_words

POLL_MILLISECONDS = 500
PRIMARY, OTHER = "button button-primary", "button"


def ways_in() -> list[Component]:
    """What fills an empty page, the first of them as the main button."""
    offer = shipped_offer()
    links = [("Upload a checkpoint", "/upload")]
    newest = checkpoints.list_checkpoints(1).items
    if newest:
        links.insert(0, ("Queue an evaluation", f"/jobs?new={newest[0].id}"))
    ways: list[Component] = [] if offer is None else [offer]
    for words, href in links:
        ways.append(dcc.Link(words, href=href, className=OTHER if ways else PRIMARY))
    return ways


def nothing_evaluated() -> list[Component]:
    """A card with the ways in, above a page that has networks but no evaluation; empty once there is one."""
    if evaluations.list_evaluations(1, state="succeeded").total:
        return []
    return [empty_state("No checkpoint is evaluated yet, so there is nothing to show here.", ways=ways_in())]


def shipped_offer() -> Component | None:
    """The button that brings the shipped results in, or how far they are; None where all are here or there are none."""
    state = system.tell_shipped()
    if state.here == state.total:
        return None
    parts: list[Component] = [
        html.Button("Bring in the shipped results", id=ids.SHIPPED_GO, className=PRIMARY, hidden=state.is_coming),
        html.Span(offer_words(state), id=ids.SHIPPED_WORDS, role="status", className="muted"),
        dcc.Interval(id=ids.SHIPPED_POLL, interval=POLL_MILLISECONDS, disabled=not state.is_coming),
        dcc.Store(id=ids.SHIPPED_DONE),
    ]
    return html.Div(parts, className="shipped-offer")


def offer_words(state: ShippedResults) -> str:
    if state.is_coming:
        return f"The shipped results are coming in: {state.here:,} of {state.total:,}."
    missing = count_words(state.total - state.here, "evaluation")
    return f"{missing} of the shipped networks, measured when Thin Ice was built. A worker verifies them here."


def register(app: Dash) -> None:
    """The button starts it, and the page comes anew once all are here."""

    @app.callback(
        Output(ids.SHIPPED_GO, "hidden"),
        Output(ids.SHIPPED_POLL, "disabled"),
        Output(ids.SHIPPED_WORDS, "children"),
        Input(ids.SHIPPED_GO, "n_clicks"),
        prevent_initial_call=True,
    )
    @in_thread
    def start(_clicks: int | None) -> tuple[bool, bool, Content]:
        system.bring_shipped()
        return True, False, "The shipped results are coming in."

    @app.callback(
        Output(ids.SHIPPED_WORDS, "children", allow_duplicate=True),
        Output(ids.SHIPPED_DONE, "data"),
        Input(ids.SHIPPED_POLL, "n_intervals"),
        prevent_initial_call=True,
    )
    @in_thread
    def follow(_tick: int | None) -> tuple[Content, bool]:
        state = system.tell_shipped()
        return offer_words(state), not state.is_coming

    app.clientside_callback(ClientsideFunction("shell", "reload"), Input(ids.SHIPPED_DONE, "data"))
