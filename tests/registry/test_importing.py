"""What is imported computes what the uploaded file computes, and its numbers are right."""

import copy
from pathlib import Path
from typing import Any

import pyautoattack
import pytest
import torch
from safetensors.torch import load_file
from safetensors.torch import save as save_safetensors
from torch import Tensor, nn
from torch.nn.utils import prune

from backend.errors import RejectedCheckpoint, UnknownName
from backend.registry.importing import hash_state, import_checkpoint
from backend.registry.networks import load_network
from models.architectures.layers import Normalized, normalize
from models.architectures.normalizations import NORMALIZATIONS
from tests.registry.conftest import build_network
from tests.registry.fabrication import save, tag_cuda, with_prefix


def import_bytes(folder: Path, content: bytes, **changes: Any) -> dict[str, Any]:
    (folder / "upload").write_bytes(content)
    given = {"classes": 10, "shape": (28, 28, 1), "architecture": None, "normalization": None, "keep_rate": None}
    return import_checkpoint(str(folder / "upload"), str(folder / "out.safetensors"), **{**given, **changes})


def reload(folder: Path, imported: dict[str, Any]) -> nn.Module:
    return load_network(
        folder / "out.safetensors",
        imported["architecture"],
        imported["normalization"],
        imported["classes"],
        imported["channels"],
    )


def draw_images(channels: int = 1, side: int = 28) -> Tensor:
    return torch.rand(8, channels, side, side, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("kind", ["zip", "legacy", "cuda", "cuda-legacy", "safetensors", "wrapped"])
def test_import_checkpoint_round_trip_gives_the_same_logits(tmp_path: Path, network: nn.Module, kind: str) -> None:
    state = network.state_dict()
    raw = {
        "zip": lambda: save(state),
        "legacy": lambda: save(state, legacy=True),
        "cuda": lambda: tag_cuda(save(state)),
        "cuda-legacy": lambda: tag_cuda(save(state, legacy=True)),
        "safetensors": lambda: save_safetensors(dict(state)),
        "wrapped": lambda: save({"net": with_prefix(network, "module."), "acc": 0.5}),
    }[kind]()
    imported = import_bytes(tmp_path, raw)
    images = draw_images()
    assert imported["architecture"] == "small-cnn" and imported["warnings"] == []
    assert torch.equal(reload(tmp_path, imported)(images), network(images))
    assert imported["weights_sha256"] == hash_state(state)


def test_import_checkpoint_torch_prune_file_computes_the_same(tmp_path: Path, network: nn.Module) -> None:
    pruned = copy.deepcopy(network)
    for module in pruned.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            prune.random_unstructured(module, "weight", amount=0.75)
    imported = import_bytes(tmp_path, save(pruned.state_dict()))
    images = draw_images()
    assert torch.equal(reload(tmp_path, imported)(images), pruned(images))
    assert imported["measured_sparsity"] == pytest.approx(0.75, abs=1e-3)
    assert not torch.equal(pruned(images), network(images))


def test_import_checkpoint_counts_what_is_in_the_network(tmp_path: Path, network: nn.Module) -> None:
    with torch.no_grad():
        network.conv2.weight.view(-1)[:100] = 0
    imported = import_bytes(tmp_path, save(network.state_dict()))
    assert imported["parameters"] == 102_090
    layers = {layer["name"]: layer for layer in imported["layers"]}
    assert list(layers) == ["conv1.weight", "conv2.weight", "conv3.weight", "linear.weight"]
    assert layers["conv2.weight"] == {
        "name": "conv2.weight",
        "shape": [64, 32, 3, 3],
        "weights": 18_432,
        "zeros": 100,
        "sparsity": 100 / 18_432,
    }
    assert imported["prunable"] == 32 * 25 + 64 * 32 * 9 + 112 * 64 * 9 + 1792 * 10
    assert imported["measured_sparsity"] == 100 / imported["prunable"]


def test_import_checkpoint_missing_counters_give_the_same_network_and_hash(tmp_path: Path, network: nn.Module) -> None:
    state = {name: tensor for name, tensor in network.state_dict().items() if "num_batches" not in name}
    imported = import_bytes(tmp_path, save(state))
    assert imported["weights_sha256"] == hash_state(network.state_dict())
    assert torch.equal(reload(tmp_path, imported)(draw_images()), network(draw_images()))


def test_import_checkpoint_half_precision_is_kept_exactly(tmp_path: Path, network: nn.Module) -> None:
    half = {name: tensor.half() if "num" not in name else tensor for name, tensor in network.state_dict().items()}
    imported = import_bytes(tmp_path, save(half))
    kept = load_file(tmp_path / "out.safetensors")
    assert imported["warnings"] == []
    assert all(torch.equal(kept[name], half[name].to(kept[name].dtype)) for name in half)
    assert kept["conv1.weight"].dtype == torch.float32


def test_import_checkpoint_float64_is_rounded_and_said(tmp_path: Path, network: nn.Module) -> None:
    state = dict(network.state_dict())
    state["conv1.weight"] = state["conv1.weight"].double() + 1e-12
    assert "rounded 1 float64 tensor to" in import_bytes(tmp_path, save(state))["warnings"][0]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_import_checkpoint_non_finite_weights_are_refused_by_name(
    tmp_path: Path, network: nn.Module, value: float
) -> None:
    with torch.no_grad():
        network.conv3.weight[0, 0, 0, 0] = value
    with pytest.raises(RejectedCheckpoint, match=r"1 tensor holds NaN or infinite values: conv3\.weight"):
        import_bytes(tmp_path, save(network.state_dict()))
    assert not (tmp_path / "out.safetensors").exists()


def test_import_checkpoint_whole_numbers_as_weights_are_refused(tmp_path: Path, network: nn.Module) -> None:
    state = dict(network.state_dict()) | {"linear.bias": torch.ones(10, dtype=torch.int8)}
    with pytest.raises(RejectedCheckpoint, match=r"'linear\.bias' holds torch\.int8"):
        import_bytes(tmp_path, save(state))


def test_import_checkpoint_normalised_network_brings_its_preset(tmp_path: Path, network: nn.Module) -> None:
    whole = normalize(network, "fashion-mnist").eval()
    imported = import_bytes(tmp_path, save(whole.state_dict()))
    assert imported["normalization"] == "fashion-mnist"
    assert torch.equal(reload(tmp_path, imported)(draw_images()), whole(draw_images()))


def test_import_checkpoint_given_preset_is_used(tmp_path: Path, network: nn.Module) -> None:
    imported = import_bytes(tmp_path, save(network.state_dict()), normalization="fashion-mnist")
    preset = NORMALIZATIONS["fashion-mnist"]
    wanted = Normalized(network, preset.mean, preset.std).eval()
    assert torch.equal(reload(tmp_path, imported)(draw_images()), wanted(draw_images()))


@pytest.mark.parametrize(
    ("mean", "given", "error", "words"),
    [
        (0.7, "fashion-mnist", RejectedCheckpoint, r"0\.7/0\.353\), but 'fashion-mnist' was given"),
        (0.2860, "none", RejectedCheckpoint, r"fashion-mnist\), but 'none' was given"),
        (float("inf"), None, RejectedCheckpoint, "normalisation is not valid"),
        (None, "cifar10", RejectedCheckpoint, "is for 3 channels"),
        (None, "imagenet", UnknownName, "normalisation"),
    ],
)
def test_import_checkpoint_normalisation_that_cannot_be_is_refused(
    tmp_path: Path, network: nn.Module, mean: float | None, given: str | None, error: type[Exception], words: str
) -> None:
    state = dict(network.state_dict())
    if mean is not None:
        state |= {"mean": torch.tensor([mean]), "std": torch.tensor([0.3530])}
    with pytest.raises(error, match=words):
        import_bytes(tmp_path, save(state), normalization=given)


@pytest.mark.parametrize("size", [1, 3])
def test_import_checkpoint_normalisation_of_no_preset_is_kept(tmp_path: Path, size: int) -> None:
    network = build_network(channels=3)
    mean, std = torch.tensor([0.5071, 0.4865, 0.4409])[:size], torch.tensor([0.2673, 0.2564, 0.123456789])[:size]
    imported = import_bytes(tmp_path, save({**network.state_dict(), "mu": mean, "sigma": std}), shape=(28, 28, 3))
    images = draw_images(3)
    shape = (1, size, 1, 1)
    assert torch.equal(reload(tmp_path, imported)(images), network((images - mean.view(shape)) / std.view(shape)))
    assert "matches no known preset and was kept" in imported["warnings"][0]
    assert imported["normalization"].startswith("0.5071,") and len(imported["normalization"]) <= 80


def test_import_checkpoint_preset_with_more_digits_is_taken_and_said(tmp_path: Path, network: nn.Module) -> None:
    state = dict(network.state_dict()) | {"mean": torch.tensor([0.28604]), "std": torch.tensor([0.35302])}
    imported = import_bytes(tmp_path, save(state))
    assert imported["normalization"] == "fashion-mnist" and "was read as the preset" in imported["warnings"][0]


def test_import_checkpoint_images_of_another_size_are_refused(tmp_path: Path, network: nn.Module) -> None:
    with pytest.raises(RejectedCheckpoint, match="32 x 32"):
        import_bytes(tmp_path, save(network.state_dict()), shape=(32, 32, 1))


def test_import_checkpoint_same_weights_give_the_same_file(tmp_path: Path, network: nn.Module) -> None:
    written = []
    for raw in (save(network.state_dict()), save({"net": with_prefix(network, "module.")}, legacy=True)):
        import_bytes(tmp_path, raw)
        written.append((tmp_path / "out.safetensors").read_bytes())
    assert written[0] == written[1]


def test_import_checkpoint_real_resnet18_is_told_and_loaded(tmp_path: Path) -> None:
    # An adversarially trained CIFAR-10 network of 2020: legacy format, saved on a GPU.
    source = Path(pyautoattack.__file__).parent / "examples" / "model_test.pt"
    out = tmp_path / "out.safetensors"
    imported = import_checkpoint(str(source), str(out), 10, (32, 32, 3), None, None, None)
    assert (imported["architecture"], imported["format"]) == ("resnet18", "legacy")
    assert (imported["parameters"], imported["prunable"], len(imported["layers"])) == (11_173_962, 11_164_352, 21)
    original = torch.load(source, map_location="cpu", weights_only=True)
    wanted = build_network("resnet18", channels=3)
    wanted.load_state_dict(original, strict=True)
    images = draw_images(3, 32)[:2]
    assert torch.equal(reload(tmp_path, imported)(images), wanted.eval()(images))


def test_hash_state_depends_on_names_shapes_and_values_but_not_on_order_or_minus_zero() -> None:
    state = {"a": torch.tensor([0.0, 1.0]), "b": torch.ones(2, 2)}
    wanted = hash_state(state)
    assert hash_state(dict(reversed(state.items()))) == wanted
    assert hash_state(state | {"a": torch.tensor([-0.0, 1.0])}) == wanted
    assert hash_state(state | {"bn.num_batches_tracked": torch.tensor(5)}) == wanted
    for other in (
        {"c": state["a"], "b": state["b"]},
        state | {"b": torch.ones(4)},
        state | {"a": torch.tensor([0.0, 1.0000001])},
        state | {"a": state["a"].half()},
    ):
        assert hash_state(other) != wanted
