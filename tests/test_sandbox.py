"""The sandbox: results and errors cross, limits hold, nothing is left behind."""

import hashlib
import os
import time
from pathlib import Path
from typing import Any

import pytest

from backend.errors import MismatchedKeys, ThinIceError, TooLarge, UnknownName, UnreadableDataset, UnsafeCheckpoint
from backend.sandbox import Limits, make_in_child, run_in_child

LIMITS = Limits(memory_mb=256, cpu_seconds=20, wall_seconds=30.0, file_mb=8)


def run(name: str, limits: Limits = LIMITS, **arguments: Any) -> Any:
    return run_in_child(f"tests.sandbox_functions:{name}", arguments, limits=limits)


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie that nobody has reaped yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_run_in_child_result_crosses_and_the_child_is_bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THINICE_TOKEN", "a-secret-token")
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    result = run("describe", text='ä "quoted"', number=1.5, nothing=None)
    assert result["arguments"] == {"text": 'ä "quoted"', "number": 1.5, "nothing": None}
    assert not {"THINICE_TOKEN", "DATABASE_URL"} & set(result["environment"])
    assert result["is_leader"] and not result["has_torch"]
    assert not Path(result["folder"]).exists()


def test_run_in_child_error_of_our_tree_crosses_intact() -> None:
    with pytest.raises(MismatchedKeys) as caught:
        run("raise_mismatch")
    assert caught.value.message == str(caught.value) == "The keys do not fit."
    assert caught.value.details == {"missing": ["a", "b"], "missing_count": 2}


def test_run_in_child_error_with_its_own_constructor_crosses_intact() -> None:
    with pytest.raises(UnknownName) as caught:
        run("raise_unknown_name")
    assert caught.value.message == "There is no attack 'x'. Known: a, b."
    assert caught.value.details == {"kind": "attack", "name": "x", "known": ["a", "b"]}


def test_run_in_child_bug_of_ours_is_an_internal_error() -> None:
    with pytest.raises(ThinIceError, match="ZeroDivisionError: a bug of ours") as caught:
        run("raise_bug")
    assert type(caught.value) is ThinIceError


def test_run_in_child_memory_limit_holds() -> None:
    with pytest.raises(TooLarge, match="more than 256 MB of memory") as caught:
        run("take_memory", megabytes=1024)
    assert caught.value.details == {"limit_mb": 256}


def test_run_in_child_memory_limit_holds_for_tensors_and_leaves_room_for_torch() -> None:
    # torch itself maps more than 256 MB: it is imported before the limit is taken.
    with pytest.raises(TooLarge, match="more than 256 MB of memory"):
        run_in_child("torch:zeros", {"size": [1 << 30]}, limits=LIMITS)


def test_run_in_child_memory_below_the_limit_is_given() -> None:
    assert run("take_memory", megabytes=100) == 100 * 1024 * 1024


def test_run_in_child_wall_time_ends_the_whole_group(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(UnsafeCheckpoint, match="took longer than 3 s"):
        run("sleep_with_child", Limits(wall_seconds=3.0), pid_file=str(tmp_path / "pid"))
    assert time.monotonic() - started < 20
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(pid)


def test_run_in_child_cpu_time_is_limited() -> None:
    with pytest.raises(UnsafeCheckpoint, match=r"CPU|took longer"):
        run("burn", Limits(cpu_seconds=1, wall_seconds=60.0))


@pytest.mark.parametrize(("function", "words"), [("crash", "SIGSEGV"), ("leave", "exit code 3")])
def test_run_in_child_death_is_the_rejection_of_the_caller(function: str, words: str) -> None:
    with pytest.raises(UnreadableDataset, match=words):
        run_in_child(f"tests.sandbox_functions:{function}", {}, limits=LIMITS, rejection=UnreadableDataset)


def make(folder: Path, name: str, **arguments: Any) -> Any:
    return make_in_child(f"tests.sandbox_functions:{name}", arguments, out_dir=folder, suffix=".bin", limits=LIMITS)


def test_make_in_child_file_is_kept_under_its_hash(tmp_path: Path) -> None:
    made = make(tmp_path / "kept", "write_file", megabytes=1)
    wanted = hashlib.sha256(b"x" * 1024 * 1024).hexdigest()
    assert (made.result, made.sha256, made.path) == ("written", wanted, tmp_path / "kept" / f"{wanted}.bin")
    assert os.listdir(tmp_path / "kept") == [f"{wanted}.bin"]
    assert make(tmp_path / "kept", "write_file", megabytes=1).path == made.path


def test_make_in_child_file_over_the_limit_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TooLarge, match="more than 8 MB"):
        make(tmp_path, "write_file", megabytes=20)
    assert os.listdir(tmp_path) == []


def test_make_in_child_failure_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(MismatchedKeys):
        make(tmp_path, "write_and_fail")
    assert os.listdir(tmp_path) == []
