"""What several test packages share: a fresh home, and one thread per process before torch is imported."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

from backend.settings import get_settings


class Places(LoadScopeScheduling):
    """Deals tests out to processes by file, and all browser tests to one, because they share a running product.

    Marks with the scheduler `loadgroup` would say the same, but xdist 3.8 does not group under pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "browser" if file.startswith("tests/browser/") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Places:
    return Places(config, log)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fresh THINICE_HOME; nothing of the caller's environment reaches the settings."""
    for name in [name for name in os.environ if name.startswith("THINICE_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "home"
    monkeypatch.setenv("THINICE_HOME", str(folder))
    get_settings.cache_clear()
    yield folder
    from backend.store import database

    database.dispose_engines()
    get_settings.cache_clear()


@pytest.fixture(scope="session")
def stocked_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the shipped data set and checkpoints and no evaluation, made once by a process of its own."""
    folder = tmp_path_factory.mktemp("stocked") / "home"
    environment = os.environ | {"THINICE_HOME": str(folder), "THINICE_DEMO": "false"}
    command = [sys.executable, "-c", "from backend.services.system import bootstrap; bootstrap()"]
    subprocess.run(command, env=environment, check=True)
    return folder
