"""When jobs are expected to start and to end, on queues whose outcome can be told by hand."""

import os
import socket
from dataclasses import replace
from math import inf
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import update

from backend.services import evaluations
from backend.services.shared.forecasts import UNKNOWN, Forecast, QueuedJob, forecast_queue, play
from backend.settings import get_settings
from backend.store import workers
from backend.store.database import reading, writing
from backend.store.evaluations import IMPORTED
from backend.store.tables import Chunk, Worker
from tests.services.fabrication import add_checkpoint, add_dataset, begin, make_pixels, measure, queue, write_chunk


def task(number: int, priority: int, seconds: float, *, chunk: float = inf, runs: bool = False) -> QueuedJob:
    return QueuedJob(UUID(int=number), priority, runs, seconds, chunk)


def played(tasks: list[QueuedJob], workers: int) -> list[tuple[float | None, float | None]]:
    found = play(tasks, workers)
    return [(found[one.id].starts, found[one.id].ends) for one in tasks]


def test_play_one_worker_does_one_job_after_the_other() -> None:
    tasks = [task(1, 10, 30, runs=True), task(2, 10, 5), task(3, 10, 7)]
    assert played(tasks, 1) == [(0, 30), (30, 35), (35, 42)]


def test_play_two_workers_take_the_next_job_as_they_become_free() -> None:
    tasks = [task(1, 10, 30, runs=True), task(2, 10, 5), task(3, 10, 7), task(4, 10, 100)]
    assert played(tasks, 2) == [(0, 30), (0, 5), (5, 12), (12, 112)]


def test_play_running_job_gives_way_after_its_chunk_and_goes_on_before_its_equals() -> None:
    tasks = [task(1, 10, 20), task(2, 50, 300, chunk=15, runs=True), task(3, 50, 40), task(4, 40, 10)]
    tasks.sort(key=lambda one: one.priority)
    assert played(tasks, 1) == [(15, 35), (35, 45), (0, 45 + 285), (330, 370)]


def test_play_only_as_many_give_way_as_jobs_wait_for_a_device() -> None:
    running = [task(1, 50, 100, chunk=10, runs=True), task(2, 50, 100, chunk=10, runs=True)]
    assert played([task(3, 10, 5), *running], 2) == [(10, 15), (0, 100), (0, 105)]
    assert played([task(3, 10, 5), *running], 3) == [(0, 5), (0, 100), (0, 100)], "one worker is idle"


def test_play_job_of_unknown_length_hides_what_waits_behind_it() -> None:
    tasks = [task(1, 10, inf, runs=True), task(2, 10, 5)]
    assert played(tasks, 1) == [(0, None), (None, None)]
    assert played(tasks, 2) == [(0, None), (0, 5)]


def test_play_without_a_worker_expects_nothing() -> None:
    assert played([task(1, 10, 5)], 0) == [(None, None)]


@pytest.fixture
def living(ready: Path) -> None:
    """A worker that lives: this process."""
    with writing() as session:
        workers.beat(session, Worker(id="w", host=socket.gethostname(), pid=os.getpid(), device="cpu"))


def test_forecast_queue_takes_no_pace_from_another_machine(living: None, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    checkpoint = add_checkpoint(dataset.id, "net")
    measured = measure(make_pixels(60)[1], 1)
    done = queue(checkpoint, dataset, 60)
    begin(done.id)
    write_chunk(done.id, 0, measured, seconds=30.0)
    waiting = queue(checkpoint, dataset, 50)
    with reading() as session:
        assert forecast_queue(session)[waiting.id].starts is not None
    with writing() as session:
        session.execute(update(Chunk).values(worker_id=IMPORTED))
    with reading() as session:
        assert forecast_queue(session)[waiting.id] == UNKNOWN
    assert evaluations.get_evaluation(done.id).progress.eta_seconds is None


def test_forecast_queue_of_stored_jobs_uses_their_own_pace_and_that_of_others(living: None, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits", 60)
    _, labels = make_pixels(60)
    dense, other = add_checkpoint(dataset.id, "dense"), add_checkpoint(dataset.id, "other")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THINICE_CHUNK_SAMPLES", "20")
        get_settings.cache_clear()
        first = queue(dense, dataset)
    begin(first.id)
    write_chunk(first.id, 0, measure(labels, 1), seconds=10.0)
    second = queue(other, dataset, 30)
    unlike = queue(other, dataset, 30, preset="fast")
    with reading() as session:
        found = forecast_queue(session)
    assert found[first.id] == Forecast(0.0, 20.0)
    assert found[second.id] == Forecast(20.0, 35.0)
    assert found[unlike.id] == replace(UNKNOWN, starts=35.0)
    shown = evaluations.get_evaluation(second.id)
    assert (shown.starts_in_seconds, shown.progress.eta_seconds) == (20.0, 35.0)
    running = evaluations.get_evaluation(first.id)
    assert (running.starts_in_seconds, running.progress.eta_seconds) == (None, 20.0)
