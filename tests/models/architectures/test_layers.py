"""Normalisation inside the network: the formula, the presets, and what is refused."""

import pytest
import torch
from torch import nn

from models.architectures.layers import Normalized, normalize
from models.architectures.normalizations import NORMALIZATIONS, find_normalization, spell_normalization


def test_normalized_image_equals_hand_computed_pixels() -> None:
    network = Normalized(nn.Identity(), (0.5, 0.25), (0.5, 0.125))
    images = torch.tensor([[[[1.0]], [[0.5]]]])
    assert network(images).flatten().tolist() == [1.0, 2.0]


def test_normalized_state_carries_mean_and_std_next_to_the_network() -> None:
    network = Normalized(nn.Conv2d(1, 2, 3), (0.5,), (0.25,))
    assert set(network.state_dict()) == {"mean", "std", "network.weight", "network.bias"}


def test_normalized_with_other_channels_than_the_images_is_refused() -> None:
    network = Normalized(nn.Identity(), (0.5,), (0.5,))
    with pytest.raises(ValueError, match="1 channels; the images have 3"):
        network(torch.rand(1, 3, 4, 4))


@pytest.mark.parametrize(
    ("mean", "std"), [((0.5,), (0.5, 0.5)), ((), ()), ((0.5,), (0.0,))], ids=["lengths", "empty", "zero-std"]
)
def test_normalized_with_impossible_values_is_refused(mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="std"):
        Normalized(nn.Identity(), mean, std)


def test_normalize_none_gives_the_network_itself() -> None:
    network = nn.Identity()
    assert normalize(network, "none") is network


@pytest.mark.parametrize(
    ("name", "std"),
    [
        ("cifar10-mad", (0.2023, 0.1994, 0.2010)),
        ("cifar10-flyingbird", (0.2470, 0.2435, 0.2616)),
        ("cifar10", (0.2471, 0.2435, 0.2616)),
    ],
    ids=["mad", "flyingbird", "pixels"],
)
def test_normalize_cifar10_preset_divides_by_its_deviations(name: str, std: tuple[float, ...]) -> None:
    white = normalize(nn.Identity(), name)(torch.ones(1, 3, 1, 1)).flatten()
    expected = [(1 - mean) / deviation for mean, deviation in zip((0.4914, 0.4822, 0.4465), std, strict=True)]
    torch.testing.assert_close(white, torch.tensor(expected))


def test_normalization_with_unknown_name_lists_what_exists() -> None:
    with pytest.raises(ValueError, match=r"'imagenet'.*none, fashion-mnist"):
        find_normalization("imagenet")
    assert all(find_normalization(name).name == name for name in NORMALIZATIONS)


def test_spelled_normalization_reads_back_to_the_same_numbers() -> None:
    mean, std = torch.tensor([0.1, 1 / 3, 0.123456789]), torch.tensor([1e-7, 2.5, 0.7])
    preset = find_normalization(spell_normalization(mean.tolist(), std.tolist()))
    assert torch.equal(torch.tensor(preset.mean), mean) and torch.equal(torch.tensor(preset.std), std)


@pytest.mark.parametrize("name", ["0.5/0", "0.5/-1", "0.5,0.5/1", "nan/1", "0.5/inf", "0.5", "0.5/0.5/0.5", "a/b", "/"])
def test_find_normalization_text_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"no(t a)? normalisation"):
        find_normalization(name)
