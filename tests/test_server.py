"""The web process as it is started for real: what it serves, what it says when it cannot start, how it stops."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from backend import server
from backend.settings import get_settings
from tests.api.site import Site, running_server, shared_site

STOP_SECONDS = 3.0


@pytest.fixture(scope="module")
def queued(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A filled home where an evaluation waits for ever, since there is no worker."""
    return shared_site(tmp_path_factory.getbasetemp())


def test_server_serves_and_stops_soon_even_with_an_open_stream(queued: Site, tmp_path: Path) -> None:
    with running_server(queued.home, tmp_path / "log") as (url, process):
        with httpx2.Client(base_url=url, trust_env=False) as client:
            slugs = [item["slug"] for item in client.get("/api/v1/datasets").json()["items"]]
            assert "fashion-mnist-test" in slugs
            assert "<html" in client.get("/").text
            assert client.get("/api/v1/nothing").status_code == 404
            assert client.get("/compare").headers["content-type"].startswith("text/html")
            with client.stream("GET", f"/api/v1/evaluations/{queued.waiting}/events") as stream:
                lines = stream.iter_lines()
                assert next(lines) == "event: progress"
                began = time.monotonic()
                process.send_signal(signal.SIGTERM)
                rest = list(lines)
        process.wait(timeout=10)
        assert time.monotonic() - began < STOP_SECONDS
        assert not any("done" in line for line in rest if line.startswith("event"))
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log
    assert queued.home.stat().st_mode & 0o777 == 0o700


def test_server_port_taken_is_one_sentence_and_code_2(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        environment = os.environ | {"THINICE_HOME": str(tmp_path / "home"), "THINICE_PORT": port}
        command = [sys.executable, "-m", "backend.server"]
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 2
    assert port in answer.stderr and "THINICE_PORT" in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("variable", "value", "mentions"),
    [
        ("THINICE_HOME", "{tmp_path}/file/home", "THINICE_HOME"),
        ("THINICE_HOST", "0.0.0.0", "THINICE_TOKEN"),
        ("THINICE_PORT", "many", "THINICE_PORT"),
    ],
)
def test_main_says_in_one_sentence_why_it_cannot_start(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    value: str,
    mentions: str,
) -> None:
    (tmp_path / "file").write_text("in the way of a folder")
    monkeypatch.setattr(server, "prepare_logging", lambda level: None)  # pytest's own handlers stay
    monkeypatch.setenv(variable, value.format(tmp_path=tmp_path))
    get_settings.cache_clear()
    with pytest.raises(SystemExit) as ended:
        server.main()
    monkeypatch.setenv("THINICE_HOME", str(home))  # what the fixture tidies up
    monkeypatch.delenv("THINICE_PORT", raising=False)
    get_settings.cache_clear()
    assert ended.value.code == 2
    sentence = capsys.readouterr().err
    assert mentions in sentence
    assert len(sentence.strip().splitlines()) == 1


def test_server_with_all_of_its_pages_never_imports_torch(queued: Site) -> None:
    script = (
        "import sys, backend.server; from backend.services import system; system.bootstrap();"
        "app = backend.server.create_app(); app.openapi(); print('torch' in sys.modules)"
    )
    environment = os.environ | {"THINICE_HOME": str(queued.home)}
    answer = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() == "False"
