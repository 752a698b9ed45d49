"""What the equal-effort guard reads from a record: how the attacks explored."""

from typing import Any

import pytest

from backend.analysis.mismatches import is_equal_effort, mismatches
from backend.schemas.records import RunRecord
from backend.services.comparisons.effort import describe
from backend.store.tables import Evaluation

COPY = {"batch_norm_folded": 3, "memory_format": "channels_last", "precision": "float32"}


def make_record(preset: str, **record: Any) -> dict[str, Any]:
    usual = {"dataset": "d", "samples": "60", "norm": "L2", "preset": preset, "distance_kind": "minimum"}
    usual |= {"dtype": "float32", "torch": "2.13", "thinice": "0.1.0"}
    read = RunRecord.model_validate(usual | record)
    return describe(Evaluation(preset=preset, norm="L2", eps=None, chunk_size=50, record=read))


@pytest.mark.parametrize(
    ("dense", "pruned", "is_equal"),
    [
        ({"prepared": COPY}, {"prepared": COPY}, True),
        ({"prepared": None}, {"prepared": COPY}, True),
        ({"prepared": COPY | {"precision": "bfloat16"}}, {"prepared": COPY}, False),
        ({}, {"prepared": COPY}, False),
        ({}, {}, True),
    ],
    ids=["alike", "a network without a copy", "low precision on one side", "an older engine on one side", "both old"],
)
def test_exploration_of_another_kind_breaks_equal_effort(
    dense: dict[str, Any], pruned: dict[str, Any], is_equal: bool
) -> None:
    found = mismatches(make_record("margin", **dense), make_record("margin", **pruned))
    assert is_equal_effort(found) == is_equal
    assert [one.field for one in found] == ([] if is_equal else ["exploration"])


def test_exploration_is_nothing_to_the_official_code() -> None:
    assert mismatches(make_record("autoattack"), make_record("autoattack", prepared=None)) == []
