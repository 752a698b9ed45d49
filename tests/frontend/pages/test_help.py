"""Help explains every code, attack and word that the product shows, and every link into it leads somewhere."""

import re
from pathlib import Path

import pytest
from dash.development.base_component import Component

import frontend
from backend.attacks.catalogue import FLAGS, PRESETS
from backend.attacks.catalogue.attacks import ATTACKS
from frontend.help.addresses import PLACES, anchor
from frontend.help.glossary import WORDS
from frontend.help.protocol import SECTIONS
from frontend.pages import PAGES
from frontend.pages.help.attacks import settings_words
from frontend.pages.help.frame import SHELF
from frontend.pages.help.index import list_entries
from tests.frontend.words import hrefs, text_of, walk

FRONTEND = Path(frontend.__file__).parent
PATHS = [row.path for row in PAGES if row.module.split(".")[0] == "help"]


@pytest.fixture(scope="module")
def pages() -> dict[str, Component]:
    return {row.path: row.load().layout() for row in PAGES if row.path in PATHS}


def anchors(content: Component) -> list[str]:
    return [
        part.id for part in walk(content) if isinstance(part, Component) and isinstance(getattr(part, "id", 0), str)
    ]


def test_shelf_holds_every_page_of_help() -> None:
    assert {page.path for page in SHELF} | {"/help"} == set(PATHS)


@pytest.mark.parametrize("path", PATHS)
def test_ids_are_unique(path: str, pages: dict[str, Component]) -> None:
    assert len(anchors(pages[path])) == len(set(anchors(pages[path])))


@pytest.mark.parametrize("word", WORDS)
def test_every_word_has_its_anchor_on_the_page_of_the_glossary(word: str, pages: dict[str, Component]) -> None:
    assert WORDS[word].anchor in anchors(pages["/help/glossary"])


@pytest.mark.parametrize("code", FLAGS)
def test_every_flag_says_when_what_and_what_to_do(code: str, pages: dict[str, Component]) -> None:
    content = pages["/help/flags"]
    assert f"flag-{code}" in anchors(content)
    flag, words = FLAGS[code], text_of(content)
    assert flag.raised_if in words and flag.means in words and flag.what_to_do in words
    assert f"/help/flags#flag-{code}" in hrefs(pages["/help/protocol"])


@pytest.mark.parametrize("name", [*ATTACKS, *PRESETS])
def test_every_attack_and_preset_has_an_entry(name: str, pages: dict[str, Component]) -> None:
    found = anchors(pages["/help/attacks"])
    assert f"attack-{name}" in found or f"preset-{name}" in found


def test_every_section_of_the_protocol_is_on_its_page(pages: dict[str, Component]) -> None:
    content = pages["/help/protocol"]
    assert {section.anchor for section in SECTIONS} <= set(anchors(content))
    words = text_of(content)
    assert "57.14" in words and "robustbench.github.io" in words, "published figures stand there with their source"


@pytest.mark.parametrize("path", PATHS)
def test_links_inside_help_lead_somewhere(path: str, pages: dict[str, Component]) -> None:
    links = [link for link in hrefs(pages[path]) if link.startswith(("#", "/help"))]
    assert links
    for link in links:
        page, _, target = link.partition("#")
        assert (page or path) in pages, link
        assert not target or target in anchors(pages[page or path]), f"{path} leads to {link}, which is not there"


def test_links_into_help_from_other_pages_lead_somewhere() -> None:
    """They are made by `help_address`, so that no address of Help is written by hand."""
    known = {address for address, *_ in list_entries()}
    for path in FRONTEND.rglob("*.py"):
        if FRONTEND / "help" in path.parents or FRONTEND / "pages" / "help" in path.parents:
            continue
        text = path.read_text()
        assert not re.search(r"/help[/\w]*#", text), f"{path.name} writes an address of Help by hand; use help_address"
        for kind, name in re.findall(r'help_address\("(\w+)", "([^"]+)"\)', text):
            assert f"{PLACES[kind]}#{anchor(kind, name)}" in known


def test_search_finds_every_entry_of_every_page(pages: dict[str, Component]) -> None:
    entries = list_entries()
    addresses = [address for address, *_ in entries]
    assert len(addresses) == len(set(addresses)) > 150
    for address in addresses:
        page, _, target = address.partition("#")
        assert target in anchors(pages[page]), f"the search leads to {address}, which is not there"
    kinds = "|".join(PLACES)
    shown = {f"{path}#{id}" for path in PATHS for id in anchors(pages[path]) if re.match(f"({kinds})-", id)}
    assert shown == set(addresses)
    assert all(title and words for _, title, _, words in entries)


def test_settings_words_write_what_differs_in_a_norm_behind_the_others() -> None:
    settings = {"steps": 100, "spread": True, "in L1": {"targets": 5, "radii": [3, 2, 1]}}
    assert settings_words(settings) == "steps 100, spread yes; in L1: targets 5, radii 3 2 1"
