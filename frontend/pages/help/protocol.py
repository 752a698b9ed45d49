"""The evaluation protocol, in numbered sections that the code cites."""

from dash import dcc, html
from dash.development.base_component import Component

from backend.services import catalogues
from backend.services.claims import references
from frontend.components import Content, aria
from frontend.help.addresses import help_address
from frontend.help.glossary import WORDS
from frontend.help.protocol import PAPER, SECTIONS, WORDS_ALL_REST_ON, Section
from frontend.lists import read_list
from frontend.pages.help.frame import Anchors, help_page, linked, section, title_link
from frontend.references import references_table

TITLE = "The evaluation protocol"


def parts() -> Anchors:
    """The chapters."""
    return [(f"{one.number} {one.title}", one.anchor) for one in SECTIONS if one.is_chapter]


def layout(**_query: str) -> Component:
    """The chapters with their sections."""
    about = "What Thin Ice measures, what it computes from that, and the rules that make a number trustworthy."
    body = [chapter_card(one) for one in SECTIONS if one.is_chapter]
    return help_page("/help/protocol", TITLE, about, body, parts())


def chapter_card(chapter: Section) -> Component:
    inside = [one for one in SECTIONS if one.number.partition(".")[0] == chapter.number and not one.is_chapter]
    extra = EXTRAS.get(chapter.number)
    return section(
        f"{chapter.number} {chapter.title}",
        chapter.anchor,
        *words_of(chapter),
        *([extra()] if extra is not None else []),
        *[section_entry(one) for one in inside],
    )


def section_entry(one: Section) -> Component:
    extra = EXTRAS.get(one.number)
    heading = html.H3([html.Span(one.number, className="help-number"), title_link(one.title, one.anchor)])
    said = html.Div([*words_of(one), *([extra()] if extra is not None else [])])
    return html.Article([heading, said], id=one.anchor, className="help-entry help-rule")


def words_of(one: Section) -> list[Component]:
    words: list[Component] = [html.P(linked(paragraph)) for paragraph in one.paragraphs]
    if one.points:
        words.append(html.Ul([html.Li(linked(point)) for point in one.points], className="help-points"))
    return words


def paper() -> Component:
    return html.P(html.A(PAPER.removeprefix("https://"), href=PAPER), className="help-source")


def shared_words() -> Component:
    """The entries of the glossary on which the protocol rests, each leading to its own."""
    rows = [
        html.Div([html.Dt(dcc.Link(name, href=help_address("word", name))), html.Dd(linked(WORDS[name].means))])
        for name in WORDS_ALL_REST_ON
    ]
    return html.Dl(rows, className="help-words")


def flag_links() -> Component:
    links: list[Content] = [
        html.Li(dcc.Link(flag.code, href=help_address("flag", flag.code))) for flag in catalogues.list_flags().items
    ]
    return html.Ul(links, className="help-runs")


def known_figures() -> Component:
    """The published figures with their sources."""
    table = references_table(read_list(references.list_references))
    return html.Div(
        table, className="table-scroll references-card", tabIndex=0, role="region", **aria(label="Published figures")
    )


EXTRAS = {"1": paper, "2": shared_words, "4.7": flag_links, "5": known_figures}
"""What a section shows besides its words."""
