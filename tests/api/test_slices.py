"""Boundary slices and restored layers over REST, before a worker takes them."""

from starlette.testclient import TestClient

from backend.services import evidence
from tests.api.site import Site
from tests.api.test_errors import error_of


def test_post_slice_is_202_while_it_waits_and_200_once_it_has_ended(client: TestClient, site: Site) -> None:
    wanted = {"dense": site.dense_evaluation, "pruned": site.pruned_evaluation, "index": site.attacked, "points": 21}
    first = client.post("/api/v1/comparisons/slices", json=wanted)
    assert first.status_code == 202, first.text
    body = first.json()
    assert (body["kind"], body["record"]["slice"]) == ("slice", {"index": site.attacked, "points": 21})
    assert client.post("/api/v1/comparisons/slices", json=wanted).json()["id"] == body["id"]
    error_of(client.get(f"/api/v1/evidence/{body['id']}/slice"), 409, "conflict")
    evidence.cancel_evidence(body["id"])
    assert client.post("/api/v1/comparisons/slices", json=wanted).status_code == 200
    error_of(client.get(f"/api/v1/evidence/{site.evidence}/slice"), 404, "not_found")
    error_of(client.post("/api/v1/comparisons/slices", json=wanted | {"points": 2}), 422, "invalid_request")
    assert client.delete(f"/api/v1/evidence/{body['id']}").status_code == 204


def test_post_layers_waits_with_its_layers_and_lists_them_by_kind(client: TestClient, site: Site) -> None:
    wanted = {"dense": site.dense_evaluation, "pruned": site.pruned_evaluation}
    response = client.post("/api/v1/comparisons/layers", json=wanted)
    assert response.status_code == 202, response.text
    body = response.json()
    assert body["progress"] == {"done": 0, "total": 1, "unit": "layers", "stage": "waiting", "eta_seconds": None}
    shown = client.get(f"/api/v1/evidence/{body['id']}/layers").json()
    assert (shown["layers"], shown["names"], shown["lost"] > 0) == ([], ["conv1"], True)
    listed = client.get("/api/v1/evidence", params={"kind": "layers"}).json()["items"]
    assert [row["id"] for row in listed] == [body["id"]]
    error_of(client.get(f"/api/v1/evidence/{site.evidence}/layers"), 404, "not_found")
    evidence.cancel_evidence(body["id"])
    assert client.delete(f"/api/v1/evidence/{body['id']}").status_code == 204
