"""The supervisor with real processes: small ones that note their ids, and the product's own at the end."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from backend.startup import Command
from backend.supervisor import Child

REPOSITORY = Path(__file__).parents[1]
NOTE_AND_SLEEP = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(600)"
IGNORE_TERM_AND_FORK = (
    "import os, signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); os.fork();"
    "open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(600)"
)
RUN = (
    "import json, sys; from backend.startup import Command; from backend.supervisor import Supervisor;"
    "commands, address = json.loads(sys.argv[1]);"
    "sys.exit(Supervisor([Command(*command) for command in commands], address, 'ready').run())"
)


def wait_for(question: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Ask until the result is true, and give it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = question()
        if result:
            return result
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")


def is_running(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def read_pids(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def find_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def note_and_sleep(name: str, path: Path, script: str = NOTE_AND_SLEEP) -> Command:
    return Command(name, [sys.executable, "-c", script, str(path)])


def serve_files(folder: Path, port: int) -> Command:
    """A web process of the standard library whose health is a file."""
    words = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder)]
    return Command("web", words)


@contextmanager
def supervise(folder: Path, commands: list[Command], port: int = 1) -> Iterator[subprocess.Popen[str]]:
    """Run the supervisor as a process that leads a group; whatever is left of it dies at the end."""
    listed = [[command.name, command.words, command.environment] for command in commands]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, json.dumps([listed, f"http://127.0.0.1:{port}"])],
            cwd=REPOSITORY,
            stderr=log,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # the tests may run under nohup
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def test_supervisor_killed_child_comes_back_and_the_other_goes_on(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    with supervise(tmp_path, [note_and_sleep("one", first), note_and_sleep("two", second)]):
        (pid,) = wait_for(lambda: read_pids(first))
        (other,) = wait_for(lambda: read_pids(second))
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: len(read_pids(first)) == 2)
        assert is_running(read_pids(first)[1])
        assert read_pids(second) == [other]
        assert is_running(other)
    assert "one was ended by SIGKILL; it will restart in 0.5 s." in (tmp_path / "log").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_supervisor_signalled_group_ends_with_0_and_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    pids = tmp_path / "pids"
    stubborn = note_and_sleep("stubborn", pids, IGNORE_TERM_AND_FORK)
    with supervise(tmp_path, [note_and_sleep("one", pids), stubborn]) as supervisor:
        wait_for(lambda: len(read_pids(pids)) == 3)
        began = time.monotonic()
        os.killpg(supervisor.pid, number)
        assert supervisor.wait(timeout=10) == 0
        assert time.monotonic() - began < 5.0
        wait_for(lambda: not any(is_running(pid) for pid in read_pids(pids)), seconds=1.0)
    assert (tmp_path / "log").read_text() == ""


def test_supervisor_killed_takes_its_children_along(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    with supervise(tmp_path, [note_and_sleep("one", pids), note_and_sleep("two", pids)]) as supervisor:
        wait_for(lambda: len(read_pids(pids)) == 2)
        supervisor.kill()
        supervisor.wait()
        wait_for(lambda: not any(is_running(pid) for pid in read_pids(pids)), seconds=2.0)


def test_supervisor_announces_once_and_only_what_answers(tmp_path: Path) -> None:
    port = find_free_port()
    with supervise(tmp_path, [serve_files(tmp_path, port)], port):
        with pytest.raises(AssertionError):
            wait_for(lambda: "ready" in (tmp_path / "log").read_text(), seconds=2.0)
        (tmp_path / "api" / "v1").mkdir(parents=True)
        (tmp_path / "api" / "v1" / "health").write_text("{}")
        wait_for(lambda: "ready" in (tmp_path / "log").read_text())
        time.sleep(1.2)
    assert (tmp_path / "log").read_text().count("ready\n") == 1


def test_supervisor_child_that_cannot_start_ends_all_with_2(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    refusing = Command("web", [sys.executable, "-c", "import time; time.sleep(0.5); raise SystemExit(2)"])
    with supervise(tmp_path, [note_and_sleep("one", pids), refusing]) as supervisor:
        assert supervisor.wait(timeout=10) == 2
        assert len(read_pids(pids)) == 1
        wait_for(lambda: not is_running(read_pids(pids)[0]), seconds=1.0)


def test_child_environment_is_added_to_the_supervisors(tmp_path: Path) -> None:
    script = "import os, sys; open(sys.argv[1], 'w').write(os.environ['EXTRA'] + str('PATH' in os.environ))"
    child = Child(Command("one", [sys.executable, "-c", script, str(tmp_path / "out")], {"EXTRA": "seen"}))
    child.start()
    assert wait_for(lambda: child.take_exit_code() is not None)
    assert (tmp_path / "out").read_text() == "seenTrue"
    assert child.take_exit_code() is None


def test_plan_restart_repeated_deaths_grow_the_delay_until_one_lives_a_minute() -> None:
    child = Child(Command("one", []))
    delays = []
    now = 1000.0
    for _ in range(8):
        child.started_at = now
        delays.append(child.plan_restart(now + 0.1))
        now = child.starts_at
    assert delays == [0.5, 1, 2, 4, 30, 30, 30, 30]
    child.started_at = now
    assert child.plan_restart(now + 61) == 0.5


def run_main(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("THINICE_")}
    return subprocess.run(
        [sys.executable, "-m", "backend.supervisor"],
        cwd=REPOSITORY,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=30,
    )


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("THINICE_PORT", "eight"),
        ("THINICE_PORT", "70000"),
        ("THINICE_PORT", "TAKEN"),
        ("THINICE_HOME", "/dev/null/home"),
        ("THINICE_HOST", "0.0.0.0"),
        ("THINICE_TOKEN", "short"),
    ],
)
def test_main_impossible_setting_is_one_sentence_and_exit_2(tmp_path: Path, variable: str, value: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        value = value.replace("TAKEN", str(taken.getsockname()[1]))
        result = run_main({"THINICE_HOME": str(tmp_path / "home"), variable: value})
    assert result.returncode == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert variable in line
    assert "short" not in line


def test_main_imports_no_torch() -> None:
    script = "import sys, backend.supervisor; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY).returncode == 0


def read_health(port: int) -> dict[str, Any] | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/health", timeout=5) as result:
            return dict(json.load(result))
    except urllib.error.URLError:
        return None


def find_worker_pids(port: int) -> set[int]:
    health = read_health(port)
    return {worker["pid"] for worker in health["workers"]} if health else set()


def test_main_real_worker_killed_comes_back_and_interrupt_ends_all(tmp_path: Path) -> None:
    port = find_free_port()
    settings = {"THINICE_HOME": str(tmp_path / "home"), "THINICE_PORT": str(port), "THINICE_DEMO": "false"}
    with (tmp_path / "log").open("w") as log:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "backend.supervisor"],
            cwd=REPOSITORY,
            env={**os.environ, **settings, "THINICE_WORKERS": "1", "CUDA_VISIBLE_DEVICES": ""},
            stderr=log,
            stdout=log,
            start_new_session=True,
        )
    try:
        (pid,) = wait_for(lambda: find_worker_pids(port), seconds=60)
        os.kill(pid, signal.SIGKILL)
        (successor,) = wait_for(lambda: find_worker_pids(port) - {pid}, seconds=60)
        began = time.monotonic()
        os.killpg(supervisor.pid, signal.SIGINT)
        assert supervisor.wait(timeout=10) == 0
        assert time.monotonic() - began < 5.0
        assert not is_running(successor)
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1)
    finally:
        supervisor.kill()
        supervisor.wait()
    text = (tmp_path / "log").read_text()
    assert text.count(f"Thin Ice runs at http://127.0.0.1:{port} with its data in {tmp_path / 'home'}") == 1
    assert "In another terminal: " in text and f"thinice status --url http://127.0.0.1:{port}" in text
    assert "Traceback" not in text
