"""A home of the version before 0005: every row is still there under the new words, and goes back to the old ones."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from alembic import command
from sqlalchemy import MetaData

from backend.store import database
from backend.store.tables import Attempt, Checkpoint, Chunk, Evaluation, Evidence, LogLine, Pruning, Result, new_id

DATASET, CHECKPOINT, EVALUATION, EVIDENCE, PRUNING = (new_id() for _ in range(5))
AT = datetime(2026, 11, 1, tzinfo=UTC)
OWNED = {"project": "default", "created_at": AT}
JOB: dict[str, Any] = {"priority": 10, "state": "running", "done": 1, "attempt_number": 3, **OWNED}

OLD_ROWS: list[tuple[str, dict[str, Any]]] = [
    ("sample", {"id": 1, "content_id": "a" * 64}),
    (
        "dataset",
        {
            "id": DATASET, "slug": "digits", "name": "digits", "split": "test", "size": 1, "classes": ["0", "1"],
            "shape": [6, 6, 1], "default_norm": "Linf", "default_eps": "8/255", "source": "", "builtin": False,
            "file": "", **OWNED,
        },
    ),
    (
        "checkpoint",
        {
            "id": CHECKPOINT, "name": "net", "role": "pruned", "dataset_id": DATASET, "source_sha256": "s",
            "weights_sha256": "w", "file": "f", "architecture": "cnn", "normalization": "none",
            "measured_sparsity": 0.5, "parameters": 2, "prunable": 2, "layers": [], "warnings": [], "preflight": {},
            "inspection": {"descent": {"answer": "unclear"}}, "origin": "upload", **OWNED,
        },
    ),
    (
        "evaluation",
        {
            "id": EVALUATION, "checkpoint_id": CHECKPOINT, "dataset_id": DATASET, "preset": "fast", "norm": "Linf",
            "indices": [0], "explicit": False, "n": 1, "seed": 0, "purpose": "user", "chunk_size": 1, "flags": [],
            "record": {"doubts": ["partial-gradients"], "settings": {"remedies": {"hidden": {}}, "seed": 0}},
            "summary": {"n": 1, "broken_by_remedies": 4}, "stage": "chunk 1 of 1", **JOB,
        },
    ),
    (
        "evidence",
        {
            "id": EVIDENCE, "evaluation_id": EVALUATION, "stage": 2, "kind": "harder", "source": "margin, more seeds",
            "indices": [0], "spent": 1.0, "n": 1, "seconds": 1.0, "step": "seed 1", "checked": 1, "held": 1,
            "improved": 1, "refused": {}, "record": {"last_seed": 1}, **JOB,
        },
    ),
    (
        "pruning",
        {
            "id": PRUNING, "name": "made", "parent_id": CHECKPOINT, "dataset_id": DATASET,
            "training_dataset_id": DATASET, "method": "lwm", "rate": 0.9, "granularity": "weight",
            "schedule": "short", "plan": {}, "seed": 0, "step": "epoch 1", "total": 9, "record": {}, **JOB,
        },
    ),
    (
        "attempt",
        {
            "evaluation_id": EVALUATION, "sample_id": 1, "stage": 2, "attack": "fmn@1", "found": True,
            "distance": 0.1, "kind": "minimum",
        },
    ),
    (
        "result",
        {
            "evaluation_id": EVALUATION, "sample_id": 1, "index": 0, "label": 0, "prediction": 0, "correct": True,
            "found": True, "margin": 0.2, "kind": "minimum", "attack": "fmn", "logit_gap": 1.0,
            "max_probability": 0.9, "loss": 0.1, "best_known": 0.1, "best_known_found": True, "best_known_stage": 2,
            "best_known_source": "margin, seed 1",
        },
    ),
    (
        "chunk",
        {
            "evaluation_id": EVALUATION, "number": 0, "samples": 1, "worker_id": "w", "device": "cpu", "seconds": 1.0,
            "forwards": 1, "backwards": 1, "flags": [], "finished_at": AT,
        },
    ),
    ("log_line", {"evaluation_id": EVALUATION, "at": AT, "text": "0 of 1 samples done"}),
]  # fmt: skip


@pytest.fixture
def old_home(home: Path) -> None:
    """A database of revision 0004 with a row of every kind, foreign keys held."""
    home.mkdir()
    engine = database.get_engine()
    command.upgrade(database._alembic(engine), "0004")
    for name, row in OLD_ROWS:
        insert(name, row)


def reflect(name: str) -> Any:
    tables = MetaData()
    tables.reflect(database.get_engine(), only=[name])
    return tables.tables[name]


def insert(name: str, row: dict[str, Any]) -> None:
    """Through the columns as the database has them, in which an id is 32 digits."""
    plain = {key: value.hex if isinstance(value, UUID) else value for key, value in row.items()}
    table = reflect(name)
    with database.get_engine().begin() as connection:
        connection.execute(table.insert().values(plain))


def test_migrate_from_0004_keeps_every_row_under_the_new_words(old_home: None) -> None:
    database.migrate()
    with database.reading() as session:
        evaluation, evidence, pruning = (
            session.get_one(table, id)
            for table, id in ((Evaluation, EVALUATION), (Evidence, EVIDENCE), (Pruning, PRUNING))
        )
        assert [job.stage for job in (evaluation, evidence, pruning)] == ["chunk 1 of 1", "seed 1", "epoch 1"]
        assert [job.run_number for job in (evaluation, evidence, pruning)] == [3, 3, 3]
        assert evidence.series == 2
        assert evaluation.record.to_json() == {
            "version": 1,
            "early_flags": ["partial-gradients"],
            "settings": {"fallbacks": {"hidden": {}}, "seed": 0},
        }
        assert evaluation.summary == {"n": 1, "broken_by_fallbacks": 4}
        assert evaluation.selection == "content" and not evaluation.explicit
        checkpoint = session.get_one(Checkpoint, CHECKPOINT)
        assert checkpoint.inspection == {"descent": {"answer": "cannot tell"}}
        assert session.query(Attempt).one().series == 2
        assert session.query(Result).one().best_known_series == 2
        assert session.query(Chunk).count() == session.query(LogLine).count() == 1


def test_downgrade_to_0004_gives_the_old_words_back(old_home: None) -> None:
    database.migrate()
    engine = database.get_engine()
    command.downgrade(database._alembic(engine), "0004")
    for name, row in OLD_ROWS:
        table = reflect(name)
        with engine.connect() as connection:
            found = connection.execute(table.select()).mappings().one()
        for key in ("stage", "step", "attempt_number", "best_known_stage", "record", "summary", "inspection"):
            assert key not in row or found[key] == row[key]
    database.migrate()
    with database.reading() as session:
        assert session.get_one(Evidence, EVIDENCE).series == 2
