"""A cancelled and resumed evaluation: whatever its old run still says comes too late."""

import pytest
import torch

from backend.jobs import evaluate, lifecycle, progress
from backend.jobs.kinds import EVALUATION
from backend.jobs.progress import Stopped
from backend.services import evaluations
from backend.store import database
from backend.store import evaluations as store
from backend.store.tables import Attempt, Chunk, Evaluation
from tests.jobs.conftest import queue_margin


@pytest.fixture
def resumed(crew):
    """An evaluation of two chunks that was started, cancelled, resumed and started again: run 1 goes on."""
    torch.set_num_threads(1)
    queued = queue_margin(n=20)
    evaluate.start(queued.id, 0, "cpu")
    evaluations.cancel_evaluation(queued.id)
    evaluations.resume_evaluation(queued.id)
    assert evaluate.start(queued.id, 1, "cpu") == 2
    return queued.id


def run(evaluation_id, run_number, number):
    evaluate.run_chunk(evaluation_id, run_number, number, worker_id="w", device="cpu")


def row_of(evaluation_id):
    with database.reading() as session:
        row = session.get(Evaluation, evaluation_id)
        assert row is not None
        return row


def test_old_run_late_error_does_not_fail_the_new_one(resumed):
    lifecycle.fail(EVALUATION, resumed, 0, RuntimeError("the old run broke"))
    assert (row_of(resumed).state, row_of(resumed).error) == ("running", None)
    assert not any("broke" in line["text"] for line in evaluations.log_tail(resumed))
    lifecycle.fail(EVALUATION, resumed, 1, RuntimeError("the new run broke"))
    assert row_of(resumed).state == "failed"
    assert "the new run broke" in evaluations.log_tail(resumed)[-1]["text"]


def test_old_run_can_neither_start_report_store_nor_finish(resumed, monkeypatch):
    monkeypatch.setattr(progress, "STAGE_SECONDS", 0.0)
    stale = row_of(resumed)
    stale.run_number = 0
    report = evaluate.stage_reporter(stale, 0)
    calls = (
        lambda: evaluate.start(resumed, 0, "cpu"),
        lambda: run(resumed, 0, 0),
        lambda: report(1, 2, "stage of the old run"),
        lambda: evaluate.finish(resumed, 0),
    )
    for call in calls:
        with pytest.raises(Stopped):
            call()
    with database.writing() as session:
        assert store.store_chunk(session, {"evaluation_id": resumed, "number": 0}, {}, {}, of_run=0) == "stopped"
        assert store.finished_chunks(session, resumed) == set()
    assert "old run" not in row_of(resumed).stage


def test_finish_names_every_device_that_took_part(resumed):
    for number in range(2):
        run(resumed, 1, number)
    with database.writing() as session:
        second = session.get(Chunk, (resumed, 1))
        assert second is not None
        second.device = "cuda:0 (a card)"  # as after a take-over by another worker
    evaluate.finish(resumed, 1)
    done = evaluations.get_evaluation(resumed)
    assert done.state == "succeeded"
    assert done.record.device == "cpu, cuda:0 (a card)"
    assert done.record.device_note == "The chunks ran on different devices: 1 on cpu, 1 on cuda:0 (a card)."
    assert done.record.settings is not None


def test_width_found_for_the_first_chunk_is_recorded_and_kept_by_the_next(resumed, monkeypatch):
    monkeypatch.setattr(evaluate.get_settings(), "batch_samples", 0)
    timed = []
    monkeypatch.setattr(evaluate, "tune_width", lambda *given: timed.append(given) or 8)
    run(resumed, 1, 0)
    monkeypatch.setattr(evaluate, "tune_width", lambda *given: pytest.fail("timed again"))
    run(resumed, 1, 1)
    record = row_of(resumed).record
    assert len(timed) == 1
    assert (record.batch_samples, record.settings.batch_size) == (8, 8)


def test_fast_rows_decide_at_their_own_eps_alone(crew):
    """What is farther than eps was searched with less effort: a robust sample has no margin, only its attempts do."""
    torch.set_num_threads(1)
    queued = queue_margin(n=20, preset="fast")
    evaluate.start(queued.id, 0, "cpu")
    for number in range(2):
        run(queued.id, 0, number)
    evaluate.finish(queued.id, 0)
    done = evaluations.get_evaluation(queued.id)
    rows = evaluations.margins(queued.id).items
    assert (done.state, done.record.distance_kind) == ("succeeded", "witness")
    assert {row.distance_kind for row in rows} == {"witness"}
    broken = [row for row in rows if row.found and row.correct]
    held = [row for row in rows if not row.found]
    assert broken and held
    assert all(0 < row.margin <= 0.1 and not row.robust for row in broken)
    assert all(row.margin is None and row.robust and row.attack == "" for row in held)
    with database.reading() as session:
        attempts = session.query(Attempt).filter(Attempt.evaluation_id == queued.id, Attempt.found).all()
    assert any(attempt.distance > 0.1 for attempt in attempts)
