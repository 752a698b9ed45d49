"""The kind of zeros is told for each layer and for the whole."""

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.registry.structure import describe_layer, find_pattern, summarise

SHAPE = (16, 32, 3, 3)


def draw(shape: tuple[int, ...] = SHAPE) -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def prune(kind: str, shape: tuple[int, ...] = SHAPE) -> NDArray[np.float32]:
    weight, generator = draw(shape), np.random.default_rng(1)
    if kind == "weight":
        weight[generator.random(shape) < 0.7] = 0
    elif kind == "filter":
        weight[::4] = 0
    elif kind == "channel":
        weight[:, :8] = 0
    elif ":" in kind:
        kept, size = (int(part) for part in kind.split(":"))
        grouped = np.moveaxis(weight, 1, -1).reshape(-1, size)  # a copy where the channels are not last
        places = np.argsort(generator.random(grouped.shape), axis=1)[:, kept:]
        np.put_along_axis(grouped, places, 0, axis=1)
        weight = np.moveaxis(grouped.reshape(np.moveaxis(weight, 1, -1).shape), -1, 1)
    return weight


@pytest.mark.parametrize("shape", [SHAPE, (16, 32)], ids=["convolution", "linear"])
@pytest.mark.parametrize(
    ("kind", "wanted", "filters", "channels"),
    [
        ("dense", "dense", 0, 0),
        ("weight", "weight", 0, 0),
        ("filter", "filter", 4, 0),
        ("channel", "channel", 0, 8),
        ("2:4", "n:m", 0, 0),
        ("1:2", "n:m", 0, 0),
        ("3:8", "n:m", 0, 0),
    ],
)
def test_describe_layer_kind_of_zeros_is_told(
    kind: str, wanted: str, filters: int, channels: int, shape: tuple[int, ...]
) -> None:
    weight = prune(kind, shape)
    layer = describe_layer("a.weight", weight)
    assert (layer.kind, layer.zero_filters, layer.zero_channels) == (wanted, filters, channels)
    assert layer.pattern == (kind if wanted == "n:m" else None)
    assert layer.zeros == int((weight == 0).sum()) and layer.weights == weight.size


def test_describe_layer_filters_and_channels_together_count_their_crossing_once() -> None:
    weight = draw()
    weight[:4] = 0
    weight[:, :4] = 0
    assert describe_layer("a", weight).kind == "filter"
    weight[10:, 20:, 1, 1] = 0
    assert describe_layer("a", weight).kind == "weight"


def test_describe_layer_empty_filters_of_heavy_pruning_are_counted_though_it_is_by_weight() -> None:
    weight = draw()
    weight[np.random.default_rng(2).random(SHAPE) < 0.9] = 0
    weight[3] = 0
    layer = describe_layer("a", weight)
    assert (layer.kind, layer.zero_filters) == ("weight", 1)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75, 0.9, 0.99, 0.999])
def test_find_pattern_random_zeros_have_none(share: float) -> None:
    zero = np.random.default_rng(3).random((64, 64, 3, 3)) < share
    assert find_pattern(zero) is None


def test_summarise_names_what_nearly_all_zeros_are() -> None:
    layers = [describe_layer("a", draw()), describe_layer("b", prune("filter")), describe_layer("c", prune("filter"))]
    assert (summarise(layers).kind, summarise(layers).zero_filters, summarise(layers).filters) == ("filter", 8, 48)
    assert summarise(layers[:1]).kind == "dense" and summarise([]).kind == "dense"
    assert summarise([*layers, describe_layer("d", prune("weight"))]).kind == "mixed"
    found = summarise([describe_layer("a", prune("2:4")), describe_layer("b", prune("2:4", (16, 32)))])
    assert (found.kind, found.pattern) == ("n:m", "2:4")
    assert summarise([describe_layer("a", prune("2:4")), describe_layer("b", prune("1:2"))]).kind == "mixed"
