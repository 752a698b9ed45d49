"""The life of a job on the real queue, the same for every kind; and what a deletion takes back, or refuses to."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from backend.errors import Conflict, InvalidRequest, NotFound
from backend.jobs import queue as engine
from backend.schemas.datasets import DatasetOut
from backend.schemas.evaluations import EvaluationOut
from backend.schemas.evidence import HarderIn
from backend.schemas.prunings import PruningIn
from backend.schemas.records import MeasuredMargins, PruningRecord, RunRecord, TransferSource
from backend.services import evaluations, evidence, prunings
from backend.services.shared.jobs import Jobs
from backend.store.artefacts import artefact_path
from backend.store.database import reading, writing
from backend.store.jobs import move_state
from backend.store.tables import Attempt, Checkpoint, Chunk, Evaluation, Evidence, LogLine, Pruning, Result, now
from tests.services.evidence.test_service import harden, write_outcomes
from tests.services.fabrication import (
    SIDE,
    Measured,
    add_checkpoint,
    add_dataset,
    evaluate,
    make_pixels,
    measure,
)
from tests.services.fabrication import queue as queue_one

N = 60


@dataclass
class Stock:
    """A dense and a pruned network with an evaluation each, and what was made up for them."""

    dataset: DatasetOut
    child: Checkpoint
    dense: EvaluationOut
    pruned: EvaluationOut
    measured: Measured
    broken: list[int]
    """Samples of the pruned evaluation with a margin, by the rising margin."""


@pytest.fixture
def stock(ready: Path, tmp_path: Path) -> Stock:
    dataset = add_dataset(tmp_path, "digits", N)
    add_dataset(tmp_path, "training", 200, seed=5)
    _, labels = make_pixels(N)
    first, second = measure(labels, 1), measure(labels, 2)
    parent = add_checkpoint(dataset.id, "parent")
    child = add_checkpoint(dataset.id, "child", role="pruned", parent_id=parent.id)
    for one in (first, second):
        for row in np.flatnonzero(np.isfinite(one.margin) & (one.margin > 0)):
            one.adversarials[int(row)] = np.zeros((1, SIDE, SIDE), dtype=np.float32)
    order = np.argsort(second.margin)
    broken = [int(row) for row in order if 0 < second.margin[row] < np.inf]
    return Stock(dataset, child, evaluate(parent, dataset, first), evaluate(child, dataset, second), second, broken)


def ask_evaluation(stock: Stock) -> EvaluationOut:
    return queue_one(stock.child, stock.dataset, 20)


def ask_evidence(stock: Stock) -> Any:
    return evidence.queue_harder(stock.pruned.id, HarderIn(samples=stock.broken[:1], budget=10))


def ask_pruning(stock: Stock) -> Any:
    wish: dict[str, Any] = {"training_dataset_id": "training", "method": "lwm", "sparsity": 0.9}
    return prunings.queue_pruning(PruningIn(parent_id=stock.dense.checkpoint_id, **wish))


@dataclass(frozen=True)
class Case:
    jobs: Jobs[Any, Any]
    ask: Callable[[Stock], Any]


CASES = [
    pytest.param(Case(evaluations.JOBS, ask_evaluation), id="evaluation"),
    pytest.param(Case(evidence.JOBS, ask_evidence), id="evidence"),
    pytest.param(Case(prunings.JOBS, ask_pruning), id="pruning"),
]


def job_status(case: Case, row: Any, run_number: int) -> str:
    """What the job engine says of a run."""
    name = engine.name_job(case.jobs.kind.workflow, row.id, run_number)
    (found,) = engine.client().list_workflows(workflow_ids=[name])
    return str(found.status)


@pytest.mark.parametrize("case", CASES)
def test_job_cancelled_and_resumed_waits_as_its_next_run(stock: Stock, case: Case) -> None:
    row = case.ask(stock)
    assert job_status(case, row, 0) == "ENQUEUED"
    cancelled = case.jobs.cancel(row.id)
    assert (cancelled.state, job_status(case, row, 0)) == ("cancelled", "CANCELLED")
    assert cancelled.finished_at is not None
    resumed = case.jobs.resume(row.id)
    assert (resumed.state, resumed.progress.stage, resumed.finished_at) == ("queued", "waiting", None)
    assert job_status(case, row, 1) == "ENQUEUED"


@pytest.mark.parametrize("case", CASES)
def test_job_in_the_wrong_state_is_left_as_it_is(stock: Stock, case: Case) -> None:
    row = case.ask(stock)
    with pytest.raises(Conflict, match="Only failed and cancelled") as refused:
        case.jobs.resume(row.id)
    assert refused.value.details == {"state": "queued"}
    for state in ("queued", "running"):
        with writing() as session:
            move_state(session, case.jobs.kind.table, row.id, ["queued", "running"], state=state, started_at=now())
        with pytest.raises(Conflict, match="cancel it first"):
            case.jobs.delete(row.id)
    case.jobs.cancel(row.id)
    with pytest.raises(Conflict, match="there is nothing to cancel"):
        case.jobs.cancel(row.id)


@pytest.mark.parametrize("case", CASES)
def test_job_deleted_is_gone(stock: Stock, case: Case) -> None:
    row = case.ask(stock)
    case.jobs.cancel(row.id)
    before = case.jobs.page(200, 0).total
    case.jobs.delete(row.id)
    assert case.jobs.page(200, 0).total == before - 1
    for ask in (case.jobs.get, case.jobs.cancel, case.jobs.resume, case.jobs.delete):
        with pytest.raises(NotFound):
            ask(row.id)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("wrong", [str(uuid4()), "nonsense", ""], ids=["unknown", "malformed", "empty"])
def test_job_of_no_id_is_not_found(stock: Stock, case: Case, wrong: str) -> None:
    for ask in (case.jobs.get, case.jobs.cancel, case.jobs.resume, case.jobs.delete):
        with pytest.raises(NotFound, match=case.jobs.kind.noun):
            ask(wrong)


@pytest.mark.parametrize("case", CASES)
def test_page_of_jobs_goes_by_state(stock: Stock, case: Case) -> None:
    first, second = case.ask(stock), case.ask(stock)
    case.jobs.cancel(first.id)
    assert [row.id for row in case.jobs.page(10, 0, state="queued").items] == [second.id]
    assert case.jobs.page(10, 0, state="cancelled").items[0].id == first.id
    with pytest.raises(InvalidRequest, match="asleep"):
        case.jobs.page(10, 0, state="asleep")
    with pytest.raises(InvalidRequest, match="limit"):
        case.jobs.page(201, 0)


# --- deleting an evaluation ------------------------------------------------------------------------------------------
def count_rows(evaluation: EvaluationOut) -> list[int]:
    with reading() as session:
        tables = (Result, Attempt, Chunk, LogLine, Evidence)
        return [session.query(table).filter_by(evaluation_id=evaluation.id).count() for table in tables]


def test_delete_evaluation_takes_its_rows_and_leaves_its_files(stock: Stock) -> None:
    harden(stock.pruned, {stock.broken[0]: 0.0005})
    with reading() as session:
        shards = {row.shard for row in session.query(Result).filter_by(evaluation_id=stock.pruned.id) if row.shard}
    kept = count_rows(stock.dense)
    assert all(count_rows(stock.pruned)[place] for place in (0, 1, 2, 4)) and shards
    evaluations.delete_evaluation(stock.pruned.id)
    assert count_rows(stock.pruned) == [0] * 5
    assert count_rows(stock.dense) == kept
    assert all(artefact_path(shard).is_file() for shard in shards)
    with reading() as session:
        assert session.get(Evaluation, stock.pruned.id) is None


def test_delete_evaluation_whose_adversarials_were_replayed_elsewhere_is_refused(stock: Stock) -> None:
    replay = evidence.queue_replay(stock.pruned.id, stock.dense.id)
    with pytest.raises(Conflict, match=r"replays of its adversarials on other networks \(1\)") as refused:
        evaluations.delete_evaluation(stock.dense.id)
    assert refused.value.details == {"replays": 1}
    with pytest.raises(Conflict, match="evidence of its own that waits or runs"):
        evaluations.delete_evaluation(stock.pruned.id)
    evidence.cancel_evidence(replay.id)
    evidence.delete_evidence(replay.id)
    evaluations.delete_evaluation(stock.dense.id)
    assert count_rows(stock.dense)[0] == 0


def test_delete_evaluation_that_repeats_are_listed_under_is_refused(stock: Stock) -> None:
    with writing() as session:
        for one in (stock.dense, stock.pruned):
            session.get_one(Evaluation, one.id).repeat_of = stock.dense.id
    with pytest.raises(Conflict, match=r"repeats of it with other seeds \(1\)"):
        evaluations.delete_evaluation(stock.dense.id)
    evaluations.delete_evaluation(stock.pruned.id)
    evaluations.delete_evaluation(stock.dense.id)


def test_delete_evaluation_whose_margins_a_pruning_trains_on_is_refused(stock: Stock) -> None:
    row = ask_pruning(stock)
    with writing() as session:
        made = session.get_one(Pruning, row.id)
        made.record = made.record.merge(PruningRecord(dense_margins=MeasuredMargins(evaluation_id=stock.dense.id)))
    with pytest.raises(Conflict, match=r"prunings that train on its margins \(1\)"):
        evaluations.delete_evaluation(stock.dense.id)


def test_delete_evaluation_whose_adversarials_an_unfinished_one_tries_is_refused(stock: Stock) -> None:
    other = ask_evaluation(stock)
    with writing() as session:
        row = session.get_one(Evaluation, other.id)
        row.record = row.record.merge(RunRecord(transfer=TransferSource(evaluation_id=stock.dense.id)))
        row.state = "failed"
    with pytest.raises(Conflict, match=r"unfinished evaluations that try its adversarials \(1\)"):
        evaluations.delete_evaluation(stock.dense.id)
    with writing() as session:
        session.get_one(Evaluation, other.id).state = "succeeded"
    evaluations.delete_evaluation(stock.dense.id)


# --- deleting evidence -----------------------------------------------------------------------------------------------
def bounds_of(evaluation: EvaluationOut) -> dict[int, tuple[float | None, str, bool]]:
    rows = evaluations.margins(evaluation.id).items
    return {row.index: (row.best_known, row.best_known_source, row.has_evidence) for row in rows}


def test_delete_evidence_gives_bounds_back_to_the_nearest_that_is_left(stock: Stock) -> None:
    once, twice, untouched = stock.broken[-3:]
    margin = stock.measured.margin
    before = bounds_of(stock.pruned)
    weak = evidence.queue_harder(stock.pruned.id, HarderIn(samples=[twice], budget=10))
    write_outcomes(weak.id, {twice: 0.9 * margin[twice]}, "margin, seed 1", attack="fmn@1")
    strong = evidence.queue_harder(stock.pruned.id, HarderIn(samples=[once, twice], budget=10))
    lowered = {once: 0.5 * margin[once], twice: 0.4 * margin[twice]}
    write_outcomes(strong.id, lowered, "margin, seed 2", attack="fmn@2")
    now_known = bounds_of(stock.pruned)
    assert now_known[once] == (pytest.approx(lowered[once]), "margin, seed 2", True)
    assert now_known[twice][1] == "margin, seed 2"

    evidence.delete_evidence(strong.id)
    after = bounds_of(stock.pruned)
    assert after[once] == before[once]
    assert after[twice] == (pytest.approx(0.9 * margin[twice]), "margin, seed 1", True)
    assert after[untouched] == before[untouched]
    with reading() as session:
        assert {row.series for row in session.query(Attempt).filter_by(evaluation_id=stock.pruned.id)} == {0, 2}
    evidence.delete_evidence(weak.id)
    assert bounds_of(stock.pruned) == before


def test_delete_evidence_gives_a_bound_back_to_a_fallback_attack_of_the_run(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits", N)
    measured = measure(make_pixels(N)[1], 1)
    index = int(np.flatnonzero(np.isinf(measured.margin))[0])
    measured.fallbacks = {index: 0.05}
    done = evaluate(add_checkpoint(dataset.id, "net"), dataset, measured)
    before = bounds_of(done)
    assert before[index] == (0.05, "precise", True)
    made = evidence.queue_harder(done.id, HarderIn(samples=[index], budget=10))
    write_outcomes(made.id, {index: 0.01}, "margin, seed 1", attack="fmn@1")
    assert bounds_of(done)[index][0] == 0.01
    evidence.delete_evidence(made.id)
    assert bounds_of(done) == before
