"""Real workers on a real queue: they finish, they can be stopped, and a kill loses nothing and repeats nothing."""

from backend.jobs import queue
from backend.schemas.records import VERSION, RunRecord
from backend.services import checkpoints, evaluations, system
from backend.store import database, results
from backend.store.tables import Checkpoint, Evaluation
from tests.jobs.conftest import chunks_of, queue_margin, rows_of, state_of, wait_for


def check_record(record: RunRecord) -> None:
    """It is complete: every field is written, but for the note on a second device."""
    assert set(RunRecord.model_fields) - record.model_fields_set == {"device_note", "imported"}
    assert not record.model_extra, "the model knows every field"
    assert record.forwards > 25
    assert (record.version, record.device, record.n, record.transfer) == (VERSION, "cpu", 25, None)
    settings = record.settings
    assert not settings.model_extra and set(settings.attacks) == set(record.attacks)
    assert (settings.prepared, settings.batch_size_used) == (record.prepared, record.batch_samples)
    assert record.prepared.precision == "float32" and not record.prepared.model_extra


def test_evaluation_by_a_worker_succeeds_with_a_row_per_sample(crew):
    queued = queue_margin(n=25)
    assert (queued.state, queued.queue_position, queued.progress.total) == ("queued", 1, 25)
    crew.start()
    wait_for(lambda: state_of(queued.id) == "succeeded", "the evaluation's end")
    done = evaluations.get_evaluation(queued.id)
    rows = rows_of(queued.id)
    assert len({row["sample_id"] for row in rows}) == 25
    assert all((row["margin"] == 0) == (not row["correct"]) for row in rows)
    assert done.summary is not None
    assert done.summary.n == 25
    check_record(done.record)
    assert [worker.device for worker in system.health().workers] == ["cpu"]


def test_killed_worker_is_replaced_without_redoing_or_losing_a_chunk(worker):
    undisturbed = queue_margin(n=60)
    wait_for(lambda: state_of(undisturbed.id) == "succeeded", "the undisturbed evaluation")

    disturbed = queue_margin(n=60)
    wait_for(lambda: len(chunks_of(disturbed.id)) >= 2, "two finished chunks")
    worker.kill()
    before = {number: (chunk.worker_id, chunk.finished_at) for number, chunk in chunks_of(disturbed.id).items()}
    assert 2 <= len(before) < 6, "the kill came too late to show anything"
    assert state_of(disturbed.id) == "running"
    worker.start()
    wait_for(lambda: state_of(disturbed.id) == "succeeded", "the evaluation after the kill")

    after = {number: (chunk.worker_id, chunk.finished_at) for number, chunk in chunks_of(disturbed.id).items()}
    assert set(after) == set(range(6))
    assert {number: after[number] for number in before} == before
    assert len({worker for worker, _ in after.values()}) == 2
    assert rows_of(disturbed.id) == rows_of(undisturbed.id), "same seed, same device: bitwise the same rows"


def test_cancel_running_evaluation_keeps_chunks_and_resume_finishes_it(worker):
    evaluation = queue_margin(n=100)
    wait_for(lambda: chunks_of(evaluation.id), "a finished chunk")
    assert evaluations.cancel_evaluation(evaluation.id).state == "cancelled"
    kept = set(chunks_of(evaluation.id))
    assert len(kept) < 10, "the cancel came too late to show anything"
    other = queue_margin(n=10)
    wait_for(lambda: state_of(other.id) == "succeeded", "the next job after a cancelled one")
    assert state_of(evaluation.id) == "cancelled"
    assert set(chunks_of(evaluation.id)) == kept

    finished = {number: chunk.finished_at for number, chunk in chunks_of(evaluation.id).items()}
    evaluations.resume_evaluation(evaluation.id)
    wait_for(lambda: state_of(evaluation.id) == "succeeded", "the resumed evaluation")
    assert {number: chunks_of(evaluation.id)[number].finished_at for number in finished} == finished
    assert len(rows_of(evaluation.id)) == 100


def test_evaluation_cancelled_and_deleted_in_the_middle_of_a_chunk_leaves_nothing(worker):
    evaluation = queue_margin(n=100)
    wait_for(lambda: chunks_of(evaluation.id), "a finished chunk")
    evaluations.cancel_evaluation(evaluation.id)
    evaluations.delete_evaluation(evaluation.id)
    other = queue_margin(n=10)
    wait_for(lambda: state_of(other.id) == "succeeded", "the next job after a deleted one")
    assert chunks_of(evaluation.id) == {}
    with database.reading() as session:
        assert results.count_results(session, evaluation.id) == 0


def test_cancel_waiting_evaluation_never_runs(worker):
    ahead = queue_margin(n=40)
    evaluation = queue_margin(n=10)
    assert evaluations.cancel_evaluation(evaluation.id).state == "cancelled"
    behind = queue_margin(n=10)
    wait_for(lambda: state_of(behind.id) == "succeeded", "the evaluation behind the cancelled one")
    assert (state_of(ahead.id), state_of(evaluation.id)) == ("succeeded", "cancelled")
    assert chunks_of(evaluation.id) == {}


def test_evaluation_that_never_reached_the_queue_is_found_by_the_reaper(worker, monkeypatch):
    # As after a crash between the two commits: the row is there, the job is not.
    with monkeypatch.context() as crash:
        crash.setattr(queue, "enqueue", lambda *_: None)
        forgotten = queue_margin(n=10)
    wait_for(lambda: state_of(forgotten.id) == "succeeded", "the forgotten evaluation")


def test_failing_evaluation_ends_with_a_sentence_and_spares_the_worker(worker):
    queue_margin(n=30)  # keeps the worker busy while the next one is spoilt
    broken = queue_margin(n=10)
    with database.writing() as session:
        row = session.get(Evaluation, broken.id)
        assert row is not None
        row.indices = [5_000_000]
    wait_for(lambda: state_of(broken.id) == "failed", "the failure")
    error = evaluations.get_evaluation(broken.id).error
    assert error is not None
    assert "5000000" in error.message
    healthy = queue_margin(n=10)
    wait_for(lambda: state_of(healthy.id) == "succeeded", "the next evaluation")


def test_preflight_of_a_shipped_checkpoint_passes(worker):
    dense = next(one for one in checkpoints.list_checkpoints().items if one.name == "cnn-dense")
    queue.enqueue_preflight(dense.id)
    wait_for(lambda: checkpoints.get_checkpoint(dense.id).preflight.state == "passed", "the pre-flight")
    report = checkpoints.get_checkpoint(dense.id).preflight
    assert report.clean_accuracy is not None
    assert report.clean_accuracy > 0.8


def add_twin(name, state):
    """A checkpoint with the dense network's weights whose pre-flight, so its row says, waits or runs."""
    dense = next(one for one in checkpoints.list_checkpoints().items if one.name == "cnn-dense")
    with database.writing() as session:
        row = session.get(Checkpoint, dense.id)
        assert row is not None
        left_out = ("id", "name", "created_at", "preflight")
        columns = {column.key: getattr(row, column.key) for column in Checkpoint.__table__.columns}
        fields = {key: value for key, value in columns.items() if key not in left_out}
        twin = Checkpoint(name=name, preflight={"state": state, "checks": []}, **fields)
        session.add(twin)
    return twin.id


def test_preflight_that_never_reached_the_queue_is_found_by_the_reaper(worker):
    forgotten = add_twin("forgotten", "queued")
    wait_for(lambda: checkpoints.get_checkpoint(forgotten).preflight.state == "passed", "the forgotten pre-flight")


def test_preflight_whose_job_was_lost_ends_as_an_error(worker):
    queue_margin(n=30)  # keeps the worker busy while the job is spoilt
    lost = add_twin("lost", "running")
    queue.enqueue_preflight(lost)
    queue.client().cancel_workflow(queue.name_job(queue.PREFLIGHT, lost))
    wait_for(lambda: checkpoints.get_checkpoint(lost).preflight.state == "error", "the lost pre-flight")
    assert "CANCELLED" in checkpoints.get_checkpoint(lost).preflight.checks[0].sentence
