"""Evaluations: what is refused, what is written down, and how states move; the queue behind is the real one."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import update

from backend.errors import Conflict, InvalidRequest, NotFound, UnknownName
from backend.jobs import queue as jobs
from backend.jobs.drafts import draft_evaluations
from backend.jobs.lifecycle import requeue_waiting
from backend.schemas.evaluations import EvaluationIn
from backend.services import evaluations
from backend.services.evaluations import measurements
from backend.store.database import writing, writing_if_free
from backend.store.tables import Evaluation
from tests.services.fabrication import (
    add_checkpoint,
    add_dataset,
    begin,
    evaluate,
    finish,
    make_pixels,
    measure,
    queue,
    write_chunk,
)


def forget_summaries() -> None:
    """As after a restart, with evaluations of a time that kept no summaries."""
    measurements._read_rows.cache_clear()
    measurements._summarise.cache_clear()
    with writing() as session:
        session.execute(update(Evaluation).values(summary=None))


def job_status(evaluation_id: object, attempt: int) -> str:
    """What the job engine says of a job."""
    found = jobs.client().list_workflows(workflow_ids=[f"evaluate-{evaluation_id}-{attempt}"])
    assert len(found) == 1
    return str(found[0].status)


def test_queue_evaluation_defaults_come_from_the_dataset(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    checkpoint = add_checkpoint(dataset.id, "net")
    queued = queue(checkpoint, dataset, 30)
    assert (queued.norm, queued.eps_text, queued.eps) == ("Linf", "25.5/255", pytest.approx(0.1))
    assert (queued.state, queued.queue_position, queued.n, queued.purpose) == ("queued", 1, 30, "user")
    assert queued.progress.model_dump() == {"done": 0, "total": 30, "stage": "waiting", "eta_seconds": None}
    assert queued.summary is None
    assert job_status(queued.id, 0) == "ENQUEUED"


def test_queue_evaluation_record_names_what_is_known(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    checkpoint = add_checkpoint(dataset.id, "net", declared_sparsity=0.9)
    record = queue(checkpoint, dataset, 30, seed=3, eps="8/255").record
    assert record.source_sha256 == checkpoint.source_sha256
    assert record.weights_sha256 == checkpoint.weights_sha256
    assert (record.measured_sparsity, record.dataset, record.split) == (0.9, "digits", "upload")
    assert (record.norm, record.eps, record.preset, record.seed) == ("Linf", "8/255", "margin", 3)
    assert len(record.samples) == 64


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"samples": 0}, "invalid_request"),
        ({"samples": 61}, "invalid_request"),
        ({"samples": []}, "invalid_request"),
        ({"samples": "50-60"}, "invalid_request"),
        ({"samples": "9-3"}, "invalid_request"),
        ({"samples": {"draw": 61, "seed": 0}}, "invalid_request"),
        ({"samples": [60]}, "invalid_request"),
        ({"samples": [-1]}, "invalid_request"),
        ({"samples": [1, 2, 1]}, "invalid_request"),
        ({"preset": "guess"}, "unknown_name"),
        ({"eps": "0/255"}, "invalid_request"),
        ({"eps": "1/0"}, "invalid_request"),
        ({"preset": "autoattack", "norm": "L2"}, "invalid_request"),
        ({"dataset_id": "letters"}, "not_found"),
        ({"checkpoint_id": str(uuid4())}, "not_found"),
    ],
)
def test_queue_evaluation_impossible_request_is_refused(ready: Path, tmp_path: Path, fields: dict, code: str) -> None:
    dataset = add_dataset(tmp_path, "digits")
    checkpoint = add_checkpoint(dataset.id, "net")
    request = {"checkpoint_id": checkpoint.id, "dataset_id": "digits", "samples": 5} | fields
    with pytest.raises((InvalidRequest, NotFound)) as refused:
        evaluations.queue_evaluation(EvaluationIn(**request))
    assert refused.value.code == code
    assert evaluations.list_evaluations().total == 0


def test_queue_evaluation_unknown_preset_lists_what_exists(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    with pytest.raises(UnknownName) as refused:
        queue(add_checkpoint(dataset.id, "net"), dataset, preset="guess")
    assert "margin" in refused.value.details["known"]


def test_queue_evaluation_margin_in_another_norm_needs_no_eps(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    queued = queue(add_checkpoint(dataset.id, "net"), dataset, norm="L2")
    assert (queued.norm, queued.eps, queued.eps_text) == ("L2", None, None)


@pytest.mark.parametrize(
    ("given", "text"), [("8/255", "8/255"), (8 / 255, "8/255"), ("0.1", "25.5/255"), (" 16/255 ", "16/255")]
)
def test_queue_evaluation_eps_is_kept_as_the_exact_fraction(
    ready: Path, tmp_path: Path, given: object, text: str
) -> None:
    dataset = add_dataset(tmp_path, "digits")
    queued = queue(add_checkpoint(dataset.id, "net"), dataset, eps=given)
    assert queued.eps_text == queued.record.eps == text


def test_queue_evaluation_dataset_of_other_shape_is_refused(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    wider = add_dataset(tmp_path, "wider", seed=1, shape=[6, 7, 1])
    more = add_dataset(tmp_path, "more", seed=2, classes=[str(name) for name in range(9)])
    checkpoint = add_checkpoint(dataset.id, "net")
    for other in (wider, more):
        with pytest.raises(InvalidRequest) as refused:
            queue(checkpoint, other)
        assert {"expected", "got"} == refused.value.details.keys()


def test_queue_position_follows_priority_then_age(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    checkpoint = add_checkpoint(dataset.id, "net")
    late, first, second = (queue(checkpoint, dataset, 5, priority=priority) for priority in (50, 10, 10))
    positions = {item.id: item.queue_position for item in evaluations.list_evaluations().items}
    assert [positions[item.id] for item in (first, second, late)] == [1, 2, 3]


def test_get_evaluation_running_tells_time_left_from_finished_chunks(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    queued = queue(add_checkpoint(dataset.id, "net"), dataset, 60)
    begin(queued.id)
    assert evaluations.get_evaluation(queued.id).progress.eta_seconds is None
    write_chunk(queued.id, 0, measure(make_pixels(60)[1], 1), seconds=4.0)
    progress = evaluations.get_evaluation(queued.id).progress
    assert (progress.done, progress.total) == (20, 60)
    assert progress.eta_seconds == pytest.approx(4.0 / 20 * 40)


def test_cancel_then_resume_keeps_finished_chunks(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    queued = queue(add_checkpoint(dataset.id, "net"), dataset, 60)
    measured = measure(make_pixels(60)[1], 1)
    begin(queued.id)
    write_chunk(queued.id, 1, measured)
    cancelled = evaluations.cancel_evaluation(queued.id)
    assert (cancelled.state, cancelled.progress.done, job_status(queued.id, 0)) == ("cancelled", 20, "CANCELLED")
    assert cancelled.finished_at is not None
    resumed = evaluations.resume_evaluation(queued.id)
    assert (resumed.state, resumed.progress.done, job_status(queued.id, 1)) == ("queued", 20, "ENQUEUED")
    assert resumed.finished_at is None
    begin(queued.id)
    for number in (0, 2):
        write_chunk(queued.id, number, measured)
    finish(queued.id, measured)
    done = evaluations.get_evaluation(queued.id)
    assert (done.state, done.progress.done, evaluations.margins(queued.id).total) == ("succeeded", 60, 60)
    texts = [line["text"] for line in evaluations.log_tail(queued.id)]
    assert texts == ["cancelled; 20 of 60 samples done", "resumed; 20 of 60 samples done"]


def test_cancel_and_resume_in_the_wrong_state_conflict(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    checkpoint = add_checkpoint(dataset.id, "net")
    done = evaluate(checkpoint, dataset, measure(make_pixels(60)[1], 1), 20)
    waiting = queue(checkpoint, dataset, 20)
    for refuse, evaluation, state in (
        (evaluations.cancel_evaluation, done, "succeeded"),
        (evaluations.resume_evaluation, done, "succeeded"),
        (evaluations.resume_evaluation, waiting, "queued"),
    ):
        with pytest.raises(Conflict) as refused:
            refuse(evaluation.id)
        assert refused.value.details == {"state": state}
    evaluations.cancel_evaluation(waiting.id)
    with pytest.raises(Conflict, match="there is nothing to cancel"):
        evaluations.cancel_evaluation(waiting.id)


@pytest.mark.parametrize("call", ["get_evaluation", "cancel_evaluation", "resume_evaluation", "margins", "log_tail"])
@pytest.mark.parametrize("wrong", [str(uuid4()), "nonsense", ""], ids=["unknown", "malformed", "empty"])
def test_unknown_evaluation_is_not_found(ready: Path, call: str, wrong: str) -> None:
    with pytest.raises(NotFound) as refused:
        getattr(evaluations, call)(wrong)
    assert refused.value.code == "not_found"


def test_list_evaluations_filters_by_checkpoint_and_state(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    first, second = add_checkpoint(dataset.id, "first"), add_checkpoint(dataset.id, "second")
    done = evaluate(first, dataset, measure(make_pixels(60)[1], 1), 20)
    waiting = queue(second, dataset, 20)
    assert [item.id for item in evaluations.list_evaluations(checkpoint_id=first.id).items] == [done.id]
    assert [item.id for item in evaluations.list_evaluations(state="queued").items] == [waiting.id]
    assert [item.checkpoint_name for item in evaluations.list_evaluations().items] == ["second", "first"]
    with pytest.raises(InvalidRequest):
        evaluations.list_evaluations(state="asleep")


def test_summary_counts_what_the_rows_say(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    _, labels = make_pixels(60)
    measured = measure(labels, 1)
    summary = evaluate(add_checkpoint(dataset.id, "net"), dataset, measured).summary
    assert summary is not None
    right = [row for row in range(60) if measured.predictions[row] == labels[row]]
    robust = [row for row in right if measured.margin[row] > 0.1]
    assert summary.clean_accuracy == len(right) / 60
    assert summary.robust_accuracy == len(robust) / 60
    assert summary.zero_margins == 60 - len(right)
    assert summary.not_found == int(np.isinf(measured.margin).sum()) > 0
    assert summary.median_margin == pytest.approx(
        sorted(measured.margin[row] for row in right)[len(right) // 2], abs=0.02
    )
    interval = summary.robust_accuracy_interval
    assert interval is not None and interval.low < summary.robust_accuracy < interval.high


def test_summary_counts_fallback_attacks_of_the_run_and_no_later_evidence(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    _, labels = make_pixels(60)
    measured = measure(labels, 1)
    plain = evaluate(add_checkpoint(dataset.id, "plain"), dataset, measured).summary
    robust = np.flatnonzero((measured.predictions == labels) & (measured.margin > 0.1))
    is_missing = np.isinf(measured.margin[robust])
    missing, (within, beyond, farther) = robust[is_missing][0], robust[~is_missing][:3]
    measured.fallbacks = {int(missing): 0.05, int(within): 0.1, int(beyond): 0.100005, int(farther): 7.0}
    with_fallbacks = evaluate(add_checkpoint(dataset.id, "with-fallbacks"), dataset, measured)
    assert plain is not None and with_fallbacks.summary is not None and plain.robust_accuracy is not None
    assert with_fallbacks.summary.broken_by_fallbacks == 2 and plain.broken_by_fallbacks == 0
    assert with_fallbacks.summary.robust_accuracy == pytest.approx(plain.robust_accuracy - 2 / 60)
    assert with_fallbacks.summary.not_found == plain.not_found - 1
    assert with_fallbacks.summary.clean_accuracy == plain.clean_accuracy


def test_summary_mostly_censored_has_no_median(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    measured = measure(make_pixels(60)[1], 1, missing=0.9)
    summary = evaluate(add_checkpoint(dataset.id, "net"), dataset, measured).summary
    assert summary is not None and summary.median_margin is None and summary.not_found > 30


def test_margins_missing_distance_is_null_and_robust(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    _, labels = make_pixels(60)
    measured = measure(labels, 1)
    done = evaluate(add_checkpoint(dataset.id, "net"), dataset, measured)
    page = evaluations.margins(done.id, limit=25, offset=10)
    assert [row.index for row in page.items] == list(range(10, 35))
    assert page.total == 60
    for row in page.items:
        margin = measured.margin[row.index]
        assert row.found == bool(np.isfinite(margin)) == (row.margin is not None)
        assert row.margin is None or row.margin == margin
        assert row.correct == (row.prediction == labels[row.index])
        assert row.robust == (row.correct and margin > 0.1)


def test_margins_witness_at_eps_is_not_robust(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    measured = measure(make_pixels(60)[1], 1, wrong=0.0, missing=0.0)
    # What float32 makes of a perturbation of exactly 0.1.
    measured.margin[:] = np.float64(np.float32(0.1)) + 1e-8
    done = evaluate(add_checkpoint(dataset.id, "net"), dataset, measured)
    assert {row.robust for row in evaluations.margins(done.id).items} == {False}
    assert done.summary is not None and done.summary.robust_accuracy == 0.0


def test_margins_without_eps_judges_nothing(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    done = evaluate(add_checkpoint(dataset.id, "net"), dataset, measure(make_pixels(60)[1], 1), norm="L2")
    assert {row.robust for row in evaluations.margins(done.id).items} == {None}
    assert done.summary is not None and done.summary.robust_accuracy is None
    assert done.summary.robust_accuracy_interval is None


def test_margins_table_holds_the_same_rows(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    done = evaluate(add_checkpoint(dataset.id, "net"), dataset, measure(make_pixels(60)[1], 1))
    table = evaluations.margins_table(done.id)
    assert table.to_pylist() == [row.model_dump() for row in evaluations.margins(done.id).items]


def test_requeue_waiting_hands_lost_jobs_to_the_queue_once(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    request = EvaluationIn(checkpoint_id=add_checkpoint(dataset.id, "net").id, dataset_id="digits", samples=5)
    with writing() as session:
        (row,) = draft_evaluations(session, request, "user")
        session.add(row)
    for _ in range(2):
        requeue_waiting()
        assert job_status(row.id, 0) == "ENQUEUED"


def test_list_evaluations_contradicting_rows_leave_the_summary_out(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    checkpoint = add_checkpoint(dataset.id, "net")
    _, labels = make_pixels(60)
    odd = measure(labels, 1, wrong=0.0)
    odd.margin[7] = 0.0  # right on the clean image, and yet wrong at distance 0
    evaluate(checkpoint, dataset, odd)
    evaluate(checkpoint, dataset, measure(labels, 2))
    summaries = [item.summary for item in evaluations.list_evaluations().items]
    assert summaries[0] is not None and summaries[1] is None


def test_list_evaluations_forty_threads_on_a_cold_cache_all_get_their_page(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "set")
    checkpoint = add_checkpoint(dataset.id, "net")
    for seed in range(3):
        evaluate(checkpoint, dataset, measure(make_pixels(60)[1], seed=seed))
    forget_summaries()
    start = threading.Barrier(40)

    def look() -> list[int]:
        start.wait(30)
        return [item.summary.n for item in evaluations.list_evaluations().items if item.summary is not None]

    with ThreadPoolExecutor(40) as pool:
        answers = [asked.result(60) for asked in [pool.submit(look) for _ in range(40)]]
    assert answers == [[60, 60, 60]] * 40
    assert measurements._read_rows.cache_info().misses == 3, "polls that came together read the rows again"


def test_summary_is_kept_in_the_row_and_read_from_there(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "set")
    done = evaluate(add_checkpoint(dataset.id, "net"), dataset, measure(make_pixels(60)[1], seed=1))
    measurements._read_rows.cache_clear()
    measurements._summarise.cache_clear()
    assert evaluations.get_evaluation(done.id).summary == done.summary
    assert measurements._read_rows.cache_info().misses == 0
    with writing() as session:
        session.execute(update(Evaluation).values(summary={"n": 60, "written": "by another version"}))
    assert evaluations.get_evaluation(done.id).summary == done.summary


def test_summary_while_somebody_writes_is_given_at_once(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "set")
    done = evaluate(add_checkpoint(dataset.id, "net"), dataset, measure(make_pixels(60)[1], seed=1))
    forget_summaries()
    with writing() as session:
        session.execute(update(Evaluation).values(stage="done"))
        assert evaluations.get_evaluation(done.id).summary == done.summary
    with writing_if_free() as session:
        row = session.get(Evaluation, done.id)
        assert row is not None and row.summary is None


@pytest.mark.parametrize(("eps", "norm"), [("1.5", "Linf"), (8, "Linf"), ("6.001", "L2"), ("1e10000000", "L2")])
def test_queue_evaluation_impossible_eps_is_refused(eps: str | float, norm: str, ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    checkpoint = add_checkpoint(dataset.id, "net")
    with pytest.raises(InvalidRequest):
        queue(checkpoint, dataset, eps=eps, norm=norm)
    assert evaluations.list_evaluations().total == 0
    assert queue(checkpoint, dataset, eps="6", norm="L2").eps_text == "6"
