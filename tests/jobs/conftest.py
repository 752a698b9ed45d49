"""A home with the shipped checkpoints and real worker processes on it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.jobs import queue
from backend.schemas import EvaluationIn, EvaluationOut
from backend.services import checkpoints, evaluations

PATIENCE_SECONDS = 90


@pytest.fixture
def stocked(stocked_template: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fresh copy of that home; chunks are small, so that there is a middle to kill in."""
    shutil.copytree(stocked_template, home, dirs_exist_ok=True)
    monkeypatch.setenv("THINICE_CHUNK_SAMPLES", "10")
    yield home
    queue.close()


@pytest.fixture
def start_worker(stocked: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Start real worker processes on the home; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        started.append(subprocess.Popen([sys.executable, "-m", "backend.jobs.worker"], env=environment))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def kill(process: subprocess.Popen[bytes]) -> None:
    """kill -9: no handler runs, nothing is tidied up."""
    process.send_signal(signal.SIGKILL)
    process.wait()


def wait_for(question: Callable[[], Any], what: str) -> Any:
    """Ask until the answer is true; fails with what was waited for."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        answer = question()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError(f"not within {PATIENCE_SECONDS} s: {what}")


def queue_margin(name: str = "cnn-dense", n: int = 60, preset: str = "margin", seed: int = 0) -> EvaluationOut:
    """Queue an evaluation of a shipped checkpoint."""
    listed = checkpoints.list_checkpoints(limit=200).items
    found = next(checkpoint for checkpoint in listed if checkpoint.name == name)
    wish = EvaluationIn(
        checkpoint_id=found.id, dataset_id=str(found.dataset_id), samples=n, norm="Linf", preset=preset, seed=seed
    )
    return evaluations.queue_evaluation(wish)
