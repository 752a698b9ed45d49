"""One thread, and the shipped dense network with the first images of the shipped test slice."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from models.architectures.builders import build_architecture

REPOSITORY = Path(__file__).parents[2]

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def slice_images() -> tuple[Tensor, Tensor]:
    """The first 200 shipped images, float32 (200, 1, 28, 28) in [0, 1], and their labels."""
    with np.load(REPOSITORY / "backend/datasets/embedded/fashion_mnist_test.npz") as archive:
        images = torch.from_numpy(archive["x"][:200]).float()[:, None] / 255
        return images, torch.from_numpy(archive["y"][:200])


def load_dense() -> nn.Module:
    """The shipped dense network, PGD-trained at eps 0.1."""
    network = build_architecture("small-cnn", 10, 1)
    network.load_state_dict(load_file(REPOSITORY / "models/zoo/cnn-dense.safetensors"))
    return network.eval()


@pytest.fixture
def zoo_network() -> nn.Module:
    """The shipped dense network, a fresh one for each test."""
    return load_dense()
