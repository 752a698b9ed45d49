"""What the documents promise, held against the code."""

import re
import subprocess
from pathlib import Path

import pytest

from backend.server import create_app
from backend.settings import Settings

REPOSITORY = Path(__file__).parents[1]
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
TOP = r"(?:backend|frontend|models|tests|\.ci)/[\w./-]*|[\w.-]+\.(?:md|toml|txt|yml)|Makefile|Dockerfile|LICENSE"


def read(name: str) -> str:
    return (REPOSITORY / name).read_text()


def list_commands(document: str) -> list[str]:
    """The lines of its bash blocks."""
    blocks = re.findall(r"```bash\n(.*?)```", read(document), flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def write_default(value: object) -> str:
    """A default as the table shows it: nothing for None and for an empty text."""
    text = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
    return f"`{text}`" if text else ""


def test_readme_settings_table_equals_the_settings() -> None:
    rows = re.findall(r"^\| `(THINICE_\w+)` \| (.*?) ?\| (.*) \|$", read("README.md"), flags=re.MULTILINE)
    expected = [
        (f"THINICE_{name.upper()}", write_default(field.default), field.description)
        for name, field in Settings.model_fields.items()
    ]
    assert rows == expected


@pytest.mark.parametrize("document", DOCUMENTS)
def test_document_variables_are_settings(document: str) -> None:
    known = {f"THINICE_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"THINICE_\w+", read(document))) <= known


@pytest.mark.parametrize("document", DOCUMENTS)
def test_document_make_verbs_exist(document: str) -> None:
    verbs = set(re.findall(r"^([a-z-]+):", read("Makefile"), flags=re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", read(document), flags=re.MULTILINE))
    assert named <= verbs
    assert document != "README.md" or {"run", "test", "install"} <= named


@pytest.mark.parametrize("document", DOCUMENTS)
def test_document_files_exist_and_are_tracked(document: str) -> None:
    named = {name.rstrip("/") for name in re.findall(rf"`({TOP})`", read(document))}
    named |= set(re.findall(r"\]\(([^)#:]+)\)", read(document)))
    assert document == "CHANGELOG.md" or len(named) >= 5
    tracked = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    known = {part for name in tracked.splitlines() for part in (name, *map(str, Path(name).parents))}
    assert named - known == set()


def list_calls() -> list[tuple[str, str, set[str]]]:
    """Method, path and query keys of every call in the README; a shell variable in the path reads {}."""
    calls = []
    for line in list_commands("README.md"):
        for piece in re.findall(r"curl [^|;)]*", line):
            address = re.search(r"\$base(/[^\s\"]+)", piece)
            assert address, f"a call without $base: {piece}"
            path, _, query = address[1].partition("?")
            method = "post" if re.search(r" -s?F | --json ", piece) else "get"
            calls.append((method, "/api/v1" + re.sub(r"\$\w+", "{}", path), set(re.findall(r"(\w+)=", query))))
    return calls


def test_readme_calls_exist_with_their_methods_and_queries() -> None:
    paths = create_app(Settings()).openapi()["paths"]
    known = {
        (method, re.sub(r"\{\w+\}", "{}", path)): {entry["name"] for entry in call.get("parameters", [])}
        for path, methods in paths.items()
        for method, call in methods.items()
    }
    calls = list_calls()
    assert {path for _, path, _ in calls} >= {"/api/v1/checkpoints", "/api/v1/evaluations", "/api/v1/comparisons"}
    for method, path, query in calls:
        assert (method, path) in known
        assert query <= known[method, path]


def test_changelog_names_the_version() -> None:
    assert re.search(r"^## (Unreleased|\d+\.\d+\.\d+)", read("CHANGELOG.md"), flags=re.MULTILINE)
