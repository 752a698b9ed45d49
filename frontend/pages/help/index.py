"""Every entry of every page of Help, as the search field looks through them."""

from collections.abc import Iterator
from functools import lru_cache

from backend.services import catalogues
from frontend.help.addresses import help_address, plain_text
from frontend.help.calls import CALLS
from frontend.help.glossary import WORDS
from frontend.help.protocol import SECTIONS
from frontend.help.reading import PASSAGES
from frontend.review.keys import TABLES

Entry = tuple[str, str, str, str]
"""Address, title, kind and words, as lists reach the browser."""


@lru_cache(maxsize=1)
def list_entries() -> tuple[Entry, ...]:
    """The entries, the most asked for first: equal matches keep this order."""
    return (*words(), *flags(), *attacks(), *sections(), *passages(), *keys(), *calls())


def words() -> Iterator[Entry]:
    for word in WORDS.values():
        title = ", ".join((word.name, *word.also))
        yield help_address("word", word.name), title, "word", plain_text(word.means)


def flags() -> Iterator[Entry]:
    for flag in catalogues.list_flags().items:
        said = " ".join((flag.raised_if, flag.means, flag.what_to_do))
        yield help_address("flag", flag.code), f"{flag.code}: {flag.title}", "flag", said


def attacks() -> Iterator[Entry]:
    known = catalogues.list_attacks()
    for preset in known.presets:
        yield help_address("preset", preset.name), f"{preset.name}: {preset.title}", "preset", preset.description
    for attack in known.items:
        yield help_address("attack", attack.name), f"{attack.name}: {attack.title}", "attack", attack.reference


def sections() -> Iterator[Entry]:
    for section in SECTIONS:
        said = plain_text(" ".join((*section.paragraphs, *section.points)))
        yield help_address("section", section.number), f"{section.number} {section.title}", "protocol", said


def passages() -> Iterator[Entry]:
    for group in PASSAGES.values():
        for passage in group:
            yield help_address("reading", passage.title), passage.title, "reading", plain_text(passage.means)


def keys() -> Iterator[Entry]:
    for page, table in TABLES.items():
        said = ". ".join(f"{key}: {does}" for key, does in table.items())
        yield help_address("keys", page), f"Keys: {page}", "keys", said


def calls() -> Iterator[Entry]:
    for call in CALLS:
        yield help_address("call", f"{call.method} {call.path}"), f"{call.method} {call.path}", "REST call", call.does
