"""A kept file becomes a network that is ready for evaluation, or an error that says why not."""

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from backend.errors import MismatchedKeys, NotFound, RejectedCheckpoint, UnknownName, UnreadableCheckpoint
from backend.registry.networks import load_network
from models.architectures.layers import Normalized


@pytest.fixture
def kept(tmp_path: Path, network: nn.Module) -> Path:
    path = tmp_path / "kept.safetensors"
    save_file(network.state_dict(), path)
    return path


def load(path: Path, normalization: str = "none", sha256: str | None = None) -> nn.Module:
    return load_network(path, "small-cnn", normalization, 10, 1, sha256=sha256)


def test_load_network_is_ready_for_evaluation(kept: Path, network: nn.Module) -> None:
    loaded = load(kept, sha256=hashlib.sha256(kept.read_bytes()).hexdigest())
    images = torch.rand(4, 1, 28, 28)
    assert torch.equal(loaded(images), network(images))
    assert not any(module.training for module in loaded.modules())
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    assert all(parameter.dtype == torch.float32 for parameter in loaded.parameters())
    assert images.requires_grad_(True) is images and loaded(images).requires_grad


def test_load_network_draws_no_random_number(kept: Path) -> None:
    torch.manual_seed(3)
    wanted = torch.rand(1)
    torch.manual_seed(3)
    load(kept)
    assert torch.equal(torch.rand(1), wanted)


def test_load_network_preset_is_the_first_layer(kept: Path, network: nn.Module) -> None:
    loaded = load(kept, "fashion-mnist")
    images = torch.rand(4, 1, 28, 28)
    assert isinstance(loaded, Normalized)
    assert torch.equal(loaded(images), network((images - 0.2860) / 0.3530))


def test_load_network_half_precision_file_is_float32(tmp_path: Path, network: nn.Module) -> None:
    save_file({n: t.half() if t.is_floating_point() else t for n, t in network.state_dict().items()}, tmp_path / "half")
    assert load(tmp_path / "half")(torch.rand(1, 1, 28, 28)).dtype == torch.float32


def test_load_network_changed_file_is_refused(kept: Path) -> None:
    sha256 = hashlib.sha256(kept.read_bytes()).hexdigest()
    content = bytearray(kept.read_bytes())
    content[-1] ^= 1
    kept.write_bytes(bytes(content))
    with pytest.raises(UnreadableCheckpoint, match="has changed"):
        load(kept, sha256=sha256)


def test_load_network_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"gone\.safetensors is missing"):
        load(tmp_path / "gone.safetensors")


def test_load_network_damaged_file_is_unreadable(kept: Path) -> None:
    kept.write_bytes(kept.read_bytes()[:-10])
    with pytest.raises(UnreadableCheckpoint, match="damaged"):
        load(kept)


def test_load_network_missing_key_is_refused(tmp_path: Path, network: nn.Module) -> None:
    state = dict(network.state_dict())
    del state["conv2.weight"]
    save_file(state, tmp_path / "short")
    with pytest.raises(MismatchedKeys, match=r"1 missing \(conv2\.weight\)"):
        load(tmp_path / "short")


def test_load_network_unknown_names_are_refused(kept: Path) -> None:
    with pytest.raises(UnknownName, match="architecture 'nope'"):
        load_network(kept, "nope", "none", 10, 1)
    with pytest.raises(UnknownName, match="normalisation 'nope'"):
        load(kept, "nope")
    with pytest.raises(RejectedCheckpoint, match="for 3 channels"):
        load(kept, "cifar10")
