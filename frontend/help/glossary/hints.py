"""The glossary as data for every page, where a word says what it means under the pointer (assets/terms.js)."""

import json

from frontend.help.addresses import help_address, plain_text
from frontend.help.glossary import WORDS

EVERYDAY = {"yes", "no"}  # answers, and in most sentences words like any other


def write_hints() -> str:
    """JSON: one object for each word, with the forms under which people meet it, its meaning, and its address."""
    hints = [
        {
            "forms": sorted({word.name.lower(), *(form.lower() for form in word.also)} - EVERYDAY),
            "name": word.name,
            "means": plain_text(word.means),
            "href": help_address("word", word.name),
        }
        for word in WORDS.values()
    ]
    return json.dumps(hints, ensure_ascii=False)
