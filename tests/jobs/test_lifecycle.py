"""The life of a job without a worker, the same for every kind; test_worker and others have real ones."""

from typing import Any

import pytest

from backend.errors import AttackFailed
from backend.jobs import lifecycle
from backend.jobs.kinds import KINDS, kind_of
from backend.jobs.progress import Stopped
from backend.services import evaluations
from backend.store.database import reading, writing
from backend.store.tables import Job, Pruning
from tests.services.conftest import ready, template
from tests.services.shared.test_jobs import CASES, Case, Stock, stock

__all__ = ["ready", "stock", "template"]


def find(case: Case, job_id: Any) -> Job:
    with reading() as session:
        row: Job = session.get_one(case.jobs.kind.table, job_id)
        return row


def start(case: Case, job_id: Any, run_number: int) -> Job:
    with writing() as session:
        return lifecycle.start(session, case.jobs.kind, job_id, run_number)


@pytest.mark.parametrize("case", CASES)
def test_start_twice_keeps_the_first_moment_as_after_a_kill(stock: Stock, case: Case) -> None:
    row = case.ask(stock)
    first = start(case, row.id, 0)
    assert (first.state, first.stage, kind_of(first)) == ("running", "loading", case.jobs.kind)
    assert start(case, row.id, 0).started_at == first.started_at is not None


@pytest.mark.parametrize("case", CASES)
def test_old_run_can_neither_start_tell_nor_fail_the_new_one(stock: Stock, case: Case) -> None:
    row = case.ask(stock)
    old = start(case, row.id, 0)
    lifecycle.tell(old, stage="the old run works")
    assert find(case, row.id).stage == "the old run works"
    case.jobs.cancel(row.id)
    with pytest.raises(Stopped, match=f"Run 0 of {case.jobs.kind.noun}"):
        lifecycle.tell(old, stage="too late")
    case.jobs.resume(row.id)
    start(case, row.id, 1)
    lifecycle.fail(case.jobs.kind, row.id, 0, RuntimeError("the old run broke"))
    with pytest.raises(Stopped):
        start(case, row.id, 0)
    with pytest.raises(Stopped):
        lifecycle.tell(old, stage="too late")
    found = find(case, row.id)
    assert (found.state, found.stage, found.error, found.run_number) == ("running", "loading", None, 1)


@pytest.mark.parametrize("case", CASES)
def test_ending_turns_an_error_into_a_failed_job_and_stopped_into_nothing(stock: Stock, case: Case) -> None:
    kind, row = case.jobs.kind, case.ask(stock)
    start(case, row.id, 0)
    with lifecycle.ending(kind, row.id, 0):
        raise Stopped("somebody cancelled")
    assert find(case, row.id).state == "running"
    with lifecycle.ending(kind, row.id, 0):
        raise AttackFailed("The attack went out of the box.", flag="box")
    found = find(case, row.id)
    assert (found.state, found.stage) == ("failed", "failed") and found.finished_at is not None
    assert found.error == {
        "code": "attack_failed",
        "message": "The attack went out of the box.",
        "details": {"flag": "box"},
    }
    assert case.jobs.resume(row.id).error is None


@pytest.mark.parametrize("case", CASES)
def test_job_deleted_in_the_middle_stops_its_worker(stock: Stock, case: Case) -> None:
    row = case.ask(stock)
    running = start(case, row.id, 0)
    case.jobs.cancel(row.id)
    case.jobs.delete(row.id)
    with pytest.raises(Stopped):
        lifecycle.tell(running, stage="still here")
    lifecycle.fail(case.jobs.kind, row.id, 0, RuntimeError("too late"))


def test_tell_of_a_worker_that_another_took_over_from_is_stopped(stock: Stock) -> None:
    case = next(one.values[0] for one in CASES if one.id == "pruning")
    row = case.ask(stock)
    with writing() as session:
        running = lifecycle.start(session, case.jobs.kind, row.id, 0)
        running.worker_id = "second"
    lifecycle.tell(running, Pruning.worker_id == "second", done=1)
    with pytest.raises(Stopped):
        lifecycle.tell(running, Pruning.worker_id == "first", done=2)
    assert find(case, row.id).done == 1


def test_log_of_an_evaluation_says_how_far_it_was(stock: Stock) -> None:
    case = next(one.values[0] for one in CASES if one.id == "evaluation")
    row = case.ask(stock)
    case.jobs.cancel(row.id)
    case.jobs.resume(row.id)
    lifecycle.fail(case.jobs.kind, row.id, 1, RuntimeError("it broke"))
    assert [line["text"] for line in evaluations.log_tail(row.id)] == [
        "cancelled; 0 of 20 samples done",
        "resumed; 0 of 20 samples done",
        "failed: RuntimeError: it broke; 0 of 20 samples done",
    ]


def test_kinds_have_a_noun_a_table_and_a_workflow_each() -> None:
    for values in (
        {kind.noun for kind in KINDS},
        {kind.table for kind in KINDS},
        {kind.workflow for kind in KINDS},
    ):
        assert len(values) == len(KINDS) == 3
