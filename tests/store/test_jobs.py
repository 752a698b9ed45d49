"""Questions about jobs of any kind: order, what lists leave out, and moves that come too late."""

from sqlalchemy import inspect

from backend.store import database, jobs
from backend.store.tables import Evaluation, new_id


def test_move_state_from_another_state_changes_nothing(evaluation):
    with database.writing() as session:
        assert not jobs.move_state(session, Evaluation, evaluation.id, ["queued"], state="succeeded")
    with database.reading() as session:
        stored = session.get(Evaluation, evaluation.id)
        assert stored is not None
        assert stored.state == "running"


def test_move_state_of_an_old_run_or_under_another_condition_changes_nothing(evaluation):
    with database.writing() as session:
        for conditions, run in (((), 1), ((Evaluation.seed == 7,), 0), ((Evaluation.n == 99,), None)):
            assert not jobs.move_state(
                session, Evaluation, evaluation.id, ["running"], *conditions, of_run=run, stage="x"
            )
        assert not jobs.move_state(session, Evaluation, new_id(), ["running"], stage="x")
        assert jobs.move_state(
            session, Evaluation, evaluation.id, ["running"], Evaluation.seed == 0, of_run=0, stage="told"
        )
    with database.reading() as session:
        assert session.get_one(Evaluation, evaluation.id).stage == "told"


def test_jobs_in_come_by_priority_then_age(evaluation):
    same = {
        name: getattr(evaluation, name)
        for name in ("checkpoint_id", "dataset_id", "preset", "norm", "eps", "indices", "n", "seed", "chunk_size")
    }
    with database.writing() as session:
        rows = [Evaluation(**same, priority=priority) for priority in (10, 5, 10)]
        for row in rows:
            session.add(row)
            session.flush()
    with database.reading() as session:
        listed = [row.id for row in jobs.jobs_in(session, Evaluation, ["queued"])]
        assert listed == [rows[1].id, rows[0].id, rows[2].id]
        assert jobs.count_active(session, Evaluation) == 4
        newest, total = jobs.page_of_jobs(session, Evaluation, 1, 0, Evaluation.priority == 10)
        assert ([row.id for row in newest], total) == ([rows[2].id], 3)


def test_lists_of_evaluations_leave_the_indices_in_the_database(evaluation):
    with database.reading() as session:
        (listed,), total = jobs.page_of_jobs(session, Evaluation, 10, 0)
        assert (listed.n, total, "indices" in inspect(listed).unloaded) == (3, 1, True)
    with database.reading() as session:
        (running,) = jobs.jobs_in(session, Evaluation, ["running"])
        assert (running.n, "indices" in inspect(running).unloaded) == (3, True)
    with database.reading() as session:
        found = session.get(Evaluation, evaluation.id)
        assert found is not None
        assert found.indices == [1, 2, 0]
