"""Every architecture builds and computes; names, shapes and counts are those of the released checkpoints."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.architectures.builders import build_architecture
from models.architectures.resnet import CIFAR_NAMES, BasicBlock, PreActivationBlock
from models.architectures.rows import ARCHITECTURES, Architecture, find_architecture
from models.architectures.wide_resnet import WideBlock, WideResNet

IDS = sorted(ARCHITECTURES)
PARAMETERS = {
    "small-cnn": 102_090,
    "resnet18": 11_173_962,
    "resnet18-torchvision": 11_173_962,
    "resnet20": 272_474,
    "resnet8": 78_042,
    "preact-resnet18": 11_171_146,
    "preact-resnet18-bn": 11_172_170,
    "vgg16-bn-hydra": 15_311_818,
    "vgg16-bn": 14_728_266,
    "vgg16-bn-bias-free": 14_724_042,
    "wrn-28-4": 5_849_050,
    "wrn-28-10": 36_479_194,
}


def choose_input(architecture: Architecture, batch: int = 2) -> tuple[int, Tensor]:
    """Give channels and random images of a size that the architecture takes."""
    channels = 1 if architecture.kind == "cnn" else 3
    height, width = architecture.input_size or (32, 32)
    return channels, torch.rand(batch, channels, height, width)


def fit_statistics(network: nn.Module, images: Tensor) -> None:
    """Set the running statistics to those of `images`; with fresh ones an untrained VGG gives one answer to all."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    network.train()
    network(images)
    network.eval()


@pytest.mark.parametrize("name", IDS)
def test_architecture_on_the_meta_device_has_the_known_parameters_and_logit_shape(name: str) -> None:
    with torch.device("meta"):
        channels, images = choose_input(ARCHITECTURES[name])
        network = build_architecture(name, 7, channels)
        assert network(images).shape == (2, 7)
        counted = build_architecture(name, 10, channels)
    assert sum(parameter.numel() for parameter in counted.parameters()) == PARAMETERS[name]
    assert all(parameter.is_meta for parameter in counted.parameters())


@pytest.mark.parametrize("name", [name for name in IDS if name != "wrn-28-10"])
def test_architecture_in_eval_mode_computes_each_image_by_itself(name: str) -> None:
    torch.manual_seed(0)
    channels, images = choose_input(ARCHITECTURES[name])
    network = build_architecture(name, 10, channels)
    with torch.no_grad():
        fit_statistics(network, images)
        together = network(images)
        alone = network(images[1:])
    assert torch.isfinite(together).all()
    assert not torch.allclose(together[0], together[1], atol=1e-6)
    torch.testing.assert_close(together[1:], alone, atol=1e-4, rtol=1e-4)


def test_architecture_with_unknown_name_lists_what_exists() -> None:
    with pytest.raises(ValueError, match=r"'lenet'.*resnet18, .*wrn-28-4"):
        find_architecture("lenet")


def test_architectures_are_listed_under_their_own_names() -> None:
    assert all(find_architecture(name).name == name for name in ARCHITECTURES)
    assert len(ARCHITECTURES) == len({architecture.title for architecture in ARCHITECTURES.values()})


def test_resnet18_has_21_prunable_tensors_with_11164352_weights() -> None:
    network = build_architecture("resnet18", 10, 3)
    prunable = {key: value for key, value in network.state_dict().items() if value.ndim >= 2}
    assert len(prunable) == 21
    assert sum(value.numel() for value in prunable.values()) == 11_164_352


def name_resnet18_layers(shortcut: str, linear: str) -> set[str]:
    """Write down the layers of ResNet18 from the paper's table."""
    layers = {"conv1", "bn1", linear}
    for group in (1, 2, 3, 4):
        for block in (0, 1):
            layers |= {f"layer{group}.{block}.{layer}" for layer in ("conv1", "bn1", "conv2", "bn2")}
        if group > 1:
            layers |= {f"layer{group}.0.{shortcut}.0", f"layer{group}.0.{shortcut}.1"}
    return layers


@pytest.mark.parametrize(
    ("name", "shortcut", "linear"),
    [("resnet18", "shortcut", "linear"), ("resnet18-torchvision", "downsample", "fc")],
    ids=["cifar", "torchvision"],
)
def test_resnet18_keys_are_those_of_its_naming(name: str, shortcut: str, linear: str) -> None:
    with torch.device("meta"):
        keys = build_architecture(name, 10, 3).state_dict()
    assert {key.rpartition(".")[0] for key in keys} == name_resnet18_layers(shortcut, linear)


def test_wide_resnet_keys_have_one_shortcut_per_group() -> None:
    with torch.device("meta"):
        keys = build_architecture("wrn-28-4", 10, 3).state_dict()
    expected = {"conv1", "bn1", "fc"}
    for group in (1, 2, 3):
        for block in range(4):
            expected |= {f"block{group}.layer.{block}.{layer}" for layer in ("bn1", "conv1", "bn2", "conv2")}
        expected.add(f"block{group}.layer.0.convShortcut")
    assert {key.rpartition(".")[0] for key in keys} == expected


def test_wide_resnet_with_impossible_depth_is_refused() -> None:
    with pytest.raises(ValueError, match="got 27"):
        WideResNet(27, 4)


@pytest.mark.parametrize(
    ("name", "has_bias", "linear_shapes"),
    [
        (
            "vgg16-bn-hydra",
            False,
            {"classifier.0": (256, 2048), "classifier.2": (256, 256), "classifier.4": (10, 256)},
        ),
        ("vgg16-bn", True, {"classifier": (10, 512)}),
        ("vgg16-bn-bias-free", False, {"classifier": (10, 512)}),
    ],
    ids=["hydra", "biased", "bias-free"],
)
def test_vgg_keys_are_those_of_its_variant(
    name: str, has_bias: bool, linear_shapes: dict[str, tuple[int, int]]
) -> None:
    with torch.device("meta"):
        state = build_architecture(name, 10, 3).state_dict()
    convolutions = [int(key.split(".")[1]) for key, value in state.items() if value.ndim == 4]
    assert convolutions == [0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40]
    assert all((f"features.{number}.bias" in state) is has_bias for number in convolutions)
    found = {
        key.removesuffix(".weight"): tuple(value.shape)
        for key, value in state.items()
        if key.startswith("classifier") and value.ndim == 2
    }
    assert found == linear_shapes


def standardise(features: Tensor, state: dict[str, Tensor], name: str) -> Tensor:
    """Apply batch normalisation in eval mode by its formula."""
    shape = (1, -1, 1, 1)
    mean, variance = state[f"{name}.running_mean"].view(shape), state[f"{name}.running_var"].view(shape)
    scaled = (features - mean) / torch.sqrt(variance + 1e-5)
    return scaled * state[f"{name}.weight"].view(shape) + state[f"{name}.bias"].view(shape)


def randomise_state(network: nn.Module) -> dict[str, Tensor]:
    """Fill weights and statistics with numbers that no two layers share, so that a swapped layer shows."""
    generator = torch.Generator().manual_seed(3)
    state = {
        key: torch.rand(value.shape, generator=generator) + 0.1 if value.is_floating_point() else value
        for key, value in network.state_dict().items()
    }
    state = {key: value - 0.6 if value.ndim == 4 else value for key, value in state.items()}
    network.load_state_dict(state)
    network.eval()
    return state


@pytest.mark.parametrize("stride", [1, 2], ids=["identity", "projection"])
def test_basic_block_equals_its_formula(stride: int) -> None:
    width_out = 4 * stride
    block = BasicBlock(4, width_out, stride, CIFAR_NAMES)
    state = randomise_state(block)
    x = torch.rand(2, 4, 6, 6)
    inner = functional.relu(standardise(functional.conv2d(x, state["conv1.weight"], None, stride, 1), state, "bn1"))
    inner = standardise(functional.conv2d(inner, state["conv2.weight"], None, 1, 1), state, "bn2")
    shortcut = x
    if stride == 2:
        projected = functional.conv2d(x, state["shortcut.0.weight"], None, stride)
        shortcut = standardise(projected, state, "shortcut.1")
    torch.testing.assert_close(block(x), functional.relu(inner + shortcut), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("stride", [1, 2], ids=["identity", "projection"])
@pytest.mark.parametrize(
    ("block_type", "shortcut_key"),
    [(PreActivationBlock, "shortcut.0.weight"), (WideBlock, "convShortcut.weight")],
    ids=["preact", "wide"],
)
def test_pre_activation_block_equals_its_formula(block_type: type, shortcut_key: str, stride: int) -> None:
    width_out = 4 * stride
    block = block_type(4, width_out, stride)
    state = randomise_state(block)
    x = torch.rand(2, 4, 6, 6) - 0.5
    activated = functional.relu(standardise(x, state, "bn1"))
    inner = functional.conv2d(activated, state["conv1.weight"], None, stride, 1)
    inner = functional.conv2d(functional.relu(standardise(inner, state, "bn2")), state["conv2.weight"], None, 1, 1)
    shortcut = functional.conv2d(activated, state[shortcut_key], None, stride) if stride == 2 else x
    torch.testing.assert_close(block(x), inner + shortcut, atol=1e-4, rtol=1e-4)
