"""What the keyboard does, everywhere and on pages with keys of their own; the dialog of keys and Help read it."""

from dash import html
from dash.development.base_component import Component

EVERYWHERE_KEYS = {
    "?": "show or hide this list",
    "g  o": "go to Overview",
    "g  m": "go to Methods",
    "g  c": "go to Compare",
    "g  s": "go to Samples",
    "g  j": "go to Jobs",
    "g  u": "go to Upload",
    "g  h": "go to Help",
    "w": "explain the words on this page",
    "Tab": "move from control to control; the first one skips the navigation",
}
SAMPLES_KEYS = {
    "1  2  3  4": "show only samples that are kept, lost, gained or wrong on both; press again to show all",
    "t": "show only samples on thin ice; press again to show all",
    "Esc": "remove all filters",
    "←  →  ↑  ↓": "move from sample to sample",
    "Enter": "open the sample",
}
SAMPLE_KEYS = {
    "←  →": "previous / next sample in the list",
    "↑  ↓": "less / more pruned version",
    "b": "blink: show the clean image in place of the adversarial one",
    "Esc": "back to Compare",
}
ALL_KEYS = "On every page"
PAGE_KEYS = {"/samples": ("Samples", SAMPLES_KEYS), "/sample": ("Sample", SAMPLE_KEYS)}
"""By the path of a page: its title and its own keys."""
TABLES = {ALL_KEYS: EVERYWHERE_KEYS} | dict(PAGE_KEYS.values())


def key_words(keys: dict[str, str]) -> Component:
    """A table of keys as a list of definitions."""
    items = [part for key, does in keys.items() for part in (html.Dt(html.Kbd(key)), html.Dd(does))]
    return html.Dl(items, className="key-words")
