"""Evidence over REST: files that are no adversarials are refused at the door, the others wait for a worker."""

import io
import json
import pickle
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from backend.api.body_limit import API_LIMIT
from backend.services import evidence
from tests.api.site import SAMPLES, Site
from tests.api.test_errors import error_of
from tests.services.fabrication import SIDE

URL = "/api/v1/evaluations"
SHAPE = (1, SIDE, SIDE)


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def images(n: int) -> np.ndarray:
    return np.full((n, *SHAPE), 0.5, dtype=np.float32)


def post(client: TestClient, evaluation: str, content: bytes, **fields: Any) -> Any:
    form = {"source": "a rival", **fields}
    return client.post(f"{URL}/{evaluation}/evidence", data=form, files={"file": ("adversarials.npy", content)})


def test_post_upload_is_202_and_waits_with_its_source_and_rows(client: TestClient, site: Site) -> None:
    response = post(client, site.dense_evaluation, npy(images(3)), indices="[7, 3, 11]")
    assert response.status_code == 202, response.text
    body = response.json()
    assert (body["kind"], body["source"], body["state"], body["n"]) == ("upload", "a rival", "queued", 3)
    assert body["progress"] == {"done": 0, "total": 3, "unit": "samples", "stage": "waiting", "eta_seconds": None}
    listed = client.get(f"{URL}/{site.dense_evaluation}/evidence").json()
    assert listed["items"][0]["id"] == body["id"] and listed["total"] >= 2
    assert client.get(f"/api/v1/evidence/{body['id']}/attempts").json()["items"] == []
    assert client.post(f"/api/v1/evidence/{body['id']}/cancel").json()["state"] == "cancelled"
    error_of(client.post(f"/api/v1/evidence/{body['id']}/cancel"), 409, "conflict")
    assert client.post(f"/api/v1/evidence/{body['id']}/resume").json()["state"] == "queued"
    evidence.cancel_evidence(body["id"])


def test_post_upload_without_indices_is_for_every_row_of_the_evaluation(client: TestClient, site: Site) -> None:
    body = post(client, site.pruned_evaluation, npy(images(SAMPLES).astype(">f4"))).json()
    assert body["n"] == SAMPLES
    evidence.cancel_evidence(body["id"])
    few = post(client, site.pruned_evaluation, npy(images(2)))
    assert f"{SAMPLES} samples" in error_of(few, 422, "invalid_request")["message"]


SOUND = npy(images(2))


@pytest.mark.parametrize("content", [pickle.dumps(npy), SOUND[:-1]], ids=["pickle", "cut off"])
def test_post_upload_of_a_malformed_file_is_refused(client: TestClient, site: Site, content: bytes) -> None:
    error_of(post(client, site.dense_evaluation, content, indices="[1, 2]"), 422, "unreadable_adversarials")


@pytest.mark.parametrize(
    "indices",
    ["[1, 1]", "[1, 99999]", "[-1, 2]", "[1]", "[]", "1, 2", "[1.0, 2]", "[true, 2]", '{"1": 2}', "[" * 5000],
    ids=lambda text: text[:12],
)
def test_post_upload_for_wrong_rows_is_refused(client: TestClient, site: Site, indices: str) -> None:
    error_of(post(client, site.dense_evaluation, SOUND, indices=indices), 422, "invalid_request")


def test_post_upload_needs_a_source_a_succeeded_evaluation_and_room(client: TestClient, site: Site) -> None:
    error_of(post(client, site.dense_evaluation, SOUND, source=""), 422, "invalid_request")
    error_of(post(client, site.waiting, SOUND, indices="[1, 2]"), 409, "conflict")
    large = post(client, site.dense_evaluation, bytes(API_LIMIT + 1))
    assert "THINICE_MAX_UPLOAD_MB" in error_of(large, 413, "too_large")["message"]


def test_harder_is_refused_where_it_could_find_nothing(client: TestClient, site: Site) -> None:
    url = f"{URL}/{site.dense_evaluation}/attack-harder"
    rows = client.get(f"{URL}/{site.dense_evaluation}/margins").json()["items"]
    wrong = next(row["index"] for row in rows if not row["correct"])
    right = next(row["index"] for row in rows if row["correct"])
    good = {"samples": [right], "budget": 100}
    for change in ({"samples": [wrong]}, {"samples": [9999]}, {"samples": []}, {"budget": 0}, {"samples": [right] * 2}):
        error_of(client.post(url, json=good | change), 422, "invalid_request")
    error_of(client.post(url, json=good | {"preset": "nothing"}), 422, "unknown_name")
    body = client.post(url, json=good | {"budget_unit": "seconds"}).json()
    assert body["progress"]["unit"] == "seconds"
    evidence.cancel_evidence(body["id"])


def test_replay_queues_both_directions_and_refuses_itself(client: TestClient, site: Site) -> None:
    pair = {"dense": site.dense_evaluation, "pruned": site.pruned_evaluation}
    dense_on_pruned, pruned_on_dense = client.post("/api/v1/comparisons/replay", json=pair).json()
    assert (dense_on_pruned["evaluation_id"], dense_on_pruned["source_evaluation_id"]) == (
        site.pruned_evaluation,
        site.dense_evaluation,
    )
    assert (pruned_on_dense["evaluation_id"], pruned_on_dense["source"], pruned_on_dense["n"]) == (
        site.dense_evaluation,
        "pruned-net",
        1,
    )
    own = {"source_evaluation_id": site.dense_evaluation}
    error_of(client.post(f"{URL}/{site.dense_evaluation}/replay", json=own), 422, "invalid_request")
    for row in (dense_on_pruned, pruned_on_dense):
        evidence.cancel_evidence(row["id"])


def test_list_of_all_evidence_is_newest_first_paged_and_of_one_state(client: TestClient, site: Site) -> None:
    body = post(client, site.pruned_evaluation, npy(images(SAMPLES))).json()
    evidence.cancel_evidence(body["id"])
    whole = client.get("/api/v1/evidence").json()
    assert whole["items"][0]["id"] == body["id"]
    assert {row["evaluation_id"] for row in whole["items"]} == {site.dense_evaluation, site.pruned_evaluation}
    second = client.get("/api/v1/evidence", params={"limit": 1, "offset": 1}).json()
    assert (second["items"], second["total"]) == (whole["items"][1:2], whole["total"])
    by_state = {
        state: client.get("/api/v1/evidence", params={"state": state}).json()["items"]
        for state in ("queued", "cancelled")
    }
    assert site.evidence in [row["id"] for row in by_state["queued"]]
    assert body["id"] in [row["id"] for row in by_state["cancelled"]]
    assert {state: {row["state"] for row in rows} for state, rows in by_state.items()} == {
        state: {state} for state in by_state
    }
    error_of(client.get("/api/v1/evidence", params={"state": "lost"}), 422, "invalid_request")


def test_margins_carry_the_bound_and_how_far_a_verdict_is_from_flipping(client: TestClient, site: Site) -> None:
    eps = 25.5 / 255
    for row in client.get(f"{URL}/{site.dense_evaluation}/margins").json()["items"]:
        assert (row["best_known"], row["best_known_found"]) == (row["margin"], row["found"])
        assert (row["best_known_robust"], row["has_evidence"]) == (row["robust"], False)
        if row["robust"] and row["margin"] is not None:
            assert row["slack_to_flip"] == pytest.approx(1 - eps / row["margin"])
        else:
            assert row["slack_to_flip"] is None
    assert json.dumps(row)
