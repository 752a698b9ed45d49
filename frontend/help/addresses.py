"""Where Help explains something. A kind of entry has one page, and every entry has an anchor there that stays."""

import re
from dataclasses import dataclass

PLACES: dict[str, str] = {
    "section": "/help/protocol",
    "word": "/help/glossary",
    "attack": "/help/attacks",
    "preset": "/help/attacks",
    "flag": "/help/flags",
    "reading": "/help/reading",
    "keys": "/help/reading",
    "call": "/help/rest",
}
"""The page of each kind of entry."""

FORMER: dict[str, str] = {
    "reading": "/help/reading",
    "words": "/help/glossary",
    "attacks": "/help/attacks",
    "flags": "/help/flags",
    "rules": "/help/protocol#section-4",
    "keys": "/help/reading#keys-samples",
    "calls": "/help/rest",
}
"""Anchors of the one page that Help was, in addition to those of its entries: where each leads now."""

LINK = re.compile(r"\[([^\]]+)\]\((\w+):([^)]+)\)")


@dataclass(frozen=True)
class Link:
    """Words of a sentence that lead to an entry of Help."""

    words: str
    kind: str
    name: str


def anchor(kind: str, name: str) -> str:
    """The id of an entry on its page: `word-thin-ice`, `section-4-7`."""
    assert kind in PLACES, f"{kind} is no kind of entry; there are {', '.join(PLACES)}"
    return f"{kind}-{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-')}"


def help_address(kind: str, name: str) -> str:
    """The address of an entry: `/help/flags#flag-masking`."""
    return f"{PLACES[kind]}#{anchor(kind, name)}"


def split_links(text: str) -> list[str | Link]:
    """A sentence and its links, which are written `[the words](kind:name)`."""
    pieces = LINK.split(text)
    parts: list[str | Link] = []
    for start in range(0, len(pieces), 4):
        parts += [pieces[start]] if pieces[start] else []
        if start + 3 < len(pieces):
            parts.append(Link(*pieces[start + 1 : start + 4]))
    return parts


def plain_text(text: str) -> str:
    """A sentence without the marks of its links."""
    return LINK.sub(r"\1", text)
