"""The reliability flags: when each is raised, what it means and what to do."""

from dash.development.base_component import Component

from backend.schemas.catalogues import FlagOut
from backend.services import catalogues
from frontend.help.addresses import anchor
from frontend.pages.help.frame import Anchors, entry, help_page, linked, section

TITLE = "Reliability flags"


def parts() -> Anchors:
    """The flags by code."""
    return [(flag.code, anchor("flag", flag.code)) for flag in catalogues.list_flags().items]


def layout(**_query: str) -> Component:
    """Every flag of the catalogue."""
    about = linked(
        "Every evaluation checks its network. A flag changes no number; it says how far to trust the numbers "
        "([protocol 4.7](section:4.7))."
    )
    body = [section("Flags", "flags", *[flag_entry(flag) for flag in catalogues.list_flags().items])]
    return help_page("/help/flags", TITLE, about, body, parts())


def flag_entry(flag: FlagOut) -> Component:
    details = [("raised if", flag.raised_if), ("means", flag.means), ("what to do", flag.what_to_do)]
    return entry("flag", flag.code, flag.title, details, code=flag.code)
