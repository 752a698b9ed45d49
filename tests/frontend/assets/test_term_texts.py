"""Words of the glossary in the texts of a page."""

import json

import pytest

from frontend.help.glossary.hints import write_hints
from tests.frontend.assets.scripts import call


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Margins of lost samples", [["Margins", "margin"], ["lost", "lost"]]),
        ("a robust accuracy, robustly", [["robust accuracy", "robust accuracy"]]),
        ("marginal unmargin margin-bound", []),
        ("On THIN ICE.", [["THIN ICE", "thin ice"]]),
        ("", []),
    ],
)
def test_find_gives_whole_words_the_longest_first_and_plurals(text: str, expected: list[list[str]]) -> None:
    known = {"call": ["termTexts.finder", [json.loads(write_hints())]]}
    found = call("termTexts.find", text, known)
    assert [[text[one["start"] : one["end"]], one["hint"]["name"]] for one in found] == expected
