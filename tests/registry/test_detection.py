"""Architectures are told apart by keys and shapes, and what does not fit is named."""

import pytest
import torch
from torch import Tensor, nn

from backend.errors import MismatchedKeys, RejectedCheckpoint, UnknownArchitecture, UnknownName
from backend.registry.detection import build_empty, check_input_size, find_architecture, try_image
from models.architectures.builders import BUILDERS
from models.architectures.cnn import build_small_cnn
from models.architectures.rows import ARCHITECTURES, Architecture

CHANNELS = {"small-cnn": 1}


def find(state: dict[str, Tensor], architecture: str | None = None, classes: int = 10, channels: int = 1) -> str:
    return find_architecture(state, architecture=architecture, classes=classes, channels=channels)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_find_architecture_every_registered_one_is_told(name: str) -> None:
    channels = CHANNELS.get(name, 3)
    state = build_empty(name, 10, channels).state_dict()
    assert find(state, channels=channels) == name
    assert find(state, name, channels=channels) == name


def test_find_architecture_counters_may_be_missing_and_nothing_else(network: nn.Module) -> None:
    state = {name: tensor for name, tensor in network.state_dict().items() if "num_batches" not in name}
    assert find(state) == "small-cnn"
    del state["bn1.bias"]
    with pytest.raises(UnknownArchitecture, match=r"Nearest: small-cnn. Keys: 1 missing \(bn1\.bias\)"):
        find(state)


def test_find_architecture_wrong_keys_are_named_with_counts(network: nn.Module) -> None:
    state = network.state_dict()
    for name in ("conv1.weight", "bn1.bias"):
        del state[name]
    state |= {f"extra.{number}": torch.zeros(1) for number in range(20)}
    state["linear.weight"] = torch.zeros(10, 5)
    with pytest.raises(MismatchedKeys) as caught:
        find(state, "small-cnn")
    details = caught.value.details
    assert details["missing"] == ["conv1.weight", "bn1.bias"] and details["missing_count"] == 2
    assert details["unexpected"] == [f"extra.{number}" for number in range(8)] and details["unexpected_count"] == 20
    assert details["mis_shaped"] == [{"name": "linear.weight", "found": [10, 5], "expected": [10, 1792]}]
    for part in ("2 missing (conv1.weight, bn1.bias)", "20 unexpected", "linear.weight [10, 5] instead of [10, 1792]"):
        assert part in caught.value.message


def test_find_architecture_other_number_of_classes_names_the_last_layer(network: nn.Module) -> None:
    with pytest.raises(UnknownArchitecture, match=r"linear\.bias \[10\] instead of \[7\]") as caught:
        find(dict(network.state_dict()), classes=7)
    assert caught.value.details["architecture"] == "small-cnn"


def test_find_architecture_unknown_name_lists_what_exists(network: nn.Module) -> None:
    with pytest.raises(UnknownName, match="small-cnn"):
        find(dict(network.state_dict()), "resnet-9000")


def test_find_architecture_two_that_fit_are_both_named(network: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ARCHITECTURES, "twin", Architecture("twin", "Twin", "cnn", None))
    monkeypatch.setitem(BUILDERS, "twin", build_small_cnn)
    with pytest.raises(UnknownArchitecture, match="several architectures: small-cnn, twin"):
        find(dict(network.state_dict()))
    assert find(dict(network.state_dict()), "twin") == "twin"


def test_check_input_size_other_images_are_refused() -> None:
    check_input_size("small-cnn", (28, 28, 1))
    with pytest.raises(RejectedCheckpoint, match="28 x 28; those of the data set are 32 x 32"):
        check_input_size("small-cnn", (32, 32, 1))


def test_try_image_other_channels_or_classes_are_refused(network: nn.Module) -> None:
    try_image(network, "small-cnn", classes=10, shape=(28, 28, 1))
    with pytest.raises(RejectedCheckpoint, match="do not fit small-cnn"):
        try_image(network, "small-cnn", classes=10, shape=(28, 28, 3))
    with pytest.raises(RejectedCheckpoint, match=r"returns \(1, 10\)"):
        try_image(network, "small-cnn", classes=11, shape=(28, 28, 1))
