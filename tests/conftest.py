"""What several test packages share: a fresh home, and one thread per process before torch is imported."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

from backend.settings import get_settings

TESTS = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep what shares fixtures on one process: a file, and the browser tests, which share one running product."""
    for item in items:
        place = item.path.relative_to(TESTS)
        item.add_marker(pytest.mark.xdist_group("browser" if place.parts[0] == "browser" else str(place)))


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
