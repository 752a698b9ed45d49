"""Slices before a worker draws them: what is queued, what is the same, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from backend.errors import Conflict, InvalidRequest, NotComparable, NotFound
from backend.schemas.slices import SliceIn
from backend.services import evaluations, evidence, slices
from tests.frontend.pairs import GAINED, KEPT, LOST, WRONG_ON_BOTH, MadePair, home_with_pair, make_pair
from tests.services.fabrication import queue as queue_one


@pytest.fixture(scope="module")
def pair(template: Path, tmp_path_factory: pytest.TempPathFactory):
    with home_with_pair(template, tmp_path_factory.mktemp("slices")) as made:
        yield made


def ask(pair: MadePair, index: int, **more: int):
    return slices.queue_slice(SliceIn(dense=pair.dense.id, pruned=pair.pruned.id, index=index, **more))


@pytest.mark.parametrize("index", [KEPT, LOST, GAINED])
def test_queue_slice_waits_in_front_and_is_one_for_each_sample_and_resolution(pair: MadePair, index: int) -> None:
    queued = ask(pair, index)
    assert (queued.kind, queued.state, queued.n) == ("slice", "queued", 1)
    assert (queued.evaluation_id, queued.source_evaluation_id) == (pair.pruned.id, pair.dense.id)
    assert ask(pair, index).id == queued.id
    assert ask(pair, index, points=31).id != queued.id
    with pytest.raises(Conflict, match="queued"):
        slices.get_slice(queued.id)
    assert evidence.cancel_evidence(queued.id).state == "cancelled"
    assert ask(pair, index).state == "cancelled", "a request does not try again by itself"


def test_queue_slice_where_no_network_has_an_adversarial_is_refused(pair: MadePair) -> None:
    with pytest.raises(NotComparable, match="spans a plane"):
        ask(pair, WRONG_ON_BOTH)
    with pytest.raises(NotFound, match="not among"):
        ask(pair, 4000)


def test_slices_are_not_in_the_lists_of_evidence_that_lowers_bounds(pair: MadePair) -> None:
    queued = ask(pair, KEPT + 10)
    listed = [row.id for row in evidence.list_evidence(limit=200).items]
    assert queued.id in listed and queued.id in [row.id for row in evidence.list_evidence(kind="slice").items]
    assert queued.id not in [row.id for row in evidence.list_evidence(with_slices=False).items]
    assert evidence.list_of_sample(pair.pruned.id, KEPT + 10) == []


def test_slice_keeps_the_dense_evaluation_while_it_waits_and_goes_with_it_afterwards(
    ready: Path, tmp_path: Path
) -> None:
    made = make_pair(tmp_path)
    queued = ask(made, KEPT)
    with pytest.raises(Conflict):
        evaluations.delete_evaluation(made.dense.id)
    evidence.cancel_evidence(queued.id)
    evaluations.delete_evaluation(made.dense.id)
    with pytest.raises(NotFound):
        evidence.get_evidence(queued.id)
    assert evaluations.get_evaluation(made.pruned.id).state == "succeeded"


def test_queue_slice_of_an_evaluation_that_waits_is_a_conflict(ready: Path, tmp_path: Path) -> None:
    made = make_pair(tmp_path)
    from backend.services import checkpoints

    row = checkpoints.get_checkpoint(made.pruned.checkpoint_id)
    waiting = queue_one(row, made.dataset, 20)
    with pytest.raises(Conflict):
        slices.queue_slice(SliceIn(dense=made.dense.id, pruned=waiting.id, index=KEPT))


def test_queue_slice_across_norms_is_refused(ready: Path, tmp_path: Path) -> None:
    linf = make_pair(tmp_path)
    other = evaluate_in_l2(linf)
    with pytest.raises(InvalidRequest, match="L2"):
        slices.queue_slice(SliceIn(dense=linf.dense.id, pruned=other.id, index=KEPT))


def evaluate_in_l2(made: MadePair):
    """The pruned checkpoint of a pair once more, in L2."""
    from backend.store.database import reading
    from backend.store.tables import Checkpoint
    from tests.frontend.pairs import N
    from tests.services.fabrication import evaluate, make_pixels, measure

    with reading() as session:
        row = session.get(Checkpoint, made.pruned.checkpoint_id)
    assert row is not None
    measured = measure(make_pixels(N)[1], 2)
    assert np.isfinite(measured.margin).any()
    return evaluate(row, made.dataset, measured, norm="L2")
