"""The glossary: every word of the product with its one meaning."""

from dash.development.base_component import Component

from frontend.help.glossary import GROUPS
from frontend.pages.help.frame import Anchors, definitions, help_page, section

TITLE = "Glossary"


def parts() -> Anchors:
    """The groups of words."""
    return [(name, f"group-{name.split()[0].lower()}") for name in GROUPS]


def layout(**_query: str) -> Component:
    """The words in their groups."""
    about = "One word, one meaning: pages, REST interface, command line and documents use these words in this sense."
    body = [
        section(name, target, definitions([(word.name, word.anchor, word.also, word.means) for word in GROUPS[name]]))
        for name, target in parts()
    ]
    return help_page("/help/glossary", TITLE, about, body, parts())
