"""Declared against measured sparsity by layer: who declares one rate for all, and which layers are off from it."""

from typing import Any

import pytest
from safetensors.numpy import load_file

from backend.jobs.registration.lineage import describe_oddities, find_uneven_layers
from backend.registry.cards import Card, find_zoo, read_cards
from backend.schemas.checkpoints import LayerOut
from backend.store.tables import Checkpoint

SIZES = {"conv1.weight": 72, "conv2.weight": 1_000, "conv3.weight": 10_000, "linear.weight": 500}
EVEN = {name: round(0.9 * size) for name, size in SIZES.items()}
ONE_OFF = {**EVEN, "linear.weight": 350}


def make_row(zeros: dict[str, int], **fields: Any) -> Checkpoint:
    """A pruned checkpoint whose layers have that many zeros, declared at 90 %."""
    layers = [
        {"name": name, "shape": [size, 1], "weights": size, "zeros": count, "sparsity": count / size}
        for name, count in zeros.items()
        for size in (SIZES[name],)
    ]
    measured = sum(zeros.values()) / sum(SIZES[name] for name in zeros)
    values = {"name": "net", "role": "pruned", "method": "hydra", "declared_sparsity": 0.9, "structure": None}
    return Checkpoint(layers=layers, measured_sparsity=measured, inspection=None, **(values | fields))


def name_uneven(*arguments: Any, **fields: Any) -> list[str]:
    return [layer.name for layer in find_uneven_layers(make_row(*arguments, **fields))]


@pytest.mark.parametrize("method", ["hydra", "HYDRA", "r-admm", "lwm"])
def test_describe_oddities_layer_off_while_the_whole_is_right_is_named(method: str) -> None:
    assert describe_oddities(make_row(EVEN, method=method), make_row(EVEN), []) == []
    row = make_row(ONE_OFF, method=method)
    assert abs(row.measured_sparsity - 0.9) < 0.01
    sentence = f"{method} prunes each layer to the declared 90.00%; these differ: linear.weight 70.00%."
    assert describe_oddities(row, make_row(EVEN), []) == [sentence]


@pytest.mark.parametrize(
    "fields",
    [
        {"method": "harp"},
        {"method": "global-lwm"},
        {"method": None},
        {"structure": {"kind": "filter", "rate": 0.5}},
        {"declared_sparsity": None},
        {"role": "dense"},
    ],
    ids=lambda fields: "-".join(map(str, fields.values())),
)
def test_find_uneven_layers_methods_without_one_rate_for_all_promise_nothing(fields: dict[str, Any]) -> None:
    assert name_uneven(ONE_OFF, **fields) == []


def test_find_uneven_layers_lwm_over_all_layers_together_is_no_layerwise_one() -> None:
    together = {"conv1.weight": 20, "conv2.weight": 700, "conv3.weight": 9_250, "linear.weight": 445}
    assert name_uneven(together, method="lwm") == []
    assert name_uneven(together, method="hydra") == ["conv1.weight", "conv2.weight", "conv3.weight"]


def test_find_uneven_layers_a_weight_more_or_less_is_no_oddity_of_a_small_layer() -> None:
    for zeros, expected in ((63, ["conv1.weight"]), (64, []), (65, []), (66, ["conv1.weight"])):
        assert name_uneven({**EVEN, "conv1.weight": zeros}) == expected, zeros


def test_describe_oddities_many_layers_off_are_counted() -> None:
    sentences = describe_oddities(make_row(dict.fromkeys(SIZES, 0)), make_row(EVEN), [])
    assert sentences[1].endswith("conv1.weight 0.00%, conv2.weight 0.00%, conv3.weight 0.00% and 1 more.")


@pytest.mark.parametrize(
    "card", [card for card in read_cards(find_zoo()) if card.role == "pruned"], ids=lambda c: c.name
)
def test_find_uneven_layers_shipped_networks_have_none(card: Card) -> None:
    tensors = {name: tensor for name, tensor in load_file(card.path).items() if tensor.ndim > 1}
    layers = [
        LayerOut(
            name=name,
            shape=list(tensor.shape),
            weights=tensor.size,
            zeros=int((tensor == 0).sum()),
            sparsity=float((tensor == 0).mean()),
        )
        for name, tensor in tensors.items()
    ]
    fields = {name: getattr(card, name) for name in ("role", "method", "declared_sparsity")}
    structure = None if card.structure is None else card.structure.model_dump()
    assert len(layers) > 2
    row = Checkpoint(layers=[layer.model_dump() for layer in layers], structure=structure, inspection=None, **fields)
    assert find_uneven_layers(row) == []
