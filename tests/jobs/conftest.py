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
from uuid import UUID

import pytest

from backend.jobs import queue
from backend.schemas.evaluations import EvaluationIn, EvaluationOut
from backend.services import checkpoints, evaluations
from backend.settings import get_settings
from backend.store import database
from backend.store import evaluations as questions
from backend.store.tables import Chunk

PATIENCE_SECONDS = 120


class Crew:
    """The worker processes of a test: real ones, on the home that the settings name."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start one worker unless one lives."""
        if not any(process.poll() is None for process in self.processes):
            environment = os.environ | {"OMP_NUM_THREADS": "1"}
            self.processes.append(subprocess.Popen([sys.executable, "-m", "backend.jobs.worker"], env=environment))

    def kill(self) -> None:
        """kill -9 all: no handler runs, nothing is tidied up."""
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.processes.clear()


@pytest.fixture(scope="module")
def crew(stocked_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    """One stocked home and its workers for all tests of a module; chunks are small, so that there is a middle."""
    folder = tmp_path_factory.mktemp("jobs") / "home"
    shutil.copytree(stocked_template, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THINICE_HOME", str(folder))
        patch.setenv("THINICE_CHUNK_SAMPLES", "10")
        get_settings.cache_clear()
        made = Crew()
        yield made
        made.kill()
        queue.close()
        database.dispose_engines()
    get_settings.cache_clear()


@pytest.fixture
def worker(crew: Crew) -> Crew:
    """A living worker (the one that another test left, where there is one)."""
    crew.start()
    return crew


def wait_for(question: Callable[[], Any], what: str) -> Any:
    """Ask until the result is true; fails with what was waited for."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        result = question()
        if result:
            return result
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


def state_of(evaluation_id: UUID) -> str:
    return evaluations.get_evaluation(evaluation_id).state


def chunks_of(evaluation_id: UUID) -> dict[int, Chunk]:
    """The stored chunks of an evaluation, by number."""
    with database.reading() as session:
        return {chunk.number: chunk for chunk in questions.chunks_of(session, evaluation_id)}


def rows_of(evaluation_id: UUID) -> list[dict[str, Any]]:
    return [row.model_dump() for row in evaluations.margins(evaluation_id).items]
