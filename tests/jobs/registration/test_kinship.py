"""Dense networks of one training run are told from other training seeds, at the upload and at the next start."""

from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from backend.jobs.registration.kinship import compare_missing, tell_kinship
from backend.registry.cards import find_zoo
from backend.schemas.checkpoints import CheckpointIn, CheckpointOut, CheckpointPatch
from backend.services import checkpoints, comparisons, datasets
from backend.services.comparisons.controls import tell_kind
from backend.store import checkpoints as store
from backend.store.database import reading
from backend.store.tables import Checkpoint
from tests.services.fabrication import add_checkpoint, add_dataset, change_checkpoint, evaluate, measure, write_npz

N = 60


def read_row(checkpoint_id: UUID) -> Checkpoint:
    with reading() as session:
        row = store.find_checkpoint(session, checkpoint_id)
    assert row is not None
    return row


def upload(name: str, file: Path, **fields: object) -> CheckpointOut:
    form = CheckpointIn.model_validate({"name": name, "role": "dense", "dataset_id": "grey"} | fields)
    return checkpoints.add_checkpoint(file, form, filename=file.name)


def add_noise(folder: Path, share: float) -> Path:
    """The weights of the shipped dense network with that much noise, in standard deviations of each tensor."""
    generator = np.random.default_rng(1)
    state = load_file(find_zoo() / "cnn-dense.safetensors")
    noisy = {
        name: (values + share * values.std() * generator.normal(size=values.shape)).astype(np.float32)
        if values.ndim > 1
        else values
        for name, values in state.items()
    }
    save_file(noisy, folder / "noisy.safetensors")
    return folder / "noisy.safetensors"


@pytest.fixture
def labels(ready: Path, tmp_path: Path) -> np.ndarray:
    images = np.random.default_rng(0).integers(0, 256, (N, 28, 28, 1), dtype=np.uint8)
    found = np.arange(N) % 10
    datasets.add_dataset(write_npz(tmp_path / "grey.npz", images, found), name="grey")
    return found


def test_upload_of_dense_weights_plus_noise_controls_for_nothing(labels: np.ndarray, tmp_path: Path) -> None:
    dense = upload("dense", find_zoo() / "cnn-dense.safetensors")
    pruned = upload("pruned", find_zoo() / "cnn-lwm-95.safetensors", role="pruned", parent_id=dense.id, method="lwm")
    noisy = upload("noisy", add_noise(tmp_path, 0.02))
    dataset, measured = datasets.get_dataset("grey"), measure(labels, 1)
    rows = [read_row(one.id) for one in (dense, pruned, noisy)]
    sides = [evaluate(row, dataset, measured) for row in rows]
    found = comparisons.compare(sides[0].id, sides[1].id)
    assert found.controls == []
    assert "noisy is no other training seed" in (found.controls_reason or "")
    assert tell_kind(rows[2], rows[0]) is None and tell_kind(rows[0], rows[2]) is None
    assert any("from one training run with those of dense" in warning for warning in noisy.warnings)
    between = comparisons.compare(sides[0].id, sides[2].id)
    assert between.headline[0].text.startswith("A change of the weights without pruning")
    assert "dense networks of one training run" in between.mismatches[-1].sentence


def test_upload_of_another_training_run_is_a_seed_control(labels: np.ndarray) -> None:
    dense = upload("dense", find_zoo() / "cnn-dense.safetensors")
    other = upload("other", find_zoo() / "cnn-dense-seed1.safetensors")
    rows = read_row(dense.id), read_row(other.id)
    assert (tell_kinship(*rows), tell_kind(rows[1], rows[0]), tell_kind(rows[0], rows[1])) == ("no", "seed", "seed")
    assert other.warnings == []


def test_patch_checkpoint_control_without_its_parent_is_compared_anew(labels: np.ndarray) -> None:
    dense = upload("dense", find_zoo() / "cnn-dense.safetensors")
    control = upload("control", find_zoo() / "cnn-control.safetensors", parent_id=dense.id, method="control")
    rows = read_row(control.id), read_row(dense.id)
    assert (tell_kinship(*rows), tell_kind(*rows), control.warnings) == ("yes", "finetuned", [])
    orphan = checkpoints.patch_checkpoint(control.id, CheckpointPatch(parent_id=None, method=None))
    row = read_row(control.id)
    assert (tell_kinship(row, rows[1]), tell_kind(row, rows[1])) == ("yes", None)
    assert any("name it as the parent" in warning for warning in orphan.warnings)


def test_compare_missing_catches_up_on_rows_of_an_earlier_version(labels: np.ndarray, tmp_path: Path) -> None:
    files = {"dense": find_zoo() / "cnn-dense.safetensors", "other": find_zoo() / "cnn-dense-seed1.safetensors"}
    files["noisy"] = add_noise(tmp_path, 0.02)
    ids = {name: upload(name, file).id for name, file in files.items()}
    for one in ids.values():
        row = read_row(one)
        change_checkpoint(row, inspection=(row.inspection or {}) | {"kin": []}, warnings=[])
    rows = {name: read_row(one) for name, one in ids.items()}
    assert tell_kinship(rows["dense"], rows["noisy"]) == "cannot tell"
    assert (compare_missing(), compare_missing()) == (2, 0), "the oldest is known from the others' side"
    rows = {name: read_row(one) for name, one in ids.items()}
    pairs = (("dense", "noisy"), ("dense", "other"), ("other", "noisy"))
    assert [tell_kinship(rows[one], rows[other]) for one, other in pairs] == ["yes", "no", "no"]
    assert any("from one training run" in warning for warning in rows["noisy"].warnings)


def test_tell_kinship_of_a_copy_is_yes_and_of_unread_weights_cannot_tell(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    first, second = add_checkpoint(dataset.id, "first"), add_checkpoint(dataset.id, "second")
    copy = add_checkpoint(dataset.id, "copy", weights_sha256=first.weights_sha256)
    assert (tell_kinship(first, copy), tell_kinship(first, second)) == ("yes", "cannot tell")
    assert compare_missing() == 0, "weights that cannot be read are left alone"
