"""Addresses into Help: one form for every link, and sentences that hold links."""

import pytest

from frontend.help.addresses import FORMER, PLACES, Link, anchor, help_address, plain_text, split_links
from frontend.pages import PAGES


@pytest.mark.parametrize(
    ("kind", "name", "address"),
    [
        ("flag", "masking", "/help/flags#flag-masking"),
        ("word", "FPR at 95 % TPR", "/help/glossary#word-fpr-at-95-tpr"),
        ("section", "4.10", "/help/protocol#section-4-10"),
        ("call", "GET /api/v1/claims", "/help/rest#call-get-api-v1-claims"),
    ],
)
def test_help_address_leads_to_the_page_of_the_kind(kind: str, name: str, address: str) -> None:
    assert help_address(kind, name) == address


def test_anchor_of_an_unknown_kind_lists_what_exists() -> None:
    with pytest.raises(AssertionError, match="there are section, word, attack"):
        anchor("recipe", "soup")


def test_places_are_pages() -> None:
    pages = {row.path for row in PAGES}
    assert set(PLACES.values()) <= pages
    assert {address.partition("#")[0] for address in FORMER.values()} <= pages


def test_split_links_keeps_every_letter_and_finds_the_links() -> None:
    text = "A [thin](word:thin ice) layer, see [4.8](section:4.8)"
    assert split_links(text) == [
        "A ",
        Link("thin", "word", "thin ice"),
        " layer, see ",
        Link("4.8", "section", "4.8"),
    ]
    assert plain_text(text) == "A thin layer, see 4.8"


def test_split_links_of_plain_words_and_brackets_leaves_them_alone() -> None:
    assert split_links("pixels in [0, 1] (always)") == ["pixels in [0, 1] (always)"]
    assert split_links("") == []
