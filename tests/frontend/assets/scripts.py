"""Calls of the dashboard's scripts in Node, many in one process."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import frontend

ASSETS = Path(frontend.__file__).parent / "assets"
PURE = (
    "compare_numbers",
    "compare_rows",
    "compare_sentences",
    "compare_tables",
    "distances",
    "help_entries",
    "ice",
    "numbers",
    "outcomes",
    "sample_lists",
    "sample_tiles",
    "samples_parts",
    "selection",
    "several_losses",
    "several_parts",
    "several_table",
    "several_wall",
    "table_texts",
    "term_texts",
    "upload_form",
)
"""The scripts that need nothing of a browser."""
NO_NODE = (
    "The dashboard's scripts are tested in Node.js. As root on Debian, make test installs it; elsewhere install "
    "version 18 or newer (https://nodejs.org)."
)

Call = tuple[str, Sequence[Any]]


def find_node() -> str:
    """The program; a machine without it fails here, because a skipped test would look like a passed one."""
    node = shutil.which("node")
    assert node is not None, NO_NODE
    return node


def call_all(calls: Sequence[Call]) -> list[Any]:
    """What the functions answer, in order; a name that is no function gives its value. None is null and undefined."""
    files = [str(ASSETS / f"{name}.js") for name in PURE]
    command = [find_node(), str(Path(__file__).with_name("call.js")), *files]
    done = subprocess.run(command, input=json.dumps(calls), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    answers: list[Any] = json.loads(done.stdout)
    return answers


def call(name: str, *arguments: Any) -> Any:
    """One answer."""
    return call_all([(name, arguments)])[0]
