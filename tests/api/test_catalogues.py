"""The catalogues say what the code has."""

import json
import subprocess
import sys

from starlette.testclient import TestClient

from backend.attacks.catalogue import ATTACKS, FLAGS, PRESETS


def test_architectures_are_those_of_the_models(client: TestClient) -> None:
    """The real table imports torch, so it is read in a process of its own."""
    script = (
        "import json; from models.architectures import ARCHITECTURES as rows; "
        "print(json.dumps([[r.name, r.title, r.family, r.input_size] for r in rows.values()]))"
    )
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    items = client.get("/api/v1/architectures").json()["items"]
    assert [[item["name"], item["title"], item["family"], item["input_size"]] for item in items] == json.loads(output)


def test_attacks_and_presets_are_all_there(client: TestClient) -> None:
    body = client.get("/api/v1/attacks").json()
    assert [item["name"] for item in body["items"]] == list(ATTACKS)
    assert [item["name"] for item in body["presets"]] == list(PRESETS)
    assert body["total"] == len(ATTACKS)


def test_flags_come_with_their_help(client: TestClient) -> None:
    items = client.get("/api/v1/flags").json()["items"]
    assert [item["code"] for item in items] == list(FLAGS)
    assert all(item["raised_if"] and item["means"] and item["what_to_do"] for item in items)
