"""Prunings over REST: the catalogue, what is taken, what is refused with which code, and a stream that ends."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from backend.services import prunings
from tests.api.site import Site
from tests.api.test_errors import error_of

URL = "/api/v1/prunings"


def post(client: TestClient, site: Site, **fields: Any) -> Any:
    wish = {"parent_id": site.dense, "training_dataset_id": "training", "method": "lwm", "sparsity": 0.9}
    return client.post(URL, json=wish | fields)


def test_post_pruning_is_202_and_is_cancelled_resumed_and_forgotten(client: TestClient, site: Site) -> None:
    response = post(client, site, epochs=2, name="asked-over-rest")
    assert response.status_code == 202, response.text
    row = f"{URL}/{response.json()['id']}"
    assert client.get(row).json() == response.json() == client.get(URL).json()["items"][0]
    error_of(client.delete(row), 409, "conflict")
    assert client.post(f"{row}/cancel").json()["state"] == "cancelled"
    assert client.post(f"{row}/resume").json()["state"] == "queued"
    assert client.post(f"{row}/cancel").json()["state"] == "cancelled"
    events = client.get(f"{row}/events").text
    assert events.startswith("event: done") and '"cancelled"' in events
    assert client.delete(row).status_code == 204
    error_of(client.get(row), 404, "not_found")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"training_dataset_id": "digits"}, "trains_on_test"),
        ({"method": "snip"}, "unknown_name"),
        ({"sparsity": 1.5}, "invalid_request"),
        ({"granularity": "row"}, "invalid_request"),
        ({"epochs": 100_000}, "invalid_request"),
        ({"method": "hydra", "granularity": "filter"}, "invalid_request"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else value,
)
def test_post_pruning_that_cannot_be_run_is_422(
    client: TestClient, site: Site, fields: dict[str, Any], code: str
) -> None:
    before = prunings.list_prunings().total
    error_of(post(client, site, **fields), 422, code)
    assert prunings.list_prunings().total == before


def test_estimate_counts_without_queueing(client: TestClient, site: Site) -> None:
    wish = {"parent_id": site.dense, "training_dataset_id": "training", "method": "lwm", "sparsity": 0.9}
    before = prunings.list_prunings().total
    cost = client.post(f"{URL}/estimate", json=wish).json()
    assert cost["total"] == cost["forward"] + cost["backward"] == 4 * 54 * 12
    assert prunings.list_prunings().total == before


def test_methods_list_what_they_prune(client: TestClient) -> None:
    items = {row["name"]: row for row in client.get("/api/v1/pruning-methods").json()["items"]}
    assert items["harp"]["granularities"] == ["weight", "channel"]
    assert items["thin-ice"]["losses"] == ["PGD-AT"]
