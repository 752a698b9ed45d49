"""What the documents promise, held against the code."""

import re
import shlex
import subprocess
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
from typer.main import get_command

from backend.cli.main import app
from backend.cli.session import Url
from backend.server import create_app
from backend.settings import Settings

REPOSITORY = Path(__file__).parents[1]
ROOTS = ("backend", "frontend", "models")
IN_HOME = {"artefacts", "training", "uploads"}  # folders of THINICE_HOME, not of the repository
SUFFIXES = (".py", ".md", ".toml", ".txt", ".yml", ".css", ".js", ".svg", ".png", "/")
CLIENT_VARIABLES = {"THINICE_URL"}  # read by the command line alone
HEADINGS = ["Context", "Decision", "Alternatives considered", "Consequences", "Files"]


@cache
def list_tracked() -> frozenset[str]:
    """Every tracked file."""
    listed = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return frozenset(name for name in listed.stdout.splitlines() if (REPOSITORY / name).exists())


DOCUMENTS = sorted(name for name in list_tracked() if name.endswith(".md"))
DECISIONS = [name for name in DOCUMENTS if "/decisions/" in name]


@cache
def list_known() -> frozenset[str]:
    """Every tracked file and every folder that holds one."""
    return frozenset(str(part) for name in list_tracked() for part in (name, *Path(name).parents))


def read(name: str) -> str:
    return (REPOSITORY / name).read_text()


def list_commands(document: str) -> list[str]:
    """The lines of its bash blocks; a line that ends in a backslash goes on in the next."""
    blocks = re.findall(r"```bash\n(.*?)```", read(document), flags=re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [line for line in lines if line.strip()]


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
    (option,) = get_args(Url)[1:]
    expected.append((option.envvar, "", option.help))
    assert rows == expected


@pytest.mark.parametrize("document", DOCUMENTS)
def test_document_variables_are_settings(document: str) -> None:
    known = {f"THINICE_{name.upper()}" for name in Settings.model_fields} | CLIENT_VARIABLES
    assert set(re.findall(r"THINICE_\w+", read(document))) <= known


@pytest.mark.parametrize("document", DOCUMENTS)
def test_document_make_verbs_exist(document: str) -> None:
    verbs = set(re.findall(r"^([a-z-]+):", read("Makefile"), flags=re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", read(document), flags=re.MULTILINE))
    assert named <= verbs
    assert document != "README.md" or {"run", "test", "install"} <= named


def find_paths(text: str) -> set[str]:
    """What stands in backticks and looks like a file or folder."""
    quoted = re.findall(r"`((?:[\w.-]+/)*[\w.-]+/?)`", text)
    tops = tuple(f"{root}/" for root in (*ROOTS, "tests", ".ci"))
    is_named = {"Makefile", "Dockerfile", "LICENSE"}
    return {name for name in quoted if name.startswith(tops) or name.endswith(SUFFIXES) or name in is_named}


def is_there(name: str, folder: str) -> bool:
    """Whether the path exists from the repository or from the document's folder; of a bare name, anywhere below it."""
    bare, known = name.rstrip("/"), list_known()
    if bare in known or f"{folder}{bare}" in known or (name.endswith("/") and bare in IN_HOME):
        return True
    return "/" not in name and any(path.startswith(folder) and path.endswith(f"/{bare}") for path in known)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_document_paths_exist_and_are_tracked(document: str) -> None:
    folder = document.rpartition("/")[0]
    folder = f"{folder}/" if folder else ""
    assert sorted(name for name in find_paths(read(document)) if not is_there(name, folder)) == []


def find_anchors(document: str) -> set[str]:
    """The addresses of its headings, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", read(document), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_document_links_lead_somewhere(document: str) -> None:
    text = re.sub(r"```.*?```", "", read(document), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"(https?|mailto):", link):
            continue
        name, _, anchor = link.partition("#")
        target = (REPOSITORY / document).parent.joinpath(name).resolve() if name else REPOSITORY / document
        address = str(target.relative_to(REPOSITORY))
        assert address in list_known(), f"{link} leads nowhere"
        assert not anchor or anchor in find_anchors(address), f"{link} has no such heading"


@pytest.mark.parametrize(("document", "most"), [("README.md", 120), ("CONTRIBUTING.md", 150)])
def test_document_is_short(document: str, most: int) -> None:
    assert len(read(document).splitlines()) <= most


def test_readme_lines_fit_a_terminal() -> None:
    assert [line for line in read("README.md").splitlines() if len(line) > 120] == []


def list_packages() -> list[str]:
    """The top packages, the packages in them, and the tests."""
    children = {str(Path(name).parent) for name in list_tracked() if re.fullmatch(r"\w+/\w+/__init__\.py", name)}
    return [*ROOTS, "tests", *sorted(name for name in children if name.split("/")[0] in ROOTS)]


@pytest.mark.parametrize("package", list_packages())
def test_package_has_a_short_readme(package: str) -> None:
    name = f"{package}/README.md"
    assert name in DOCUMENTS
    assert package == "models/zoo" or len(read(name).splitlines()) < 60


@pytest.mark.parametrize("decision", DECISIONS)
def test_decision_has_its_headings_and_is_listed(decision: str) -> None:
    text, number = read(decision), Path(decision).name[:4]
    assert re.match(rf"# {number}: \S", text)
    assert re.search(r"^- Date: \d{4}-\d\d-\d\d", text, flags=re.MULTILINE)
    assert re.search(r"^- Status: (accepted|superseded by \S)", text, flags=re.MULTILINE)
    assert re.findall(r"^## (.*)$", text, flags=re.MULTILINE) == HEADINGS
    assert f"]({decision})" in read("CONTRIBUTING.md")
    package = decision.split("/decisions/")[0]
    assert f"](decisions/{Path(decision).name})" in read(f"{package}/README.md")


def test_decisions_of_a_package_are_numbered_without_gaps() -> None:
    assert len(DECISIONS) >= 10
    for folder in {str(Path(name).parent) for name in DECISIONS}:
        numbers = sorted(Path(name).name[:5] for name in DECISIONS if str(Path(name).parent) == folder)
        assert numbers == [f"{number:04}-" for number in range(1, len(numbers) + 1)]


def list_calls(document: str) -> list[tuple[str, str, set[str]]]:
    """Method, path and query keys of every call in its bash blocks; a shell variable in the path reads {}."""
    calls = []
    for line in list_commands(document):
        for piece in re.findall(r"curl [^|;)]*", line):
            address = re.search(r"\$base(/[^\s\"]+)", piece)
            assert address, f"a call without $base: {piece}"
            path, _, query = address[1].partition("?")
            method = "post" if re.search(r" -[s#]?F | --json ", piece) else "get"
            calls.append((method, "/api/v1" + re.sub(r"\$\w+", "{}", path), set(re.findall(r"(\w+)=", query))))
    return calls


@cache
def list_operations() -> dict[tuple[str, str], set[str]]:
    """The parameters of every operation, by method and path."""
    paths = create_app(Settings()).openapi()["paths"]
    return {
        (method, re.sub(r"\{\w+\}", "{}", path)): {entry["name"] for entry in call.get("parameters", [])}
        for path, methods in paths.items()
        for method, call in methods.items()
    }


@pytest.mark.parametrize("document", DOCUMENTS)
def test_document_calls_exist_with_their_methods_and_queries(document: str) -> None:
    calls = list_calls(document)
    expected = {"/api/v1/checkpoints", "/api/v1/evaluations", "/api/v1/comparisons"}
    assert document != "README.md" or {path for _, path, _ in calls} >= expected
    for method, path, query in calls:
        assert (method, path) in list_operations()
        assert query <= list_operations()[method, path]


def list_words(document: str) -> list[list[str]]:
    """The words of every call of `thinice` in its bash blocks and in backticks, without the name itself."""
    lines = [*list_commands(document), *re.findall(r"`([^`\n]+)`", read(document))]
    calls = [shlex.split(line, comments=True) for line in lines if re.match(r"(\.venv/bin/)?thinice ", line)]
    return [words[1:] for words in calls]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_document_commands_exist_with_their_options(document: str) -> None:
    for words in list_words(document):
        command, rest = get_command(app), list(words)
        while (group := getattr(command, "commands", {})) and rest and not rest[0].startswith("-"):
            assert rest[0] in group, " ".join(words)
            command = group[rest.pop(0)]
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        assert {word.partition("=")[0] for word in rest if word.startswith("-")} <= known, " ".join(words)


def test_readme_has_commands_to_try() -> None:
    assert {words[0] for words in list_words("README.md")} >= {"compare", "upload", "evaluate"}


def test_changelog_names_the_version() -> None:
    assert re.search(r"^## (Unreleased|\d+\.\d+\.\d+)", read("CHANGELOG.md"), flags=re.MULTILINE)
