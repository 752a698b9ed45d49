"""What every page of Help is made of: its heading, the search field, the list of pages, and entries with an address."""

from collections.abc import Sequence
from dataclasses import dataclass

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from frontend.components import Content, aria
from frontend.help.addresses import FORMER, PLACES, anchor, help_address, split_links
from frontend.pages.help import ids
from frontend.pages.help.index import list_entries


@dataclass(frozen=True)
class HelpPage:
    """A page of Help in the list of them."""

    path: str
    title: str
    about: str


SHELF: tuple[HelpPage, ...] = (
    HelpPage("/help/reading", "Reading the pages", "How to read each plot and card, and the keys of the sample pages."),
    HelpPage("/help/protocol", "The protocol", "What is measured, and the rules that make a number trustworthy."),
    HelpPage("/help/glossary", "Glossary", "Every word that the pages use, with its one meaning."),
    HelpPage("/help/flags", "Reliability flags", "When a flag is raised, what it means and what to do."),
    HelpPage("/help/attacks", "Attacks", "The presets and the attacks in them: cost, settings and source."),
    HelpPage("/help/rest", "REST and command line", "The calls that give the same figures without a browser."),
)

Anchors = Sequence[tuple[str, str]]
"""Titles and anchors of a page's own parts."""


def help_page(path: str, title: str, about: Content, body: Sequence[Content], parts: Anchors = ()) -> Component:
    """A page: its heading, the pages of Help at the left, and next to them the search field over `body`."""
    heading = html.Div([html.H1(title, className="page-title"), html.P(about, className="help-about")])
    found = html.Section(
        [html.P(id=ids.COUNT, role="status", className="muted"), html.Ol(id=ids.RESULTS, className="help-results")],
        id=ids.FOUND,
        hidden=True,
        className="card",
        **aria(label="Entries found"),
    )
    shown = html.Div(list(body), id=ids.BODY, className="help-body")
    main = html.Div([search_field(), found, shown], className="help-main")
    return html.Div(
        [
            dcc.Store(id=ids.NAMED),
            dcc.Store(id=ids.FORMER, data={"kinds": PLACES, "anchors": FORMER}),
            dcc.Store(id=ids.FORWARDED),
            dcc.Store(id=ids.INDEX, data=[list(entry) for entry in list_entries()]),
            heading,
            html.Div([contents(path, parts), main], className="help-columns"),
        ],
        id=ids.PAGE,
        className="help-page",
    )


def search_field() -> Component:
    """Looks through all pages of Help as one types (assets/help_search.js)."""
    field = dmc.TextInput(
        id=ids.SEARCH,
        label="Search Help",
        description="Arrow keys move through the results, Enter opens one, Esc clears the field.",
        placeholder="margin, masking, 4.8 …",
        value="",
        debounce=False,
        inputWrapperOrder=["label", "input", "description"],
        autoComplete="off",
        spellCheck=False,
        className="field",
    )
    return html.Div(field, role="search", className="help-search")


def contents(path: str, parts: Anchors) -> Component:
    """The pages of Help, and under the present one its own parts."""
    items: list[Component] = []
    for page in SHELF:
        is_here = page.path == path
        inside: list[Component] = [
            dcc.Link(page.title, href=page.path, className="is-here" if is_here else "")
            if not is_here
            else html.A(page.title, href=f"#{ids.PAGE}", className="is-here", **aria(current="page"))
        ]
        if is_here and parts:
            inside.append(html.Ul([html.Li(html.A(title, href=f"#{target}")) for title, target in parts]))
        items.append(html.Li(inside))
    return html.Nav(html.Ul(items), className="help-contents", **aria(label="Pages of Help"))


def section(title: str, target: str, *children: Content) -> Component:
    return html.Section([html.H2(title), *children], id=target, className="card help-section")


def entry(
    kind: str, name: str, title: str, details: Sequence[tuple[str, Content]], *, code: str = "", words: Content = None
) -> Component:
    """A titled entry with its stable name and what is to know about it; its title is the link to it."""
    target = anchor(kind, name)
    parts: list[Component] = [html.H3([title_link(title, target), *([html.Code(code)] if code else [])])]
    if words is not None:
        parts.append(html.P(words))
    if details:
        items = [part for detail, content in details for part in (html.Dt(detail), html.Dd(content))]
        parts.append(html.Dl(items, className="help-details"))
    return html.Article(parts, id=target, className="help-entry")


def definitions(entries: Sequence[tuple[str, str, Sequence[str], str]]) -> Component:
    """Titles with their anchors, other forms and meanings, in two columns."""
    rows = [
        html.Div([html.Dt([title_link(title, target), *other_forms(also)]), html.Dd(linked(means))], id=target)
        for title, target, also, means in entries
    ]
    return html.Dl(rows, className="help-words")


def other_forms(also: Sequence[str]) -> list[Component]:
    return [html.Span(f"also {', '.join(also)}", className="help-also")] if also else []


def title_link(title: str, target: str) -> Component:
    """An entry's title, which is also the link to it."""
    return html.A(title, href=f"#{target}", className="help-anchor")


def linked(text: str) -> list[Content]:
    """A sentence with its links into Help."""
    return [
        part if isinstance(part, str) else dcc.Link(part.words, href=help_address(part.kind, part.name))
        for part in split_links(text)
    ]
