"""A filled home, a server on it that needs a token, and `thinice` as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from tests.api.site import Site, running_server, shared_site

TOKEN = "correct-horse-battery"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str]]:
    """A filled home and the address of a server on it that needs a token."""
    site = shared_site(tmp_path_factory.getbasetemp())
    with running_server(site.home, tmp_path_factory.mktemp("cli") / "log", THINICE_TOKEN=TOKEN) as (url, _):
        yield site, url


@pytest.fixture
def run(served: tuple[Site, str]) -> Run:
    """Run `thinice` with these words against the server."""

    def run_one(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("THINICE_")}
        environment |= {"THINICE_URL": served[1], "THINICE_TOKEN": TOKEN, "COLUMNS": "200"} | variables
        command = [sys.executable, "-m", "backend.cli.main", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    return run_one


def rest(served: tuple[Site, str], path: str) -> Any:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return httpx2.get(f"{served[1]}/api/v1/{path}", headers=headers, trust_env=False).json()
