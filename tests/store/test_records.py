"""The column of records: what is written comes back, older JSON is upgraded, newer JSON loses nothing."""

import logging
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import JSON, column, select, table, text
from sqlalchemy.dialects import postgresql

from backend.schemas.records import PruningRecord, RunRecord, RunSettings, TransferSource
from backend.store import database, evaluations, prunings, records
from backend.store.records import upgrade
from backend.store.tables import Evaluation

SOURCE = UUID(int=7)
FULL = RunRecord(
    n=3,
    eps=None,
    measured_sparsity=0.5,
    attacks=("fmn", "segment"),
    prepared=None,
    transfer=TransferSource(evaluation_id=SOURCE, checkpoint="dense", samples=2),
    settings=RunSettings(eps=8 / 255, attacks={"fmn": {"steps": 30}}, widths=(64,), versions={"torch": "2.13.0"}),
)


def read_back(evaluation_id: UUID) -> RunRecord:
    with database.reading() as session:
        return session.get_one(Evaluation, evaluation_id).record


def write(evaluation_id: UUID, record: RunRecord) -> None:
    with database.writing() as session:
        session.get_one(Evaluation, evaluation_id).record = record


def stored_json(evaluation_id: UUID) -> Any:
    with database.reading() as session:
        found = session.execute(text("SELECT record FROM evaluation WHERE id = :id"), {"id": evaluation_id.hex})
        return found.scalar_one()


def test_record_of_a_new_row_is_empty(evaluation: Evaluation) -> None:
    assert read_back(evaluation.id).to_json() == {"version": 1}


def test_record_comes_back_as_it_was_written(evaluation: Evaluation) -> None:
    write(evaluation.id, FULL)
    found = read_back(evaluation.id)
    assert found == FULL and isinstance(found.settings, RunSettings)
    assert found.knows("prepared") and not found.knows("device")
    assert found.transfer is not None and found.transfer.evaluation_id == SOURCE


def test_field_written_as_null_is_stored_though_its_value_is_the_same(evaluation: Evaluation) -> None:
    write(evaluation.id, RunRecord(n=3))
    write(evaluation.id, read_back(evaluation.id).merge(RunRecord(transfer=None)))
    assert read_back(evaluation.id).knows("transfer")


def test_record_without_a_version_is_read_and_written_as_version_1(evaluation: Evaluation) -> None:
    old = '{"n": 3, "prepared": null, "settings": {"seed": 0, "fallbacks": {"hidden": {}}}, "odd": [1]}'
    with database.writing() as session:
        session.execute(text("UPDATE evaluation SET record = :old"), {"old": old})
    found = read_back(evaluation.id)
    assert (found.version, found.n, found.model_extra) == (1, 3, {"odd": [1]})
    assert found.knows("prepared") and found.settings is not None and found.settings.fallbacks == {"hidden": {}}
    write(evaluation.id, found.merge(RunRecord(seconds=1.5)))
    assert '"version": 1' in stored_json(evaluation.id) and '"odd": [1]' in stored_json(evaluation.id)


def test_upgrade_of_a_newer_record_keeps_everything_and_warns_once(caplog: pytest.LogCaptureFixture) -> None:
    records.warn_of_newer.cache_clear()
    newer = {"version": 99, "n": 3, "of tomorrow": {"deep": 1}}
    with caplog.at_level(logging.WARNING, "thinice.store"):
        assert upgrade(newer) == upgrade(newer) == newer
    assert RunRecord.model_validate(upgrade(newer)).to_json() == newer
    assert [line.getMessage() for line in caplog.records] == [
        "There are records of version 99, written by a newer Thin Ice; this one knows 1."
    ]


def test_path_into_a_record_finds_the_row(evaluation: Evaluation) -> None:
    write(evaluation.id, FULL)
    assert evaluations.TRANSFER in RunRecord.model_fields and prunings.DENSE_MARGINS in PruningRecord.model_fields
    with database.reading() as session:
        assert evaluations.count_dependants(session, SOURCE)["transfers"] == 1
        assert evaluations.count_dependants(session, UUID(int=8))["transfers"] == 0


def test_path_into_a_record_is_that_into_any_json_in_postgres() -> None:
    path, dialect = (evaluations.TRANSFER, "evaluation_id"), postgresql.dialect()
    plain = table("evaluation", column("record", JSON))
    ours, usual = (
        select(one[path].as_string()).compile(dialect=dialect) for one in (Evaluation.record, plain.c.record)
    )
    assert str(ours) == str(usual) and "evaluation.record #>>" in str(ours)
    types = [one.binds["record_1"].type.dialect_impl(dialect) for one in (ours, usual)]
    assert type(types[0]) is type(types[1])
    to_text = types[0].bind_processor(dialect)
    assert to_text is not None and to_text(path) == "{transfer, evaluation_id}"
