"""The page's frame: the list with its filters, the workers, and the form that queues; or one evaluation's record."""

from dash import dcc, html
from dash.development.base_component import Component

from frontend.components import aria, card
from frontend.pages.jobs import cards, ids
from frontend.pages.jobs.listing import read_filter, read_listing
from frontend.pages.jobs.queueing import queue_card
from frontend.pages.jobs.record import record_page
from frontend.pages.jobs.table import filter_chips, jobs_table, summary_sentence, workers_list


def layout(**query: str) -> Component:
    """The jobs; with `?evaluation=<id>` the record of one."""
    if query.get("evaluation"):
        return record_page(query["evaluation"])
    wanted = read_filter(query)
    listing = read_listing(wanted)
    parts = [
        dcc.Store(id=ids.STATE, data=listing.state_of(wanted)),
        dcc.Store(id=ids.LIVE),
        dcc.Interval(id=ids.POLL, interval=ids.POLL_MILLISECONDS),
        html.H1("Jobs", className="page-title"),
        html.P(summary_sentence(listing), id=ids.SENTENCE, className="headline"),
        html.Div(filter_chips(listing, wanted), id=ids.CHIPS, className="chips"),
        queue_card(query),
        card(
            "Evaluations",
            html.Div(
                jobs_table(listing),
                id=ids.TABLE,
                className="table-scroll",
                tabIndex=0,
                role="region",
                **aria(label="Evaluations"),
            ),
        ),
        cards.PRUNINGS.layout(),
        cards.EVIDENCE.layout(),
        card("Workers", html.Div(workers_list(listing), id=ids.WORKERS)),
    ]
    return html.Div(parts, id=ids.PAGE, className="page-stack jobs")
