"""Uploads as the web process takes them: through the child, with nothing left behind when they are refused."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from backend.errors import NotFound, TooLarge, UnsafeCheckpoint
from backend.registry.child import take_checkpoint
from backend.registry.imported import ImportedCheckpoint
from backend.registry.networks import load_network
from backend.settings import Settings
from tests.registry.fabrication import Evil, replace_in_pickle, save, with_prefix


def take(path: Path, settings: Settings, architecture: str | None = None) -> ImportedCheckpoint:
    return take_checkpoint(
        path,
        dataset_classes=10,
        dataset_shape=(28, 28, 1),
        architecture=architecture,
        normalization=None,
        out_dir=settings.artefacts,
        settings=settings,
    )


def upload(folder: Path, content: bytes) -> Path:
    path = folder / "weights.pth.tar"
    path.write_bytes(content)
    return path


def test_take_checkpoint_sound_file_is_kept_and_described(
    tmp_path: Path, network: nn.Module, settings: Settings
) -> None:
    path = upload(tmp_path, save({"state_dict": with_prefix(network, "module.")}, legacy=True))
    taken = take(path, settings)
    assert os.listdir(settings.artefacts) == [taken.file_name] == [f"{taken.file_sha256}.safetensors"]
    kept = settings.artefacts / taken.file_name
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == taken.file_sha256
    assert hashlib.sha256(path.read_bytes()).hexdigest() == taken.source_sha256
    assert (taken.architecture, taken.normalization, taken.format) == ("small-cnn", "none", "legacy")
    loaded = load_network(kept, taken.architecture, taken.normalization, 10, 1, sha256=taken.file_sha256)
    images = torch.rand(4, 1, 28, 28)
    assert torch.equal(loaded(images), network(images))
    assert ImportedCheckpoint.model_validate_json(taken.model_dump_json()) == taken


def test_take_checkpoint_pickled_command_is_not_run(tmp_path: Path, settings: Settings) -> None:
    marker = tmp_path / "ran"
    with pytest.raises(UnsafeCheckpoint, match="system"):
        take(upload(tmp_path, save({"state_dict": {"w": torch.ones(1)}, "x": Evil(marker)})), settings)
    assert not marker.exists() and os.listdir(settings.artefacts) == []


def test_take_checkpoint_pickle_that_asks_for_gigabytes_is_stopped(tmp_path: Path, settings: Settings) -> None:
    # LONG_BINPUT with a huge index makes the unpickler reserve a table of that length.
    raw = replace_in_pickle(save({"w": torch.ones(1)}), b"}q\x00", b"}r\xff\xff\xff\x3f")
    with pytest.raises(TooLarge, match="more than 1024 MB of memory"):
        take(upload(tmp_path, raw), settings)


def test_take_checkpoint_over_the_upload_limit_is_not_opened(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(2 * 1024 * 1024)
    with pytest.raises(TooLarge, match="the limit is 1 MB"):
        take(path, settings.model_copy(update={"max_upload_mb": 1}))


def test_take_checkpoint_missing_file_is_not_found(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(NotFound):
        take(tmp_path / "gone", settings)


def test_web_side_modules_do_not_import_torch() -> None:
    registry = [f"backend.registry.{name}" for name in ("cards", "imported", "child")]
    datasets = [f"backend.datasets.{name}" for name in ("catalogue", "imported", "child", "readers", "samples")]
    modules = ["backend.sandbox", *registry, *datasets]
    code = f"import sys, {', '.join(modules)}; backend.registry.cards.read_cards(); print('torch' in sys.modules)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert child.stdout.strip() == "False"
