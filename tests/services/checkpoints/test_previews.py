"""What a file holds before it is imported: a real import in a child, and nothing left of it."""

from pathlib import Path

import pytest

from backend.errors import InvalidRequest, NotFound, RejectedCheckpoint
from backend.services import checkpoints, evaluations
from backend.services.uploads import IncomingFile
from backend.settings import get_settings
from tests.services.checkpoints.test_service import by_name, form, imported, save_network, stocked

__all__ = ["imported", "stocked"]


def receive(path: Path) -> str:
    """Send the file as the upload page does; its upload id."""
    incoming = IncomingFile(path.name)
    incoming.append(path.read_bytes())
    return str(incoming.finish().upload_id)


def test_preview_upload_names_the_parent_of_a_pruned_network_and_keeps_nothing(stocked: Path, tmp_path: Path) -> None:
    upload_id = receive(save_network(tmp_path / "mine.safetensors", 0, zeros=0.5))
    before = sorted(get_settings().artefacts.iterdir())
    found = checkpoints.preview_upload(upload_id, "grey")
    assert (found.architecture, found.measured_sparsity) == ("small-cnn", pytest.approx(0.5, abs=1e-3))
    assert found.likely_parent is not None
    assert (found.likely_parent.name, found.likely_parent.checkpoint_id) == ("dense", by_name("dense").id)
    assert sorted(get_settings().artefacts.iterdir()) == before


def test_preview_upload_of_a_dense_or_foreign_network_names_no_parent(stocked: Path, tmp_path: Path) -> None:
    dense = receive(save_network(tmp_path / "again.safetensors", 0))
    assert checkpoints.preview_upload(dense, "grey").likely_parent is None
    foreign = receive(save_network(tmp_path / "other.safetensors", 7, zeros=0.5))
    assert checkpoints.preview_upload(foreign, "grey").likely_parent is None


def test_preview_upload_of_nothing_is_refused(stocked: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.pt").write_bytes(b"nothing")
    with pytest.raises(RejectedCheckpoint):
        checkpoints.preview_upload(receive(tmp_path / "bad.pt"), "grey")
    with pytest.raises(NotFound):
        checkpoints.preview_upload("0199a0a0-0000-7000-8000-000000000000", "grey")


def test_list_checkpoints_by_name_is_the_one_or_none(stocked: Path) -> None:
    page = checkpoints.list_checkpoints(name="dense")
    assert ([row.name for row in page.items], page.total) == (["dense"], 1)
    assert checkpoints.list_checkpoints(name="dens").total == 0


def test_add_checkpoint_evaluates_as_many_samples_as_asked_for(stocked: Path, tmp_path: Path) -> None:
    path = save_network(tmp_path / "more.safetensors", 3)
    added = checkpoints.add_checkpoint(path, form(name="more", evaluate="margin", evaluate_samples=5), filename="a")
    (queued,) = evaluations.list_evaluations(checkpoint_id=added.id).items
    assert queued.n == 5
    with pytest.raises(InvalidRequest, match="evaluate_samples is 13"):
        checkpoints.add_checkpoint(path, form(name="x", evaluate="margin", evaluate_samples=13), filename="a")
