"""Plain nn.Sequential files load with the user's list of layers, or ask for it; sizes are known before memory is."""

import json
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from backend.errors import AmbiguousCheckpoint, InvalidRequest, MismatchedKeys, TooLarge, UnreadableCheckpoint
from backend.registry.layer_lists import read_layer_list
from backend.registry.networks import load_network
from backend.registry.sequences import check_sizes, propose_layers
from models.architectures.sequential import build_sequential
from tests.registry.fabrication import save
from tests.registry.test_importing import draw_images, import_bytes, reload

DENSE = ["Flatten", {"type": "Linear", "in_features": 784, "out_features": 30}, "ReLU",
         {"type": "Linear", "in_features": 30, "out_features": 10}]  # fmt: skip
CONVOLUTIONAL = [
    {"type": "Conv2d", "in_channels": 1, "out_channels": 6, "kernel_size": 4, "stride": 2, "padding": 1, "bias": False},
    {"type": "BatchNorm2d", "num_features": 6},
    {"type": "LeakyReLU", "negative_slope": 0.2},
    {"type": "AvgPool2d", "kernel_size": 2},
    "Flatten",
    {"type": "Dropout", "p": 0.3},
    {"type": "Linear", "in_features": 294, "out_features": 10},
]


def draw_dense(first: int = 1, start: str = "") -> dict[str, Tensor]:
    """Weights of the dense list; its first linear layer is numbered `first`."""
    torch.manual_seed(0)
    sizes = {first: (30, 784), first + 2: (10, 30)}
    state: dict[str, Tensor] = OrderedDict()
    for number, shape in sizes.items():
        state[f"{start}{number}.weight"] = torch.randn(shape) * (torch.rand(shape) < 0.3)
        state[f"{start}{number}.bias"] = torch.randn(shape[0])
    return state


def classify_dense(state: dict[str, Tensor], images: Tensor) -> Tensor:
    (w1, b1), (w2, b2) = zip(*[iter(state.values())] * 2, strict=True)
    return (images.flatten(1) @ w1.T + b1).clamp(min=0) @ w2.T + b2


@pytest.mark.parametrize(("first", "start"), [(1, ""), (1, "module."), (0, ""), (0, "layers."), (1, "main.")], ids=str)
def test_import_dense_sequence_computes_its_formula(tmp_path: Path, first: int, start: str) -> None:
    state = draw_dense(first, start)
    imported = import_bytes(tmp_path, save({"state_dict": state}), architecture=json.dumps(DENSE))
    listed = read_layer_list(json.dumps(DENSE))
    assert imported["architecture"] == listed.name and imported["layer_list"] == json.loads(listed.text)
    assert [layer["name"] for layer in imported["layers"]] == ["1.weight", "3.weight"]
    assert any("to be outside" in words for words in imported["warnings"]) is (first == 0)
    images = draw_images()
    torch.testing.assert_close(reload(tmp_path, imported)(images), classify_dense(state, images), atol=1e-4, rtol=1e-5)


def test_import_convolutional_sequence_computes_its_formula(tmp_path: Path) -> None:
    torch.manual_seed(0)
    state = {
        "0.weight": torch.randn(6, 1, 4, 4),
        "1.weight": torch.rand(6), "1.bias": torch.randn(6),
        "1.running_mean": torch.randn(6), "1.running_var": torch.rand(6),
        "6.weight": torch.randn(10, 294), "6.bias": torch.randn(10),
    }  # fmt: skip
    imported = import_bytes(tmp_path, save(state, legacy=True), architecture=json.dumps(CONVOLUTIONAL))
    images = draw_images()
    windows = nn.functional.unfold(images, 4, padding=1, stride=2)
    features = (state["0.weight"].view(6, 16) @ windows).view(-1, 6, 14, 14)
    mean, variance, scale, shift = (
        state[f"1.{name}"].view(1, 6, 1, 1) for name in ("running_mean", "running_var", "weight", "bias")
    )
    features = (features - mean) / (variance + 1e-5).sqrt() * scale + shift
    features = torch.where(features > 0, features, 0.2 * features)
    features = features.reshape(-1, 6, 7, 2, 7, 2).mean(dim=(3, 5)).reshape(-1, 294)
    wanted = features @ state["6.weight"].T + state["6.bias"]
    torch.testing.assert_close(reload(tmp_path, imported)(images), wanted, atol=1e-3, rtol=1e-4)


def test_import_other_layers_between_equal_weights_are_another_network(tmp_path: Path) -> None:
    raw = save(draw_dense())
    imported = import_bytes(tmp_path, raw, architecture=json.dumps(DENSE))
    other = import_bytes(tmp_path, raw, architecture=json.dumps([*DENSE[:2], "Tanh", DENSE[3]]))
    assert imported["weights_sha256"] != other["weights_sha256"] and imported["architecture"] != other["architecture"]
    with pytest.raises(UnreadableCheckpoint, match="does not hold the layers"):
        load_network(tmp_path / "out.safetensors", imported["architecture"], "none", 10, 1)


@pytest.mark.parametrize("first", [0, 1], ids=["flattened-outside", "flattened-inside"])
def test_import_sequence_without_a_list_asks_and_proposes(tmp_path: Path, first: int) -> None:
    with pytest.raises(AmbiguousCheckpoint, match=r"plain nn\.Sequential.*JSON list") as asked:
        import_bytes(tmp_path, save(draw_dense(first)))
    assert asked.value.details["ask"] == "architecture"
    assert json.loads(asked.value.details["suggestion"]) == DENSE
    imported = import_bytes(tmp_path, save(draw_dense(first)), architecture=asked.value.details["suggestion"])
    assert imported["architecture"] == read_layer_list(json.dumps(DENSE)).name


def test_propose_layers_has_every_weight_of_the_file() -> None:
    shapes = {
        key: tuple(value.shape)
        for key, value in build_sequential(read_layer_list(json.dumps(CONVOLUTIONAL)).layers).state_dict().items()
    }
    assert propose_layers(shapes) == [
        {"type": "Conv2d", "in_channels": 1, "out_channels": 6, "kernel_size": 4, "bias": False},
        {"type": "BatchNorm2d", "num_features": 6},
        "ReLU", "ReLU", "ReLU", "Flatten",
        {"type": "Linear", "in_features": 294, "out_features": 10},
    ]  # fmt: skip


def test_import_sequence_with_keys_of_other_layers_is_refused_by_name(tmp_path: Path) -> None:
    forgot = [DENSE[0], DENSE[1], DENSE[3]]
    with pytest.raises(
        MismatchedKeys, match=r"does not fit sequential-\w+ .*2\.weight.*unexpected \(3\.weight"
    ) as wrong:
        import_bytes(tmp_path, save(draw_dense()), architecture=json.dumps(forgot))
    assert wrong.value.details["architecture"].startswith("sequential-")


@pytest.mark.parametrize(
    ("layers", "kind", "words"),
    [
        (DENSE[1:], InvalidRequest, r"layer 0 \(Linear\) cannot process the features \(1, 1, 28, 28\)"),
        (DENSE[:2], InvalidRequest, r"returns \(1, 30\) for one image; the data set has 10 classes"),
        (
            [{"type": "Conv2d", "in_channels": 1, "out_channels": 3, "kernel_size": 1, "groups": 2}],
            InvalidRequest,
            r"layer 0 \(Conv2d\): in_channels must be divisible",
        ),
        (
            [{"type": "Conv2d", "in_channels": 1, "out_channels": 65_536, "kernel_size": 1}, *DENSE],
            InvalidRequest,
            r"layer 0 \(Conv2d\) gives 51,380,224 numbers for one image; the limit is 2,097,152",
        ),
        (
            ["Flatten", {"type": "Linear", "in_features": 784, "out_features": 65_536},
             {"type": "Linear", "in_features": 65_536, "out_features": 65_536},
             {"type": "Linear", "in_features": 65_536, "out_features": 10}],
            TooLarge,
            "needs 4,347,133,962 parameters",
        ),
        (
            [{"type": "Conv2d", "in_channels": 1, "out_channels": 512, "kernel_size": 1},
             *[{"type": "Conv2d", "in_channels": 512, "out_channels": 512, "kernel_size": 5, "padding": 2}] * 5,
             "Flatten", {"type": "Linear", "in_features": 401_408 // 49, "out_features": 10}],
            InvalidRequest,
            "cannot process",
        ),
    ],
    ids=["flatten-missing", "classes", "groups", "activation", "parameters", "mismatch"],
)  # fmt: skip
def test_check_sizes_impossible_list_is_refused_without_memory(layers: list[Any], kind: type, words: str) -> None:
    with pytest.raises(kind, match=words):
        check_sizes(read_layer_list(json.dumps(layers)), (28, 28, 1), 10)


def test_check_sizes_slow_list_is_refused() -> None:
    wide = [{"type": "Conv2d", "in_channels": 256, "out_channels": 256, "kernel_size": 7, "padding": 3}] * 9
    first = {"type": "Conv2d", "in_channels": 1, "out_channels": 256, "kernel_size": 1}
    last = [
        {"type": "AdaptiveAvgPool2d", "output_size": 1},
        "Flatten",
        {"type": "Linear", "in_features": 256, "out_features": 10},
    ]
    with pytest.raises(TooLarge, match="multiplications per image"):
        check_sizes(read_layer_list(json.dumps([first, *wide, *last])), (28, 28, 1), 10)


def test_load_network_changed_list_in_the_file_is_refused(tmp_path: Path) -> None:
    imported = import_bytes(tmp_path, save(draw_dense()), architecture=json.dumps(DENSE))
    path = tmp_path / "out.safetensors"
    path.write_bytes(path.read_bytes().replace(b"ReLU", b"Tanh"))
    with pytest.raises(UnreadableCheckpoint, match="does not hold the layers"):
        load_network(path, imported["architecture"], "none", 10, 1)
