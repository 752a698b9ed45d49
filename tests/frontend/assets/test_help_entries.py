"""Which entries of Help a query finds: exact names first, every word needed, excerpts that show the word looked for."""

import pytest

from frontend.pages.help.index import list_entries
from tests.frontend.assets.scripts import call

INDEX = [list(entry) for entry in list_entries()]


def find(query: str) -> list[str]:
    """The addresses that a query finds, best first."""
    return [entry[0] for entry in call("helpEntries.find", query, INDEX)]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("margin", "/help/glossary#word-margin"),
        ("ε", "/help/glossary#word-eps"),
        ("masking", "/help/flags#flag-masking"),
        ("4.8", "/help/protocol#section-4-8"),
        ("fmn-target-2", "/help/attacks#attack-fmn-target-2"),
        ("MARGIN  of its own", "/help/glossary#word-margin-of-its-own-prediction"),
    ],
)
def test_find_puts_the_entry_of_that_name_first(query: str, first: str) -> None:
    assert find(query)[0] == first


@pytest.mark.parametrize("entry", INDEX, ids=lambda entry: entry[0])
def test_find_reaches_every_entry_by_its_title(entry: list[str]) -> None:
    assert entry[0] in find(entry[1])


def test_find_needs_every_word() -> None:
    both = find("bootstrap AUROC")
    assert both and set(both) == set(find("bootstrap")) & set(find("AUROC"))


@pytest.mark.parametrize("query", ["", "   ", "no-such-word-anywhere"])
def test_find_of_nothing_is_nothing(query: str) -> None:
    assert find(query) == []


def test_excerpt_holds_the_word_looked_for_and_cuts_between_words() -> None:
    words = "start " * 60 + "needle " + "end " * 60
    shown = call("helpEntries.excerpt", words, "needle")
    assert shown.startswith("… start") and "needle" in shown and shown.endswith("end …") and len(shown) < 190
    assert call("helpEntries.excerpt", "short words", "words") == "short words"
