"""A child's evaluation tries its parent's adversarials once its gradients are flagged; which ones is decided once."""

from uuid import uuid4

import numpy as np
import pytest
import torch
from sqlalchemy.orm import make_transient

from backend import attacks
from backend.errors import AttackFailed
from backend.jobs import evaluate
from backend.jobs.parents import take_adversarials
from backend.jobs.rows import refuse_contradictions
from backend.jobs.subjects import load_subject, take_images
from backend.services import evaluations
from backend.settings import get_settings
from backend.store import database
from backend.store import evaluations as store
from backend.store.tables import Attempt, Evaluation, Result, now
from tests.attacks.foreign_networks import DropoutAtInference
from tests.jobs.conftest import queue_margin

N = 10


def run(queued):
    """An evaluation from start to end, in this process."""
    torch.set_num_threads(1)
    for number in range(evaluate.start(queued.id, 0, "cpu")):
        evaluate.run_chunk(queued.id, 0, number, worker_id="w", device="cpu")
    evaluate.finish(queued.id, 0)
    return evaluations.get_evaluation(queued.id)


def row_of(evaluation_id):
    with database.reading() as session:
        row = session.get(Evaluation, evaluation_id)
        assert row is not None
        return row


@pytest.fixture(scope="module")
def dense(crew):
    return run(queue_margin("cnn-dense", n=N))


@pytest.fixture(scope="module")
def masked(dense):
    """The shipped network with 1 % of its weights, whose gradients are flagged; and a newer evaluation of its parent,
    which succeeded while it ran."""
    queued = queue_margin("cnn-lwm-99", n=N)
    evaluate.start(queued.id, 0, "cpu")
    newer = add_copy(dense.id)
    return run(queued), newer


def add_copy(evaluation_id):
    """The rows of an evaluation once more, under a new id."""
    with database.writing() as session:
        copy = session.get(Evaluation, evaluation_id)
        results = session.query(Result).filter_by(evaluation_id=evaluation_id).all()
        session.expunge_all()
        for row in (copy, *results):
            make_transient(row)
        copy.id, copy.created_at = uuid4(), now()
        session.add(copy)
        session.flush()
        for row in results:
            row.evaluation_id = copy.id
        session.add_all(results)
        return copy.id


def test_parents_adversarials_are_a_fallback_attack_credited_to_the_evaluation_they_come_from(dense, masked):
    done, _ = masked
    source = done.record.transfer
    assert "partial-gradients" in done.flags
    assert source.evaluation_id == dense.id
    assert (source.checkpoint, source.samples) == ("cnn-dense", dense.summary.n - dense.summary.zero_margins)
    with database.reading() as session:
        of_fallback = session.query(Attempt).filter_by(evaluation_id=done.id, attack="transfer").all()
        rows = session.query(Result).filter_by(evaluation_id=done.id).all()
    assert len(of_fallback) == source.tried > 0
    assert sum(attempt.found for attempt in of_fallback) == source.found
    assert {attempt.series for attempt in of_fallback} == {1}
    assert all(row.attack != "transfer" for row in rows)


def test_source_is_decided_at_the_start_and_kept_when_the_parent_gets_another_evaluation(dense, masked):
    done, newer = masked
    assert done.record.transfer.evaluation_id == dense.id
    later = queue_margin("cnn-lwm-95", n=N)
    evaluate.start(later.id, 0, "cpu")
    assert row_of(later.id).record.transfer.evaluation_id == newer
    evaluations.cancel_evaluation(later.id)


def test_adversarials_of_the_source_stand_where_their_samples_do_and_clean_images_elsewhere(dense):
    queued = queue_margin("cnn-lwm-90", n=N + 2)
    evaluate.start(queued.id, 0, "cpu")
    row = row_of(queued.id)
    subject = load_subject(row.checkpoint_id, row.dataset_id, "cpu")
    indices = np.asarray(row.indices)
    images, _ = take_images(subject.samples, indices)
    taken = take_adversarials(row, subject.sample_numbers[indices].tolist(), images)
    assert taken is not None
    with database.reading() as session:
        margins = {one.index: one.margin for one in session.query(Result).filter_by(evaluation_id=dense.id)}
    length = (taken - images).flatten(1).abs().amax(1)
    expected = [margins.get(index) or 0.0 for index in row.indices]
    assert expected.count(0.0) >= 2
    torch.testing.assert_close(length, torch.tensor(expected), rtol=0, atol=1e-6)
    evaluations.cancel_evaluation(queued.id)


@pytest.mark.parametrize("change", ["norm", "preset", "parent"])
def test_no_source_is_named_where_none_fits(dense, change):
    queued = queue_margin({"parent": "cnn-dense-seed1"}.get(change, "cnn-lwm-95"), n=N)
    with database.writing() as session:
        row = session.get(Evaluation, queued.id)
        assert row is not None
        row.norm = "L2" if change == "norm" else row.norm
        row.preset = "autoattack" if change == "preset" else row.preset
    evaluate.start(queued.id, 0, "cpu")
    assert row_of(queued.id).record.to_json()["transfer"] is None
    evaluations.cancel_evaluation(queued.id)


def test_flags_of_a_borderline_network_are_those_of_the_whole_evaluation_in_every_chunk(crew, monkeypatch):
    """Too few samples in a chunk to raise the flag, which 512 images of the data set do."""
    monkeypatch.setattr(get_settings(), "chunk_samples", 4)
    done = run(queue_margin("cnn-hydra-99", n=8, preset="fast"))
    with database.reading() as session:
        flags = [chunk.flags for chunk in store.chunks_of(session, done.id)]
        tried = session.query(Attempt.sample_id).filter_by(evaluation_id=done.id, attack="hidden").distinct().count()
        standing = session.query(Result).filter_by(evaluation_id=done.id, correct=True, found=False).count()
    assert len(flags) == 2 and all("partial-gradients" in one for one in flags)
    assert done.record.early_flags == ("partial-gradients",) and tried == standing > 0


def test_network_that_answers_by_chance_gets_no_figures(crew):
    queued = queue_margin("cnn-dense", n=4)
    evaluate.start(queued.id, 0, "cpu")
    row = row_of(queued.id)
    subject = load_subject(row.checkpoint_id, row.dataset_id, "cpu")
    images, labels = take_images(subject.samples, np.asarray(row.indices))
    result = attacks.run("autoattack", DropoutAtInference(subject.network), images, labels, eps=0.1)
    with pytest.raises(AttackFailed) as refused:
        refuse_contradictions(result, labels)
    assert refused.value.details["flag"] == "randomised"
    evaluations.cancel_evaluation(queued.id)
