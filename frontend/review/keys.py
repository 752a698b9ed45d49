"""What the keyboard does on the pages that show samples; the pages and Help read the same tables."""

from dash import html
from dash.development.base_component import Component

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
    "?": "show or hide this list",
}


def key_words(keys: dict[str, str]) -> Component:
    """A table of keys as a list of definitions."""
    items = [part for key, does in keys.items() for part in (html.Dt(html.Kbd(key)), html.Dd(does))]
    return html.Dl(items, className="key-words")
