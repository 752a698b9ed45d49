"""One word, one meaning: words that were given up stay out of the code, and a word stays with the meaning it has.

Every word of a file counts: names of functions, classes, variables, arguments and CSS classes, split at underscores and
capitals, and docstrings, comments, texts and documents.
"""

import re
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGES = ("backend", "frontend", "models")
SUFFIXES = {".py", ".js", ".ts", ".css", ".md"}
HISTORY = "backend/store/migrations/versions/"  # migrations name columns and records as older versions had them
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
GIVEN_UP = (
    "cold core", "remedy", "remedies", "heal", "heals", "healed", "healing", "doubt", "doubts", "doubted", "doubtful",
    "unlike", "unclear", "beside", "fact", "facts", "intake", "attempt number",
)  # fmt: skip
ELSEWHERE = {
    ("claim", "claims", "claimed"): (
        "backend/attacks", "backend/datasets", "backend/jobs/evidence.py", "backend/jobs/verification.py",
    ),
    ("finding", "findings"): (
        "backend/attacks", "backend/datasets", "backend/jobs", "backend/registry", "backend/store", "frontend/figures",
        "frontend/review", "models",
    ),
    ("answer", "answers", "answered"): (
        "backend/api/errors.py", "backend/api/guard.py", "backend/api/login.py", "backend/api/request_log.py",
        "backend/attacks", "backend/client.py", "backend/datasets", "backend/sandbox.py", "backend/store",
        "models/architectures", "models/training",
    ),
    ("stage", "stages"): ("models/architectures", "models/pruning", "models/zoo"),
    ("family", "families"): (
        "backend/attacks", "backend/datasets", "backend/registry", "backend/store", "models/architectures",
    ),
    ("home", "homes"): ("backend/analysis", "backend/attacks", "frontend/figures", "frontend/review", "models"),
}  # fmt: skip
"""Words of one meaning, and where that meaning has no place: a use there would be a second one."""
DECISIONS = "decisions"  # a decision tells a whole story, in a package that may be about a part of it


def split_words(text: str) -> str:
    """The words of a text in lower case, each between single spaces."""
    return f" {' '.join(WORD.findall(text)).lower()} "


@cache
def read_words() -> dict[str, str]:
    """The words of each file, its name among them, by its path."""
    paths = [path for package in PACKAGES for path in (REPOSITORY / package).rglob("*") if path.suffix in SUFFIXES]
    names = {path: path.relative_to(REPOSITORY).as_posix() for path in paths}
    return {
        name: split_words(f"{path.stem} {path.read_text(encoding='utf-8')}")
        for path, name in names.items()
        if not name.startswith(HISTORY)
    }


def find_uses(*words: str, under: tuple[str, ...] = PACKAGES) -> list[str]:
    """Where the words are used, each with a few words around it."""
    pattern = re.compile(rf"(?:\S+ ){{0,4}}(?<= )(?:{'|'.join(words)})(?= )(?: \S+){{0,4}}")
    return [
        f"{name}: {use.strip()}"
        for name, text in sorted(read_words().items())
        if name.startswith(under)
        for use in pattern.findall(text)
    ]


@pytest.mark.parametrize("word", GIVEN_UP)
def test_words_given_up_are_used_nowhere(word: str) -> None:
    assert find_uses(word) == []


@pytest.mark.parametrize("words", ELSEWHERE, ids=lambda words: str(words[0]))
def test_words_of_one_meaning_are_not_used_where_it_has_no_place(words: tuple[str, ...]) -> None:
    uses = find_uses(*words, under=ELSEWHERE[words])
    assert [use for use in uses if DECISIONS not in use.partition(":")[0].split("/")] == []


@pytest.mark.parametrize("place", sorted({place for places in ELSEWHERE.values() for place in places}))
def test_places_of_words_exist(place: str) -> None:
    assert any(name.startswith(place) for name in read_words())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def find_remedies(coldCore): ...", "def find remedies cold core"),
        (".is-beside .HTTPError { }", "is beside http error"),
        ("An artefact is healthy.", "an artefact is healthy"),
    ],
    ids=["identifiers", "classes of styles", "parts of words"],
)
def test_split_words_takes_names_apart(text: str, words: str) -> None:
    assert split_words(text) == f" {words} "
