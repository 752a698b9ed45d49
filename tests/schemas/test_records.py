"""Records: what was written, be it as null, is told from what nobody wrote; nothing is changed in place or lost."""

import pytest
from pydantic import ValidationError

from backend.schemas.records import EvidenceRecord, JobRecord, PreparedCopy, PruningRecord, RunRecord, RunSettings


def test_to_json_holds_what_was_written_and_the_version() -> None:
    record = RunRecord(n=3, prepared=None, settings=RunSettings(eps=None))
    assert record.to_json() == {"version": 1, "n": 3, "prepared": None, "settings": {"eps": None}}
    assert record.knows("prepared") and not record.knows("transfer")
    assert record.prepared is record.transfer is None


def test_merge_gives_a_new_record_in_which_the_later_one_wins() -> None:
    first = RunRecord(n=3, seed=1)
    merged = first.merge(RunRecord(seed=2, transfer=None))
    assert merged.to_json() == {"version": 1, "n": 3, "seed": 2, "transfer": None}
    assert first.to_json() == {"version": 1, "n": 3, "seed": 1}


def test_merge_keeps_fields_that_this_version_does_not_know() -> None:
    first = RunRecord.model_validate({"version": 2, "odd": {"deep": [1]}})
    merged = first.merge(RunRecord.model_validate({"n": 1, "other": 5}))
    assert merged.to_json() == {"version": 2, "odd": {"deep": [1]}, "n": 1, "other": 5}


def test_record_refuses_to_be_changed_in_place() -> None:
    record = RunRecord(prepared=PreparedCopy(precision="float32"))
    with pytest.raises(ValidationError, match="frozen"):
        record.n = 4
    with pytest.raises(ValidationError, match="frozen"):
        record.prepared.precision = "bfloat16"  # type: ignore[union-attr]


@pytest.mark.parametrize("model", [RunRecord, EvidenceRecord, PruningRecord])
def test_every_field_of_a_record_is_described_and_may_be_unknown(model: type[JobRecord]) -> None:
    assert all(field.description and not field.is_required() for field in model.model_fields.values())
