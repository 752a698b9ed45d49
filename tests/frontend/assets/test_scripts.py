"""The scripts as files: Node can read them, nothing in them is untyped, and they define what Python names."""

import json
import re
import subprocess

from fastapi import FastAPI

from frontend.app import create_dashboard, share_ids
from tests.frontend.assets.scripts import ASSETS, PURE, find_node

PARSE = 'for (const f of process.argv.slice(1)) new (require("vm").Script)(require("fs").readFileSync(f, "utf8"), f)'
DEFINED = re.compile(r"window\.dash_clientside, \{\s*(\w+): \{([\w\s,]+)\}")


def read(suffix: str) -> dict[str, str]:
    """The files with that ending and their text."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(ASSETS.glob(f"*{suffix}"))}


def test_every_script_is_a_program() -> None:
    files = [str(path) for path in sorted(ASSETS.glob("*.js"))]
    done = subprocess.run([find_node(), "-e", PARSE, *files], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_types_leave_nothing_open() -> None:
    for name, text in read(".js").items():
        types = [line for line in text.splitlines() if re.search(r"@(param|type|returns|property|typedef)\b", line)]
        assert not [line for line in types if re.search(r"\{[^}]*(\bany\b|\*)", line)], name
        assert "@ts-" not in text, name
    for name, text in read(".d.ts").items():
        assert not re.search(r"[:<|] *any\b", text), name


def test_pure_scripts_name_nothing_of_a_browser() -> None:
    for name in PURE:
        text = (ASSETS / f"{name}.js").read_text(encoding="utf-8")
        assert "Pure: tests call this in Node." in text
        assert not re.search(r"\b(window|document)\.", text), name


def test_scripts_take_component_ids_from_python_and_repeat_none() -> None:
    shared = json.loads(re.fullmatch(r"window\.thinice = \{ ids: (.*) \};", share_ids())[1])  # type: ignore[index]
    known = {value for page in shared.values() for value in page.values() if "-" in value}
    assert {"compare-scatter", "upload-go", "sample-blink"} <= known
    for name, text in read(".js").items():
        assert not [value for value in known if re.search(rf"[\"'`#]{value}[\"'`\s.]", text)], name
        named = re.findall(r"thinice\.ids\.(\w+)\.(\w+)", text)
        for page in re.findall(r"const ids = thinice\.ids\.(\w+);", text):
            named += [(page, constant) for constant in re.findall(r"(?<![.\w])ids\.([A-Z_]+)", text)]
        for page, constant in named:
            assert constant in shared[page], f"{name}: {page} has no id {constant}"


def test_functions_that_python_names_are_those_of_the_scripts() -> None:
    app = create_dashboard(FastAPI())
    named: dict[str, set[str]] = {}
    for row in app._callback_list:
        function = row["clientside_function"]
        if function:
            named.setdefault(function["namespace"], set()).add(function["function_name"])
    defined = {
        space: {name.strip() for name in names.split(",") if name.strip()}
        for text in read(".js").values()
        for space, names in DEFINED.findall(text)
    }
    assert named == defined
