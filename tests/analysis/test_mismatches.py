"""The equal-effort guard says what differs, and never stays silent about what was not recorded."""

import pytest

from backend.analysis.mismatches import RECORD_FIELDS, is_equal_effort, mismatches, pair_mismatches
from backend.analysis.pairing import pair
from tests.analysis.fabrication import make, make_pair

RECORD = {
    "dataset": "fashion-mnist",
    "split": "test",
    "samples": 2000,
    "norm": "Linf",
    "eps": 0.1,
    "preset": "margin",
    "attacks": ["fmn", "segment"],
    "steps": 100,
    "parameters": {"fmn": {"steps": 100, "restarts": 1}, "segment": {"pool": 512}},
    "seed": 0,
    "chunk_size": 100,
    "batch_samples": 256,
    "versions": {"thinice": "0.1.0", "torch": "2.13.0"},
    "distance_kind": "minimum",
    "dtype": "float32",
    "exploration": "float32",
    "device": "cpu",
}


def test_mismatches_of_equal_records_are_none() -> None:
    assert mismatches(RECORD, dict(RECORD)) == []
    assert is_equal_effort([])


@pytest.mark.parametrize(
    ("change", "code", "sentence", "severity"),
    [
        ({"dataset": "cifar10"}, "different_dataset",
         "The data set differs: dense fashion-mnist, pruned cifar10.", "differs"),
        ({"split": "train"}, "different_split", "The split differs: dense test, pruned train.", "differs"),
        ({"samples": 500}, "different_samples", "The samples differ: dense 2000, pruned 500.", "differs"),
        ({"norm": "L2"}, "different_norm", "The norm differs: dense Linf, pruned L2.", "differs"),
        ({"eps": 8 / 255}, "different_eps", "Eps differs: dense 25.5/255, pruned 8/255.", "differs"),
        ({"eps": None}, "different_eps", "Eps differs: dense 25.5/255, pruned not recorded.", "differs"),
        ({"preset": "fast"}, "different_preset", "The attack preset differs: dense margin, pruned fast.", "differs"),
        ({"attacks": ["fmn"]}, "different_attacks",
         "The attacks differ: dense 2 (1 not in the other), pruned 1 (0 not in the other).", "differs"),
        ({"steps": 30}, "different_steps", "The number of steps differs: dense 100, pruned 30.", "differs"),
        ({"parameters": {"fmn": {"steps": 100, "restarts": 3}, "segment": {"pool": 512}}}, "different_parameters",
         "The parameter restarts of fmn differs: dense 1, pruned 3.", "differs"),
        ({"parameters": {"fmn": {"steps": 100}, "segment": {"pool": 512}}}, "different_parameters",
         "The parameter restarts of fmn differs: dense 1, pruned not recorded.", "differs"),
        ({"parameters": {}}, "different_parameters",
         "The attack parameters differ: dense recorded, pruned not recorded.", "differs"),
        ({"chunk_size": 20}, "different_chunk_size",
         "The number of samples attacked together differs: dense 100, pruned 20.", "note"),
        ({"batch_samples": 64}, "different_batch_samples", "The batch size differs: dense 256, pruned 64.", "note"),
        ({"distance_kind": "witness"}, "different_distance_kind",
         "The kind of distance differs: dense minimum, pruned witness.", "differs"),
        ({"dtype": "bfloat16"}, "different_dtype",
         "The number format differs: dense float32, pruned bfloat16.", "differs"),
        ({"seed": 1}, "different_seed", "The seed differs: dense 0, pruned 1.", "note"),
        ({"device": "cuda:1"}, "different_device", "The type of device differs: dense cpu, pruned cuda:1.", "note"),
        ({"versions": {"thinice": "0.2.0", "torch": "2.13.0"}}, "different_versions",
         "The version of thinice differs: dense 0.1.0, pruned 0.2.0.", "differs"),
        ({"versions": {"thinice": "0.1.0", "torch": "2.12.0"}}, "different_versions",
         "The version of torch differs: dense 2.13.0, pruned 2.12.0.", "note"),
        ({"versions": {"thinice": "0.1.0"}}, "different_versions",
         "The version of torch differs: dense 2.13.0, pruned not recorded.", "note"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("different") else "",
)  # fmt: skip
def test_mismatches_with_one_difference_say_it(change: dict, code: str, sentence: str, severity: str) -> None:
    (found,) = mismatches(RECORD, RECORD | change)
    assert (found.code, found.sentence, found.severity) == (code, sentence, severity)
    assert is_equal_effort([found]) is (severity == "note")


def test_mismatches_with_a_control_call_it_so() -> None:
    change = {"steps": 30, "parameters": {"fmn": {"steps": 30, "restarts": 1}}, "versions": {"thinice": "0.2.0"}}
    found = mismatches(RECORD, RECORD | change, other="control")
    assert len(found) == 4
    assert all("control" in mismatch.sentence and "pruned" not in mismatch.sentence for mismatch in found)


def test_mismatches_put_differences_before_notes() -> None:
    found = mismatches(
        RECORD, RECORD | {"seed": 5, "device": "cuda:0", "versions": {"thinice": "9", "torch": "2.13.0"}}
    )
    assert [mismatch.severity for mismatch in found] == ["differs", "note", "note"]


def test_mismatches_ignore_order_device_number_and_the_spelling_of_eps() -> None:
    ids = ["a", "b", "c"]
    one = RECORD | {"samples": ids, "device": "cuda:0 (a card)", "eps": "8/255"}
    other = RECORD | {"samples": ids[::-1], "device": "cuda:1", "eps": 8 / 255}
    assert mismatches(one, other) == []


@pytest.mark.parametrize("field", [field.name for field in RECORD_FIELDS if field.required] + ["versions"])
def test_mismatches_with_a_field_on_neither_side_do_not_pass_as_equal(field: str) -> None:
    record = {name: value for name, value in RECORD.items() if name != field}
    (found,) = mismatches(record, record)
    assert found.code == f"unrecorded_{field}"
    assert found.sentence.endswith("so equal effort cannot be confirmed.")
    assert not is_equal_effort([found])


@pytest.mark.parametrize("field", [field.name for field in RECORD_FIELDS] + ["versions"])
def test_mismatches_with_a_field_on_one_side_are_found(field: str) -> None:
    record = {name: value for name, value in RECORD.items() if name != field}
    assert mismatches(RECORD, record)
    assert len(mismatches(RECORD, record)) == len(mismatches(record, RECORD))


def test_pair_mismatches_count_overlap_and_labels() -> None:
    assert pair_mismatches(make_pair([0.1], [0.1])) == []
    dense = make([0.1, 0.2, 0.3], labels=[0, 1, 2], predictions=[0, 1, 2])
    pruned = make([0.1, 0.2], labels=[0, 5], predictions=[0, 5])
    overlap, labels = pair_mismatches(pair(dense, pruned))
    assert overlap.sentence == "The comparison covers only 1 shared sample (dense has 3, pruned 2)."
    assert overlap.severity == "note"
    assert labels.sentence == "The comparison leaves out 1 shared image, labelled differently on each side."
    assert labels.severity == "differs"
