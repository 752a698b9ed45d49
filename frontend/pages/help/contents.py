"""The first page of Help: what the other pages hold."""

from dash import dcc, html
from dash.development.base_component import Component

from frontend.pages.help import attacks, flags, glossary, protocol, reading, rest
from frontend.pages.help.frame import SHELF, Anchors, HelpPage, help_page

PARTS = {page.__name__.rpartition(".")[2]: page.parts for page in (attacks, flags, glossary, protocol, reading, rest)}


def layout(**_query: str) -> Component:
    """One card for each page, with links to its parts."""
    about = "What the words mean, how the numbers are made, and what to do when one of them looks too good."
    cards = [page_card(page, PARTS[page.path.rpartition("/")[2]]()) for page in SHELF]
    return help_page("/help", "Help", about, [html.Div(cards, className="grid two")])


def page_card(page: HelpPage, parts: Anchors) -> Component:
    links = [html.Li(dcc.Link(title, href=f"{page.path}#{target}")) for title, target in parts]
    inside = [html.H2(dcc.Link(page.title, href=page.path)), html.P(page.about), html.Ul(links)]
    return html.Section(inside, className="card help-card")
