"""Stamps: they differ for news and stay for progress."""

from backend.store import database
from backend.store.activity import stamp_checkpoints, stamp_jobs
from backend.store.jobs import move_state
from backend.store.tables import Checkpoint, Evaluation


def read_jobs() -> str:
    with database.reading() as session:
        return stamp_jobs(session, Evaluation)


def test_stamp_jobs_stays_for_progress_and_differs_for_a_state(evaluation):
    before = read_jobs()
    with database.writing() as session:
        assert move_state(session, Evaluation, evaluation.id, ["running"], done=2, stage="fab-t")
    assert read_jobs() == before
    with database.writing() as session:
        assert move_state(session, Evaluation, evaluation.id, ["running"], state="queued")
    waiting = read_jobs()
    with database.writing() as session:
        assert move_state(session, Evaluation, evaluation.id, ["queued"], run_number=evaluation.run_number + 1)
    assert len({before, waiting, read_jobs()}) == 3


def test_stamp_checkpoints_differs_for_a_name_and_for_what_was_checked(evaluation):
    stamps = set()
    for values in ({}, {"name": "renamed"}, {"preflight": {"state": "passed", "checks": []}}):
        with database.writing() as session:
            row = session.get_one(Checkpoint, evaluation.checkpoint_id)
            for name, value in values.items():
                setattr(row, name, value)
        with database.reading() as session:
            stamps.add(stamp_checkpoints(session))
    assert len(stamps) == 3
