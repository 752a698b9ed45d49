"""Additional evidence by a real worker: what is verified, what is refused, and that no margin ever moves."""

import io
from pathlib import Path

import numpy as np
import pytest

from backend.errors import Conflict
from backend.jobs import queue
from backend.schemas.evaluations import EvaluationOut
from backend.schemas.evidence import HarderIn
from backend.services import datasets, evaluations, evidence, samples
from backend.store import database
from backend.store.tables import Evidence, Result
from tests.jobs.conftest import queue_margin, wait_for

N = 14  # row 12 is the first that the dense network gets wrong
BEYOND = ("slack_to_flip", "best_known", "best_known_found", "best_known_robust", "best_known_source", "has_evidence")


@pytest.fixture(scope="module")
def pair(crew) -> tuple[EvaluationOut, EvaluationOut]:
    """A dense and a pruned evaluation, done; of the dense one the margins of some samples are made worse by half, as
    if its attacks had missed what they found there."""
    crew.start()
    queued = [queue_margin(name, n=N) for name in ("cnn-dense", "cnn-lwm-95")]
    for one in queued:
        wait_for(lambda one=one: evaluations.get_evaluation(one.id).state == "succeeded", "an evaluation")
    with database.writing() as session:
        rows = session.query(Result).filter(Result.evaluation_id == queued[0].id, Result.correct).all()
        for row in sorted(rows, key=lambda row: row.index)[:8]:
            assert row.margin is not None
            row.margin = row.best_known = 1.5 * row.margin
    dense, pruned = (evaluations.get_evaluation(one.id) for one in queued)
    return dense, pruned


def weak_rows(row: EvaluationOut) -> list[int]:
    """Rows whose margins are half as large again as what was found."""
    return sorted(index for index, found in rows_of(row.id).items() if found.correct)[:8]


def wait_for_evidence(row):
    wait_for(lambda: evidence.get_evidence(row.id).state not in ("queued", "running"), f"the end of {row.kind}")
    done = evidence.get_evidence(row.id)
    assert done.state == "succeeded", done.error
    return done


def rows_of(evaluation_id):
    return {row.index: row for row in evaluations.margins(evaluation_id).items}


def primary_run(evaluation_id):
    return [row.model_dump(exclude=set(BEYOND)) for row in evaluations.margins(evaluation_id).items]


def clean_images(row: EvaluationOut, indices: list[int]) -> np.ndarray:
    """float32 (n, C, H, W) in [0, 1]."""
    stored = datasets.load_samples(datasets.find_dataset(str(row.dataset_id)))
    return (stored.images[indices].astype(np.float32) / np.float32(255)).transpose(0, 3, 1, 2)


def own_adversarial(row: EvaluationOut, index: int) -> np.ndarray:
    return np.load(io.BytesIO(samples.adversarial_npy(row.id, index)))


def upload(folder: Path, row: EvaluationOut, claims: dict[int, np.ndarray], source: str = "a rival"):
    path = folder / "adversarials.npy"
    np.save(path, np.stack(list(claims.values())).astype(np.float32))
    return evidence.add_upload(path, row.id, source=source, indices=list(claims))


def test_upload_is_verified_one_by_one_and_lowers_bounds_next_to_an_unchanged_primary_run(worker, pair, tmp_path):
    dense = pair[0]
    before, rows = primary_run(dense.id), rows_of(dense.id)
    weak = weak_rows(dense)
    wrong = next(index for index, row in rows.items() if not row.correct)
    clean = dict(zip([*weak, wrong], clean_images(dense, [*weak, wrong]), strict=True))
    claims = {index: own_adversarial(dense, index) for index in weak[:2]}
    claims[weak[2]] = clean[weak[2]] + (own_adversarial(dense, weak[2]) - clean[weak[2]]) * np.float32(0.01)
    claims[weak[3]], claims[weak[4]] = clean[weak[3]].copy(), clean[weak[4]].copy()
    claims[weak[3]][0, 0, 0], claims[weak[4]][0, 5, 5] = np.nan, 1.5
    claims |= {weak[5]: clean[weak[5]], wrong: clean[wrong] * np.float32(0.5)}
    done = wait_for_evidence(upload(tmp_path, dense, claims))

    assert (done.checked, done.held, done.improved, done.progress.done) == (7, 2, 2, 7)
    assert done.refused == {
        "not-adversarial": 1, "not-finite": 1, "out-of-box": 1, "unmoved": 1, "already-wrong": 1,
    }  # fmt: skip
    assert primary_run(dense.id) == before
    after = rows_of(dense.id)
    for index in weak[:2]:
        row = after[index]
        assert row.best_known == pytest.approx(float(np.abs(claims[index] - clean[index]).max()), abs=1e-7)
        assert row.best_known < row.margin and (row.best_known_source, row.has_evidence) == ("a rival", True)
    untouched = [row for index, row in after.items() if index not in weak[:2]]
    assert all((row.best_known, row.best_known_source) == (row.margin, row.attack) for row in untouched)
    tried = {attempt.index: attempt.found for attempt in evidence.attempts(done.id).items}
    assert tried == {weak[0]: True, weak[1]: True, weak[2]: False}
    kept = np.load(io.BytesIO(samples.adversarial_npy(dense.id, weak[0], of_bound=True)))
    np.testing.assert_array_equal(kept, claims[weak[0]])
    side = samples.side(dense.id, weak[0])
    assert [one["source"] for one in side.attempts if one["series"] > 0] == ["a rival"]


def test_replay_both_ways_says_of_each_adversarial_whether_it_breaks_the_other_network(worker, pair):
    dense, pruned = pair
    before = primary_run(dense.id), primary_run(pruned.id)
    dense_on_pruned, pruned_on_dense = [wait_for_evidence(row) for row in evidence.replay_pair(dense.id, pruned.id)]
    assert (dense_on_pruned.evaluation_id, dense_on_pruned.source, pruned_on_dense.source) == (
        pruned.id,
        "cnn-dense",
        "cnn-lwm-95",
    )
    for done, source, target in ((dense_on_pruned, dense, pruned), (pruned_on_dense, pruned, dense)):
        theirs, ours = rows_of(source.id), rows_of(target.id)
        kept = [index for index, row in theirs.items() if row.correct and row.found]
        assert done.n == done.checked == len(kept)
        assert done.refused.get("already-wrong", 0) == sum(not ours[index].correct for index in kept)
        tried = {attempt.index: attempt for attempt in evidence.attempts(done.id).items}
        assert set(tried) == {index for index in kept if ours[index].correct}
        assert done.held == sum(attempt.found for attempt in tried.values())
        for index, attempt in tried.items():
            bound = ours[index].best_known
            assert not attempt.found or (bound is not None and bound <= attempt.distance)
    assert dense_on_pruned.held > 0, "adversarials of a parent transfer at least now and then"
    assert (primary_run(dense.id), primary_run(pruned.id)) == before


def test_harder_spends_the_budget_on_the_chosen_samples_with_seeds_of_its_own(worker, pair):
    dense = pair[0]
    before, chosen = primary_run(dense.id), weak_rows(dense)[6:8]
    first = wait_for_evidence(evidence.queue_harder(dense.id, HarderIn(samples=chosen, budget=800)))
    assert 0 < first.progress.done <= 800 == first.progress.total
    in_gradients = (first.record.forwards + 2 * first.record.backwards) / 3
    assert first.progress.done == pytest.approx(in_gradients / len(chosen), abs=1.0), "forward passes cost, too"
    seeds = sorted({int(attempt.attack.partition("@")[2]) for attempt in evidence.attempts(first.id).items})
    assert seeds == list(range(1, 1 + len(seeds))) and first.record.last_seed == seeds[-1]
    assert first.checked == len(seeds) * len(chosen) and first.improved == len(chosen)
    rows = rows_of(dense.id)
    assert all(rows[index].best_known < rows[index].margin for index in chosen)
    assert all(rows[index].best_known_source.startswith("margin, seed ") for index in chosen)
    second = wait_for_evidence(
        evidence.queue_harder(dense.id, HarderIn(samples=chosen[:1], budget=0.2, budget_unit="seconds"))
    )
    assert second.record.first_seed == first.record.last_seed + 1, "no seed is spent twice"
    assert primary_run(dense.id) == before


def test_killed_worker_evidence_goes_on_where_it_stopped_and_repeats_nothing(worker, pair):
    dense = pair[0]
    row = evidence.queue_harder(dense.id, HarderIn(samples=weak_rows(dense)[:2], budget=50_000))
    wait_for(lambda: evidence.get_evidence(row.id).checked >= 2, "a round")
    worker.kill()
    stopped = evidence.get_evidence(row.id)
    before = evidence.attempts(row.id).items
    assert stopped.state == "running" and len(before) == stopped.checked
    worker.start()
    wait_for(lambda: evidence.get_evidence(row.id).checked >= stopped.checked + 4, "two more rounds")
    done = evidence.cancel_evidence(row.id)
    after = evidence.attempts(row.id).items
    assert [attempt for attempt in after if attempt in before] == before
    found = [(attempt.index, int(attempt.attack.partition("@")[2])) for attempt in after]
    assert len(found) == len(set(found)) == done.checked
    seeds = sorted({seed for _, seed in found})
    assert seeds == list(range(done.record.first_seed, done.record.last_seed + 1))
    assert len(found) == 2 * len(seeds), "every sample has had every seed"


def test_cancel_ends_running_evidence_keeps_its_bounds_and_resume_goes_on(worker, pair):
    dense, index = pair[0], weak_rows(pair[0])[5]
    row = evidence.queue_harder(dense.id, HarderIn(samples=[index], budget=50_000))
    wait_for(lambda: evidence.get_evidence(row.id).checked >= 1, "a round")
    assert evidence.cancel_evidence(row.id).state == "cancelled"
    kept, bound = evidence.get_evidence(row.id).checked, rows_of(dense.id)[index]
    assert bound.has_evidence and bound.best_known < bound.margin
    with pytest.raises(Conflict):
        evidence.cancel_evidence(row.id)
    other = queue_margin(n=2)
    wait_for(lambda: evaluations.get_evaluation(other.id).state == "succeeded", "the next job")
    assert (evidence.get_evidence(row.id).state, evidence.get_evidence(row.id).checked) == ("cancelled", kept)
    assert evidence.resume_evidence(row.id).state == "queued"
    wait_for(lambda: evidence.get_evidence(row.id).checked > kept, "another round")
    evidence.cancel_evidence(row.id)


def test_evidence_that_never_reached_the_queue_or_lost_its_job_is_found_by_the_reaper(worker, pair, monkeypatch):
    chosen = HarderIn(samples=weak_rows(pair[0])[:1], budget=1)
    with monkeypatch.context() as crash:
        crash.setattr(queue, "enqueue", lambda *_: None)
        forgotten = evidence.queue_harder(pair[0].id, chosen)
    wait_for_evidence(forgotten)
    queue_margin(n=4)  # keeps the worker busy while the job is spoilt
    lost = evidence.queue_harder(pair[0].id, chosen)
    queue.cancel(queue.EVIDENCE, lost.id, 0)
    wait_for(lambda: evidence.get_evidence(lost.id).state == "failed", "the lost job")


def test_failing_evidence_ends_with_a_sentence_and_spares_the_worker(worker, pair, tmp_path):
    dense, index = pair[0], weak_rows(pair[0])[0]
    queue_margin(n=4)  # keeps the worker busy while the next one is spoilt
    broken = upload(tmp_path, dense, {index: own_adversarial(dense, index)})
    with database.writing() as session:
        row = session.get(Evidence, broken.id)
        assert row is not None
        row.file = "gone.npy"
    wait_for(lambda: evidence.get_evidence(broken.id).state == "failed", "the failure")
    error = evidence.get_evidence(broken.id).error
    assert error is not None and "gone.npy" in error.message
    wait_for_evidence(upload(tmp_path, dense, {index: own_adversarial(dense, index)}))
