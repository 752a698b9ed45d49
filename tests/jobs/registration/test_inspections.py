"""What the weights say reaches the checkpoint, its warnings and the comparison; the shipped networks are the files."""

from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from backend.jobs.registration.inspections import find_candidates, inspect_family, inspect_missing
from backend.registry.cards import find_zoo
from backend.schemas.checkpoints import CheckpointIn, CheckpointOut, CheckpointPatch
from backend.schemas.datasets import DatasetOut
from backend.services import checkpoints, comparisons, datasets
from backend.store.artefacts import put_bytes
from backend.store.database import reading
from backend.store.tables import Checkpoint
from tests.services.fabrication import add_checkpoint, add_dataset, evaluate, make_pixels, measure, write_npz

LAYERS = [
    {"name": f"{name}.weight", "shape": [1, 1], "weights": 1, "zeros": 0, "sparsity": 0.0}
    for name in ("conv1", "conv2", "conv3", "linear")
]


def add_shipped(dataset_id: UUID, name: str, **fields: object) -> Checkpoint:
    """A row whose weights are those of a shipped network."""
    content = (find_zoo() / f"{name}.safetensors").read_bytes()
    return add_checkpoint(dataset_id, name, file=put_bytes(content, ".safetensors"), layers=LAYERS, **fields)


@pytest.fixture
def family(ready: Path, tmp_path: Path) -> tuple[DatasetOut, dict[str, Checkpoint]]:
    """A dense network, another seed, and one pruned from the first that names no parent yet."""
    dataset = add_dataset(tmp_path, "digits")
    rows = {name: add_shipped(dataset.id, name) for name in ("cnn-dense", "cnn-dense-seed1")}
    rows["cnn-lwm-95"] = add_shipped(dataset.id, "cnn-lwm-95", role="pruned", measured_sparsity=0.95)
    return dataset, rows


def name_parent(rows: dict[str, Checkpoint], parent: str | None) -> CheckpointOut:
    patch = CheckpointPatch(parent_id=None if parent is None else rows[parent].id)
    return checkpoints.patch_checkpoint(rows["cnn-lwm-95"].id, patch)


def test_patch_checkpoint_true_parent_is_borne_out(family: tuple[DatasetOut, dict[str, Checkpoint]]) -> None:
    _, rows = family
    shown = name_parent(rows, "cnn-dense")
    assert shown.inspection is not None and shown.inspection.descent is not None
    assert shown.inspection.parent_id == rows["cnn-dense"].id
    assert (shown.inspection.descent.answer, shown.inspection.likely_parent) == ("yes", None)
    assert (shown.inspection.structure.kind, shown.inspection.structure.zero_filters) == ("weight", 5)
    assert shown.warnings == [] and checkpoints.get_checkpoint(shown.id) == shown


def test_patch_checkpoint_wrong_parent_is_said_and_the_likely_one_named(
    family: tuple[DatasetOut, dict[str, Checkpoint]],
) -> None:
    dataset, rows = family
    wrong = name_parent(rows, "cnn-dense-seed1")
    assert wrong.inspection is not None and wrong.inspection.descent is not None
    assert wrong.inspection.descent.answer == "no"
    assert wrong.inspection.likely_parent is not None and wrong.inspection.likely_parent.name == "cnn-dense"
    first, second = wrong.warnings
    assert first.startswith("The weights say that cnn-lwm-95 was not made from cnn-dense-seed1: the 5,084 weights that")
    assert second.startswith("The weights say that it was made from cnn-dense (correlation 0.88)")
    labels = make_pixels(60)[1]
    sides = [evaluate(rows[name], dataset, measure(labels, 1)) for name in ("cnn-dense-seed1", "cnn-lwm-95")]
    found = [one for one in comparisons.compare(sides[0].id, sides[1].id).mismatches if one.field == "parent"]
    assert [one.severity for one in found] == ["differs"]
    assert found[0].sentence == f"{first} The weights fit cnn-dense."
    assert name_parent(rows, "cnn-dense").warnings == []


def test_patch_checkpoint_without_a_parent_is_offered_the_likely_one(
    family: tuple[DatasetOut, dict[str, Checkpoint]],
) -> None:
    _, rows = family
    name_parent(rows, "cnn-dense")
    orphan = name_parent(rows, None)
    assert orphan.inspection is not None and orphan.inspection.descent is None
    assert orphan.inspection.likely_parent is not None
    assert orphan.inspection.likely_parent.checkpoint_id == rows["cnn-dense"].id
    assert len(orphan.warnings) == 2 and "No parent is named" in orphan.warnings[0]


def test_patch_checkpoint_weights_that_cannot_be_read_are_no_obstacle(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    dense = add_checkpoint(dataset.id, "dense")
    pruned = add_checkpoint(dataset.id, "pruned", role="pruned", inspection=None)
    shown = checkpoints.patch_checkpoint(pruned.id, CheckpointPatch(parent_id=dense.id))
    assert shown.parent_id == dense.id and shown.inspection is None


def test_find_candidates_are_dense_networks_alike_without_controls_and_parent(ready: Path, tmp_path: Path) -> None:
    dataset, other = add_dataset(tmp_path, "digits"), add_dataset(tmp_path, "letters", seed=5)
    dense = add_checkpoint(dataset.id, "dense")
    add_checkpoint(dataset.id, "control", method="control", parent_id=dense.id)
    add_checkpoint(dataset.id, "pruned", role="pruned", parent_id=dense.id)
    add_checkpoint(dataset.id, "wide", architecture="wrn-28-4")
    add_checkpoint(other.id, "elsewhere")
    many = [add_checkpoint(dataset.id, f"seed-{number}") for number in range(6)]
    with reading() as session:
        found = find_candidates(session, dataset.id, "small-cnn", dense)
        everything = find_candidates(session, dataset.id, "small-cnn", None)
    assert (
        [row.name for row in found] == [f"seed-{number}" for number in (5, 4, 3, 2, 1)] == [r.name for r in everything]
    )
    assert len(many) == 6


def test_inspect_family_many_at_once_each_next_to_its_parent(
    family: tuple[DatasetOut, dict[str, Checkpoint]],
) -> None:
    _, rows = family
    rows["cnn-lwm-95"].parent_id = rows["cnn-dense"].id
    inspect_family(list(rows.values()), {row.id: row for row in rows.values()})
    answers = [(row.inspection or {})["descent"] for row in rows.values()]
    assert answers[:2] == [None, None] and answers[2]["answer"] == "yes"


def test_inspect_missing_catches_up_on_rows_of_an_earlier_version(
    family: tuple[DatasetOut, dict[str, Checkpoint]],
) -> None:
    dataset, rows = family
    wrong = add_shipped(dataset.id, "cnn-lwm-90", role="pruned", parent_id=rows["cnn-dense-seed1"].id)
    broken = add_checkpoint(dataset.id, "broken")
    assert (inspect_missing(), inspect_missing()) == (4, 0)
    assert checkpoints.get_checkpoint(broken.id).inspection is None
    shown = checkpoints.get_checkpoint(wrong.id)
    assert shown.inspection is not None and shown.inspection.descent is not None
    assert shown.inspection.descent.answer == "no" and "was not made from cnn-dense-seed1" in shown.warnings[0]


def test_add_checkpoint_is_inspected_next_to_its_parent(ready: Path, tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (12, 28, 28, 1), dtype=np.uint8)
    dataset = datasets.add_dataset(write_npz(tmp_path / "grey.npz", images, np.arange(12) % 10), name="grey")
    parent = add_shipped(dataset.id, "cnn-dense")
    form = CheckpointIn(name="child", role="pruned", dataset_id="grey", parent_id=parent.id)
    shown = checkpoints.add_checkpoint(find_zoo() / "cnn-lwm-90.safetensors", form, filename="a.safetensors")
    assert shown.inspection is not None and shown.inspection.descent is not None
    assert shown.inspection.descent.answer == "yes" and shown.inspection.structure.kind == "weight"
    assert len(shown.inspection.descent.norms) == 3 and shown.inspection.descent.changed > 0.99
    assert checkpoints.get_checkpoint(shown.id).inspection == shown.inspection
