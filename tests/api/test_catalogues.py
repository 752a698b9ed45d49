"""The catalogues say what the code has."""

import json
from dataclasses import asdict

import pytest
from starlette.testclient import TestClient

from backend.attacks.catalogue import FLAGS, PRESETS
from backend.attacks.catalogue.attacks import ATTACKS
from backend.errors import InvalidRequest
from backend.registry.layer_lists import LAYERS, read_layer_list
from models.architectures.rows import ROWS


def test_architectures_are_those_of_the_models(client: TestClient) -> None:
    items = client.get("/api/v1/architectures").json()["items"]
    assert items == [asdict(row) | {"input_size": row.input_size and list(row.input_size)} for row in ROWS]


def test_architectures_come_with_the_layers_that_a_list_may_hold(client: TestClient) -> None:
    layers = {row["type"]: row["arguments"] for row in client.get("/api/v1/architectures").json()["layers"]}
    assert set(layers) == set(LAYERS) and layers["ReLU"] == []
    for kind, arguments in layers.items():
        needed = {row["name"]: row["low"] for row in arguments if row["required"]}
        read_layer_list(json.dumps([{"type": kind} | {name: int(low) for name, low in needed.items()}]))
        if needed:
            with pytest.raises(InvalidRequest, match="is missing"):
                read_layer_list(json.dumps([{"type": kind}]))


def test_attacks_and_presets_are_all_there(client: TestClient) -> None:
    body = client.get("/api/v1/attacks").json()
    assert [item["name"] for item in body["items"]] == list(ATTACKS)
    assert [item["name"] for item in body["presets"]] == list(PRESETS)
    assert body["total"] == len(ATTACKS)


def test_flags_come_with_their_help(client: TestClient) -> None:
    items = client.get("/api/v1/flags").json()["items"]
    assert [item["code"] for item in items] == list(FLAGS)
    assert all(item["raised_if"] and item["means"] and item["what_to_do"] for item in items)
