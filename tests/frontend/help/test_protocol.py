"""The protocol: sections in order, and every section that the code cites is there."""

import re
from pathlib import Path

import pytest

from frontend.help.glossary import WORDS
from frontend.help.protocol import SECTIONS, WORDS_ALL_REST_ON, Section

REPOSITORY = Path(__file__).parents[3]
CITATION = re.compile(r"\bprotocol,? (?:section |chapter |rule )?(\d+(?:\.\d+)?)\b", re.IGNORECASE)
NUMBERS = {section.number for section in SECTIONS}


def list_citations() -> list[tuple[str, str]]:
    """File and number of every citation in code, documents and tests, this one apart."""
    files = [path for folder in ("backend", "frontend", "models", "tests") for path in (REPOSITORY / folder).rglob("*")]
    sources = [path for path in files if path.suffix in (".py", ".js", ".md") and path != Path(__file__)]
    sources += REPOSITORY.glob("*.md")
    return [
        (str(path.relative_to(REPOSITORY)), number)
        for path in sources
        for number in CITATION.findall(path.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize(("text", "number"), [("(protocol 4.7)", "4.7"), ("Protocol, section 3", "3")])
def test_citation_is_found_in_its_usual_forms(text: str, number: str) -> None:
    assert CITATION.findall(text) == [number]


def test_citations_in_the_code_lead_to_a_section() -> None:
    cited = list_citations()
    assert {number for _, number in cited} >= {"4.2", "4.7", "4.8", "4.9"}
    missing = [f"{file} cites protocol {number}" for file, number in cited if number not in NUMBERS]
    assert missing == [], "no such section in frontend/help/protocol.py"


def test_sections_are_numbered_without_a_gap() -> None:
    expected: list[str] = []
    for section in SECTIONS:
        chapter, _, place = section.number.partition(".")
        if not place:
            expected.append(str(len([one for one in expected if "." not in one]) + 1))
        else:
            expected.append(f"{chapter}.{len([one for one in expected if one.startswith(f'{chapter}.')]) + 1}")
    assert [section.number for section in SECTIONS] == expected


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.number)
def test_sections_are_whole_sentences(section: Section) -> None:
    for paragraph in section.paragraphs:
        assert (paragraph[0].isupper() or paragraph[0] in "“[") and paragraph[-1] in ".:?", paragraph


def test_words_that_the_protocol_rests_on_are_in_the_glossary() -> None:
    assert set(WORDS_ALL_REST_ON) <= set(WORDS)


def test_unconfirmed_statements_of_the_paper_are_not_told_as_its_own() -> None:
    """Which three methods it evaluates, and by which version of which attack, could not be confirmed."""
    told = " ".join(" ".join(section.paragraphs) for section in SECTIONS if section.number.startswith("1"))
    assert not re.search(r"HYDRA|HARP|ADMM|AutoAttack|Linf", told)
