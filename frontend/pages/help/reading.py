"""How to read the pages and their plots, and what the keyboard does."""

from dash import html
from dash.development.base_component import Component

from frontend.help.addresses import anchor
from frontend.help.reading import PASSAGES
from frontend.pages.help.frame import Anchors, definitions, help_page, section
from frontend.review.keys import TABLES, key_words

TITLE = "Reading the pages"


def parts() -> Anchors:
    """The groups of pages, then the keys."""
    return [*((name, f"pages-{name.split()[0].lower()}") for name in PASSAGES), ("Keys", "keys")]


def layout(**_query: str) -> Component:
    """Compare first: the other pages show parts of the same."""
    about = "What each plot and card shows, and what to look for in it."
    *groups, keys = parts()
    body = [
        section(name, target, definitions([(one.title, one.anchor, (), one.means) for one in PASSAGES[name]]))
        for name, target in groups
    ]
    return help_page("/help/reading", TITLE, about, [*body, section(*keys, key_tables())], parts())


def key_tables() -> Component:
    return html.Div(
        [html.Div([html.H3(page), key_words(keys)], id=anchor("keys", page)) for page, keys in TABLES.items()],
        className="help-keys",
    )
