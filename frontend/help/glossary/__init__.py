"""The words of the product. Each has one meaning, and code, REST, pages and documents use it in that meaning."""

from frontend.help.glossary.flips import FLIPS
from frontend.help.glossary.jobs import JOBS
from frontend.help.glossary.measuring import MEASURING
from frontend.help.glossary.models import MODELS
from frontend.help.glossary.statistics import STATISTICS
from frontend.help.glossary.word import Word

__all__ = ["GROUPS", "WORDS", "Word", "find_word"]

GROUPS: dict[str, tuple[Word, ...]] = {
    "Models": MODELS,
    "Measuring": MEASURING,
    "Flips": FLIPS,
    "Statistics": STATISTICS,
    "Jobs and storage": JOBS,
}

WORDS: dict[str, Word] = {word.name: word for group in GROUPS.values() for word in group}


def find_word(name: str) -> Word | None:
    """The entry of a word or of another form of it."""
    if name in WORDS:
        return WORDS[name]
    return next((word for word in WORDS.values() if name in word.also), None)
