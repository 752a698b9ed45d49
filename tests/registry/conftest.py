"""Networks and settings that the registry's tests share."""

from pathlib import Path

import pytest
import torch
from torch import nn

from backend.settings import Settings
from models.architectures.builders import build_architecture


@pytest.fixture(autouse=True)
def _use_one_thread() -> None:
    torch.set_num_threads(1)


def build_network(architecture: str = "small-cnn", classes: int = 10, channels: int = 1) -> nn.Module:
    """A network with random weights and true batch statistics: with invented ones all units may be dead."""
    torch.manual_seed(0)
    network = build_architecture(architecture, classes, channels).train()
    side = 28 if architecture == "small-cnn" else 32
    with torch.no_grad():
        network(torch.rand(16, channels, side, side))
    return network.eval()


@pytest.fixture
def network() -> nn.Module:
    return build_network()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", import_memory_mb=1024, import_seconds=60)
