"""A migrated home with a real queue, copied from one that is made once, since the migrations take a second."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.jobs import queue
from backend.services import system
from backend.settings import get_settings
from backend.store import database


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty, migrated home; its databases are closed."""
    folder = tmp_path_factory.mktemp("template") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THINICE_HOME", str(folder))
        get_settings.cache_clear()
        system.home_check(get_settings())
        database.migrate()
        queue.prepare()
        database.dispose_engines()
        get_settings.cache_clear()
    return folder


@pytest.fixture
def ready(template: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home whose tables and queue stand and hold nothing; chunks have 20 samples."""
    monkeypatch.setenv("THINICE_CHUNK_SAMPLES", "20")
    shutil.copytree(template, home)
    get_settings.cache_clear()
    yield home
    queue.close()
