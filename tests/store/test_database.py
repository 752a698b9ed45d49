"""The database: transactions that lose nothing, migrations that stop where they must, moments with a zone."""

import multiprocessing
import sqlite3
from datetime import UTC

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from backend.errors import StartupFailed
from backend.store import database
from backend.store.tables import Checkpoint, Pruning, Result, Table, Worker, new_id

PROCESSES, INCREMENTS = 4, 50


def test_migrate_twice_leaves_the_tables_as_declared(home):
    database.migrate()
    database.migrate()
    with database.get_engine().connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Table.metadata)
    assert differences == []


def test_migrate_from_the_first_tables_starts_bounds_at_the_margins(home):
    home.mkdir()
    engine = database.get_engine()
    command.upgrade(database._alembic(engine), "0001")
    columns = 'evaluation_id, sample_id, "index", label, prediction, correct, found, margin, kind, attack, logit_gap'
    with sqlite3.connect(home / "thinice.db") as direct:  # without foreign keys: what a row refers to is not asked for
        for sample, found, margin, attack in ((1, 1, 0.25, "fmn"), (2, 0, None, "")):
            values = ("0" * 32, sample, sample, 0, 0, 1, found, margin, "minimum", attack, 1.0, 0.9, 0.1)
            marks = ", ".join("?" * len(values))
            direct.execute(f"INSERT INTO result ({columns}, max_probability, loss) VALUES ({marks})", values)
    direct.close()
    database.migrate()
    with database.reading() as session:
        rows = session.query(Result).order_by(Result.sample_id).all()
    bounds = [(row.best_known, row.best_known_found, row.best_known_series, row.best_known_source) for row in rows]
    assert bounds == [(0.25, True, 0, "fmn"), (None, False, 0, "")]


def test_migrate_newer_database_is_refused(home):
    database.migrate()
    with database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StartupFailed, match="newer Thin Ice"):
        database.migrate()


def test_writing_error_rolls_everything_back(home):
    database.migrate()
    with pytest.raises(RuntimeError), database.writing() as session:
        session.add(Worker(id="w", host="h", pid=1, device="cpu"))
        session.flush()
        raise RuntimeError("in the middle")
    with database.reading() as session:
        assert session.get(Worker, "w") is None


def _increment(url: str) -> None:
    engine = database.create_database(url)
    for _ in range(INCREMENTS):
        with engine.begin() as connection:
            value = connection.execute(text("SELECT pid FROM worker WHERE id = 'counter'")).scalar_one()
            connection.execute(text("UPDATE worker SET pid = :value"), {"value": value + 1})


def test_writing_read_then_update_from_many_processes_loses_no_increment(home):
    database.migrate()
    with database.writing() as session:
        session.add(Worker(id="counter", host="h", pid=0, device="cpu"))
    url = database.get_settings().resolved_database_url
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_increment, args=(url,)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    with database.reading() as session:
        counter = session.get(Worker, "counter")
        assert counter is not None
        assert counter.pid == PROCESSES * INCREMENTS


def test_moments_come_back_in_utc(home):
    database.migrate()
    with database.writing() as session:
        session.add(Worker(id="w", host="h", pid=1, device="cpu"))
    with database.reading() as session:
        worker = session.get(Worker, "w")
        assert worker is not None
        assert worker.last_seen.tzinfo is UTC


def test_new_id_is_ordered_in_time_and_a_version_7_uuid():
    ids = [new_id() for _ in range(1_000)]
    assert len(set(ids)) == 1_000
    assert {made.version for made in ids} == {7}
    milliseconds = [made.int >> 80 for made in ids]
    assert milliseconds == sorted(milliseconds)


def test_one_at_a_time_may_be_nested(home):
    with database.one_at_a_time(), database.one_at_a_time():
        database.migrate()


def test_migrate_from_the_schema_before_prunings_keeps_checkpoints_and_takes_prunings_of_them(home):
    home.mkdir()
    engine = database.get_engine()
    command.upgrade(database._alembic(engine), "0003")
    values = {
        "id": "1" * 32, "project": "default", "created_at": "2026-01-01 00:00:00", "name": "dense", "role": "dense",
        "dataset_id": "2" * 32, "source_sha256": "", "weights_sha256": "", "file": "", "architecture": "small-cnn",
        "normalization": "none", "measured_sparsity": 0.0, "parameters": 1, "prunable": 1, "layers": "[]",
        "warnings": "[]", "preflight": "{}", "origin": "upload",
    }  # fmt: skip
    with sqlite3.connect(home / "thinice.db") as direct:  # without foreign keys, as above
        marks = ", ".join("?" * len(values))
        direct.execute(f"INSERT INTO checkpoint ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))
        direct.execute(
            "INSERT INTO dataset (id, project, created_at, slug, name, split, size, classes, shape, default_norm, "
            "default_eps, source, builtin, file) VALUES (?, 'default', '2026-01-01 00:00:00', 'd', 'd', 'test', 1, "
            "'[]', '[]', 'Linf', '8/255', '', 0, '')",
            ("2" * 32,),
        )
    direct.close()
    database.migrate()
    with database.writing() as session:
        kept = session.query(Checkpoint).one()
        assert (kept.name, kept.pruning_id) == ("dense", None)
        row = Pruning(
            name="made", parent_id=kept.id, dataset_id=kept.dataset_id, training_dataset_id=kept.dataset_id,
            method="lwm", rate=0.9, granularity="weight", schedule="short", plan={}, seed=0, priority=10, total=1,
        )  # fmt: skip
        session.add(row)
    with database.reading() as session:
        found = session.query(Pruning).one()
        assert (found.state, found.stage, found.done, found.record.to_json(), found.checkpoint_id) == (
            "queued",
            "waiting",
            0,
            {"version": 1},
            None,
        )
