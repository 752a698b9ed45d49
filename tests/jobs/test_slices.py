"""Boundary slices by a real worker: what they show, that they repeat, and that they contradict no evaluation."""

import io
import time
from typing import Any

import numpy as np
import pytest
import torch

from backend.errors import Conflict, NotComparable, NotFound
from backend.jobs.subjects import load_subject
from backend.schemas.evaluations import EvaluationOut
from backend.schemas.evidence import EvidenceOut
from backend.schemas.slices import SliceIn
from backend.services import comparisons, datasets, evaluations, evidence, samples, slices
from backend.store import database
from backend.store.tables import Result
from tests.jobs.conftest import queue_margin, wait_for

N = 14  # row 12 is the first that the dense network gets wrong
POINTS = 15


@pytest.fixture(scope="module")
def pair(crew: Any) -> tuple[EvaluationOut, EvaluationOut]:
    crew.start()
    queued = [queue_margin(name, n=N) for name in ("cnn-dense", "cnn-lwm-95")]
    for one in queued:
        wait_for(lambda one=one: evaluations.get_evaluation(one.id).state == "succeeded", "an evaluation")
    dense, pruned = (evaluations.get_evaluation(one.id) for one in queued)
    return dense, pruned


def rows_in(pair: tuple[EvaluationOut, EvaluationOut], name: str) -> list[int]:
    return [sample.index for sample in comparisons.paired_samples(pair[0].id, pair[1].id, set=name)]


def ask(pair: tuple[EvaluationOut, EvaluationOut], index: int, points: int = POINTS) -> EvidenceOut:
    return slices.queue_slice(SliceIn(dense=pair[0].id, pruned=pair[1].id, index=index, points=points))


def draw(pair: tuple[EvaluationOut, EvaluationOut], index: int, points: int = POINTS) -> EvidenceOut:
    queued = ask(pair, index, points)
    wait_for(lambda: evidence.get_evidence(queued.id).state not in ("queued", "running"), "a slice")
    return evidence.get_evidence(queued.id)


def classify(row: EvaluationOut, images: np.ndarray) -> list[int]:
    """Classes of float32 images (n, C, H, W), by the plain network."""
    subject = load_subject(row.checkpoint_id, row.dataset_id, "cpu")
    with torch.no_grad():
        return subject.network(torch.from_numpy(images)).argmax(1).tolist()


def clean_image(row: EvaluationOut, index: int) -> np.ndarray:
    stored = datasets.load_samples(datasets.find_dataset(str(row.dataset_id)))
    return (stored.images[[index]].astype(np.float32) / np.float32(255)).transpose(0, 3, 1, 2)


def test_slice_shows_both_networks_on_the_plane_of_the_stored_adversarials(worker, pair):
    index = rows_in(pair, "S11")[0]
    done = draw(pair, index)
    assert done.state == "succeeded", done.error
    assert (done.checked, done.progress.done, done.improved) == (3, 1, 0)
    found = slices.get_slice(done.id)
    clean, label = clean_image(pair[0], index), found.label
    adversarials = [np.load(io.BytesIO(samples.adversarial_npy(row.id, index)))[None] for row in pair]
    points = np.concatenate([clean, *adversarials])
    assert [mark.name for mark in found.marks] == ["clean", "dense", "pruned"] and found.gradient_of is None
    for place, mark in enumerate(found.marks):
        apart = points[place].astype(np.float64) - clean[0]
        assert np.hypot(mark.x, mark.y) == pytest.approx(np.linalg.norm(apart), rel=1e-6)
        assert mark.distance == pytest.approx(np.abs(apart).max(), rel=1e-5)
    assert (found.marks[0].dense, found.marks[0].pruned) == (label, label)
    assert found.marks[1].dense == samples.side(pair[0].id, index).row.adversarial_prediction
    assert found.marks[2].pruned == samples.side(pair[1].id, index).row.adversarial_prediction
    assert found.marks[1].pruned == classify(pair[1], adversarials[0])[0], "the dense adversarial on the pruned network"
    middle = POINTS // 2
    assert (found.dense[middle][middle], found.pruned[middle][middle]) == (label, label)
    assert found.unit_ball is not None and len(found.unit_ball) >= 4


def test_slice_grid_is_what_the_networks_say_at_its_corners(worker, pair):
    index = rows_in(pair, "S11")[0]
    found = slices.get_slice(draw(pair, index).id)
    clean = clean_image(pair[0], index).astype(np.float64)
    first, second = ((np.load(io.BytesIO(samples.adversarial_npy(row.id, index))) - clean[0]).ravel() for row in pair)
    across = first / np.linalg.norm(first)
    up = second - across * (across @ second)
    up /= np.linalg.norm(up)
    half = found.half_width
    places = [(-half, -half), (half, -half), (-half, half), (half, half)]
    images = np.stack([(clean.ravel() + x * across + y * up).reshape(clean.shape[1:]) for x, y in places])
    for row, classes in zip(pair, (found.dense, found.pruned), strict=True):
        corners = [classes[0][0], classes[0][-1], classes[-1][0], classes[-1][-1]]
        assert corners == classify(row, images.astype(np.float32))


def test_slice_asked_for_again_is_the_same_row_and_drawn_again_the_same_picture(worker, pair):
    index = rows_in(pair, "S11")[1]
    first = draw(pair, index)
    assert ask(pair, index).id == first.id
    assert ask(pair, index, points=9).id != first.id
    before = slices.get_slice(first.id)
    evidence.delete_evidence(first.id)
    again = draw(pair, index)
    assert again.id != first.id
    leave = {"evidence_id", "seconds"}
    assert slices.get_slice(again.id).model_dump(exclude=leave) == before.model_dump(exclude=leave)


def test_slice_of_a_lost_sample_has_the_gradient_of_the_pruned_network(worker, pair):
    index = rows_in(pair, "S10")[0]
    done = draw(pair, index)
    assert done.state == "succeeded", done.error
    found = slices.get_slice(done.id)
    assert found.gradient_of == "pruned" and [mark.name for mark in found.marks] == ["clean", "dense"]
    assert found.marks[0].pruned == samples.side(pair[1].id, index).row.prediction != found.label
    middle = POINTS // 2
    assert found.pruned[middle][middle] == found.marks[0].pruned


def set_answer(row: EvaluationOut, index: int, answer: int) -> int:
    """Write down another prediction for a stored adversarial; gives what was there."""
    with database.writing() as session:
        found = session.query(Result).filter(Result.evaluation_id == row.id, Result.index == index).one()
        before, found.adversarial_prediction = found.adversarial_prediction, answer
    assert before is not None
    return before


def test_slice_that_contradicts_the_evaluation_fails_with_a_sentence(worker, pair):
    index = rows_in(pair, "S11")[3]
    known = set_answer(pair[1], index, 99)
    failed = draw(pair, index)
    set_answer(pair[1], index, known)
    assert failed.state == "failed" and failed.error is not None
    assert "its evaluation says class 99" in failed.error.message and "cnn-lwm-95" in failed.error.message
    with pytest.raises(Conflict, match="failed"):
        slices.get_slice(failed.id)
    evidence.resume_evidence(failed.id)
    wait_for(lambda: evidence.get_evidence(failed.id).state == "succeeded", "the second try")


def test_slice_of_what_cannot_be_drawn_is_refused(worker, pair):
    with pytest.raises(NotFound, match="not among"):
        ask(pair, 4000)
    neither = rows_in(pair, "S00")
    if neither:
        with pytest.raises(NotComparable, match="spans a plane"):
            ask(pair, neither[0])
    other = evidence.replay_pair(pair[0].id, pair[1].id)[0]
    with pytest.raises(NotFound, match="no boundary slice"):
        slices.get_slice(other.id)


def test_slice_takes_seconds_and_keeps_no_evaluation_alive(worker, pair):
    began = time.monotonic()
    done = draw(pair, rows_in(pair, "S11")[4], points=61)
    assert done.state == "succeeded" and time.monotonic() - began < 60
    lonely = queue_margin("cnn-dense", n=2)
    wait_for(lambda: evaluations.get_evaluation(lonely.id).state == "succeeded", "an evaluation")
    made = draw((evaluations.get_evaluation(lonely.id), pair[1]), 0)
    assert made.state == "succeeded"
    evaluations.delete_evaluation(lonely.id)
    with pytest.raises(NotFound):
        evidence.get_evidence(made.id)
