"""A running evaluation gives the device to a job that goes first, between two chunks, and goes on afterwards."""

from backend.jobs import lifecycle, queue
from backend.jobs.kinds import EVALUATION
from backend.schemas.evaluations import EvaluationIn
from backend.services import evaluations
from backend.store import database
from backend.store.tables import Evaluation
from tests.jobs.conftest import chunks_of, queue_margin, rows_of, state_of, wait_for

DEMO_PRIORITY = 50


def log_of(evaluation_id):
    return [line["text"] for line in evaluations.log_tail(evaluation_id)]


def queue_demo(n):
    """An evaluation behind the users' own jobs; the same one as `queue_margin(n=n)` otherwise."""
    like = queue_margin(n=10)
    evaluations.cancel_evaluation(like.id)
    wish = EvaluationIn(
        checkpoint_id=like.checkpoint_id,
        dataset_id=str(like.dataset_id),
        samples=n,
        norm="Linf",
        priority=DEMO_PRIORITY,
    )
    return evaluations.queue_evaluation(wish, "demo")


def when(evaluation_id):
    """(the end of its first chunk, the end of its last)."""
    times = sorted(chunk.finished_at for chunk in chunks_of(evaluation_id).values())
    return times[0], times[-1]


def test_demo_gives_way_to_a_user_and_goes_on_before_the_rest_of_the_demo(worker):
    undisturbed = queue_margin(n=100)
    wait_for(lambda: state_of(undisturbed.id) == "succeeded", "the undisturbed evaluation")
    first, second = queue_demo(100), queue_demo(10)
    wait_for(lambda: chunks_of(first.id), "a finished chunk of the demo")

    user = queue_margin(n=20)
    wait_for(lambda: state_of(user.id) == "succeeded", "the user's evaluation")
    done = len(chunks_of(first.id))
    assert 1 <= done < 10, "the user's evaluation did not wait for the whole demo"
    assert chunks_of(second.id) == {}
    wait_for(lambda: state_of(second.id) == "succeeded", "the rest of the demo")

    assert state_of(first.id) == "succeeded"
    assert when(first.id)[1] <= when(second.id)[0], "what gave way goes on before what waited behind it"
    assert set(chunks_of(first.id)) == set(range(10))
    assert rows_of(first.id) == rows_of(undisturbed.id), "the same rows, bit for bit"
    log = log_of(first.id)
    assert [text.split(";")[0] for text in log[1:3]] == ["gave its device to a job that goes first", "goes on"]
    assert sum(text.startswith("started") for text in log) == 1
    job = queue.client().list_workflows(workflow_ids=[queue.name_job(queue.EVALUATE, first.id, 0)])
    assert [one.status for one in job] == ["SUCCESS"]


def test_demo_gives_way_to_no_job_that_comes_later(worker):
    first = queue_demo(40)
    wait_for(lambda: chunks_of(first.id), "a finished chunk of the demo")
    second = queue_demo(10)
    wait_for(lambda: state_of(second.id) == "succeeded", "the rest of the demo")
    assert not any("gave its device" in text for text in log_of(first.id))


def test_job_that_gave_way_survives_a_kill_while_the_other_runs(worker):
    demo = queue_demo(60)
    wait_for(lambda: chunks_of(demo.id), "a finished chunk of the demo")
    user = queue_margin(n=60)
    wait_for(lambda: chunks_of(user.id), "a finished chunk of the user's evaluation")
    assert state_of(demo.id) == "queued"
    before = {number: chunk.finished_at for number, chunk in chunks_of(demo.id).items()}
    worker.kill()
    worker.start()
    wait_for(lambda: state_of(demo.id) == "succeeded", "the demo after the kill")
    after = {number: chunk.finished_at for number, chunk in chunks_of(demo.id).items()}
    assert set(after) == set(range(6))
    assert {number: after[number] for number in before} == before
    assert when(user.id)[1] <= max(after.values())


def test_job_whose_worker_died_while_it_gave_way_is_found_by_the_reaper(worker):
    # As after a crash between the two writes: the row waits, the queue still holds the job as the dead worker's.
    demo = queue_demo(60)
    wait_for(lambda: chunks_of(demo.id), "a finished chunk of the demo")
    worker.kill()
    with database.writing() as session:
        row = session.get(Evaluation, demo.id)
        assert row is not None
        row.state = "queued"
    worker.start()
    wait_for(lambda: state_of(demo.id) == "succeeded", "the demo after the kill")
    assert set(chunks_of(demo.id)) == set(range(6))


def test_job_cancelled_while_it_waits_again_stays_cancelled_and_can_be_resumed(worker):
    demo = queue_demo(100)
    wait_for(lambda: chunks_of(demo.id), "a finished chunk of the demo")
    user = queue_margin(n=40)
    wait_for(lambda: chunks_of(user.id), "a finished chunk of the user's evaluation")
    kept = set(chunks_of(demo.id))
    assert evaluations.cancel_evaluation(demo.id).state == "cancelled"
    wait_for(lambda: state_of(user.id) == "succeeded", "the user's evaluation")
    last = queue_demo(10)
    wait_for(lambda: state_of(last.id) == "succeeded", "another job of the demo")
    assert (state_of(demo.id), set(chunks_of(demo.id))) == ("cancelled", kept)
    evaluations.resume_evaluation(demo.id)
    wait_for(lambda: state_of(demo.id) == "succeeded", "the resumed demo")
    assert set(chunks_of(demo.id)) == set(range(10))


def test_give_way_with_nothing_before_it_changes_nothing(crew):
    crew.kill()
    demo = queue_demo(20)
    with database.writing() as session:
        lifecycle.start(session, EVALUATION, demo.id, 0)
    assert not lifecycle.give_way(EVALUATION, demo.id, 0)
    lifecycle.go_on(EVALUATION, demo.id, 0)
    assert (state_of(demo.id), log_of(demo.id)) == ("running", [])
    queue_margin(n=10)
    assert lifecycle.give_way(EVALUATION, demo.id, 0)
    assert state_of(demo.id) == "queued"
