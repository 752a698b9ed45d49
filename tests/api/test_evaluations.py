"""Evaluations over REST: queue, stop, follow, and take every number out."""

import csv
import io
import json
import threading
import time
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow.parquet
import pytest
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient

from backend.schemas.records import RunRecord
from backend.services import evaluations
from backend.store.database import writing
from backend.store.tables import Evaluation
from tests.api.conftest import ADDRESS
from tests.api.site import SAMPLES, Site
from tests.api.test_errors import error_of
from tests.services.fabrication import SIDE

URL = "/api/v1/evaluations"


def request_for(site: Site, **fields: Any) -> dict[str, Any]:
    return {"checkpoint_id": site.dense, "dataset_id": "digits", "samples": 10} | fields


def test_post_is_202_and_queued_and_can_be_stopped_and_resumed(client: TestClient, site: Site) -> None:
    response = client.post(URL, json=request_for(site, eps="8/255", seed=7))
    assert response.status_code == 202, response.text
    body = response.json()
    assert (body["state"], body["eps_text"], body["n"], body["seed"]) == ("queued", "8/255", 10, 7)
    assert body["progress"] == {"done": 0, "total": 10, "stage": body["progress"]["stage"], "eta_seconds": None}
    assert client.post(f"{URL}/{body['id']}/cancel").json()["state"] == "cancelled"
    assert client.post(f"{URL}/{body['id']}/resume").json()["state"] == "queued"
    assert client.post(f"{URL}/{body['id']}/cancel").json()["state"] == "cancelled"


def test_record_before_the_run_holds_what_is_known_and_no_field_of_the_run(client: TestClient, site: Site) -> None:
    body = client.post(URL, json=request_for(site, norm="L2")).json()
    record = client.get(f"{URL}/{body['id']}").json()["record"]
    assert (record["version"], record["n"], record["norm"], record["eps"]) == (1, 10, "L2", None)
    assert not {"settings", "forwards", "prepared", "transfer", "device_note"} & set(record)
    client.post(f"{URL}/{body['id']}/cancel")


def test_openapi_shows_the_fields_of_a_record(client: TestClient) -> None:
    shapes = client.get("/api/openapi.json").json()["components"]["schemas"]
    assert shapes["EvaluationOut"]["properties"]["record"]["$ref"].endswith("/RunRecord")
    fields = shapes["RunRecord"]["properties"]
    assert set(fields) == set(RunRecord.model_fields)
    assert all(field["description"] for field in fields.values())
    assert fields["settings"]["anyOf"][0]["$ref"].endswith("/RunSettings")
    for name, shape in (("EvidenceOut", "EvidenceRecord"), ("PruningOut", "PruningRecord")):
        assert shapes[name]["properties"]["record"]["$ref"].endswith(f"/{shape}")


@pytest.mark.parametrize("eps", ["8/255", 8 / 255, "0.03137254901960784"], ids=str)
def test_post_eps_is_one_eps_however_it_is_written(client: TestClient, site: Site, eps: Any) -> None:
    body = client.post(URL, json=request_for(site, eps=eps)).json()
    assert (body["eps_text"], body["eps"]) == ("8/255", pytest.approx(8 / 255))
    client.post(f"{URL}/{body['id']}/cancel")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"eps": "0/255"}, "invalid_request"),
        ({"eps": "eight"}, "invalid_request"),
        ({"eps": -1}, "invalid_request"),
        ({"preset": "nothing"}, "unknown_name"),
        ({"samples": 0}, "invalid_request"),
        ({"samples": 10**400}, "invalid_request"),
        ({"samples": []}, "invalid_request"),
        ({"samples": [0, 99999]}, "invalid_request"),
        ({"samples": SAMPLES + 1}, "invalid_request"),
        ({"priority": 0}, "invalid_request"),
        ({"seed": 2**40}, "invalid_request"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_post_wrong_value_is_refused(client: TestClient, site: Site, fields: dict[str, Any], code: str) -> None:
    error_of(client.post(URL, json=request_for(site, **fields)), 422, code)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_post_number_that_is_none_is_refused(client: TestClient, site: Site, number: str) -> None:
    raw = json.dumps(request_for(site, eps="EPS")).replace('"EPS"', number)
    response = client.post(URL, content=raw, headers={"content-type": "application/json"})
    error_of(response, 422, "invalid_request")


def test_list_filters_by_checkpoint_and_state(client: TestClient, site: Site) -> None:
    found = client.get(URL, params={"checkpoint_id": site.pruned, "state": "succeeded"}).json()
    assert [item["id"] for item in found["items"]] == [site.pruned_evaluation]
    waiting = client.get(URL, params={"checkpoint_id": site.dense, "state": "queued"}).json()
    assert site.waiting in [item["id"] for item in waiting["items"]]
    error_of(client.get(URL, params={"state": "asleep"}), 422, "invalid_request")


def test_margins_are_the_same_in_every_format(client: TestClient, site: Site) -> None:
    url = f"{URL}/{site.dense_evaluation}/margins"
    rows = client.get(url).json()["items"]
    assert len(rows) == SAMPLES
    assert any(row["margin"] is None and not row["found"] for row in rows)
    table = client.get(url, params={"format": "csv"})
    assert table.headers["content-type"].startswith("text/csv")
    assert f'filename="margins-{site.dense_evaluation}.csv"' in table.headers["content-disposition"]
    written = list(csv.DictReader(io.StringIO(table.text)))
    binary = client.get(url, params={"format": "parquet"})
    columns = pyarrow.parquet.read_table(io.BytesIO(binary.content)).to_pydict()
    by_id = {row["sample_id"]: row["margin"] for row in rows}
    assert {row["sample_id"]: float(row["margin"]) if row["margin"] else None for row in written} == by_id
    assert dict(zip(columns["sample_id"], columns["margin"], strict=True)) == by_id
    page = client.get(url, params={"limit": 5, "offset": 58}).json()
    assert (len(page["items"]), page["total"]) == (2, SAMPLES)
    error_of(client.get(url, params={"limit": 100_001}), 422, "invalid_request")
    error_of(client.get(url, params={"format": "xlsx"}), 422, "invalid_request")


def test_adversarial_comes_as_numbers_and_as_pictures(client: TestClient, site: Site) -> None:
    base = f"{URL}/{site.dense_evaluation}/samples/{site.attacked}"
    exact = np.load(io.BytesIO(client.get(f"{base}/adversarial.npy").content))
    assert (exact.dtype, exact.shape) == (np.float32, (1, SIDE, SIDE))
    for name in ("adversarial", "perturbation"):
        picture = client.get(f"{base}/{name}.png", params={"scale": 2})
        assert Image.open(io.BytesIO(picture.content)).size == (2 * SIDE, 2 * SIDE)
        assert picture.headers["cache-control"] == "private, no-cache"
        known = {"If-None-Match": picture.headers["etag"]}
        assert client.get(f"{base}/{name}.png", params={"scale": 2}, headers=known).status_code == 304
    missing = (site.attacked + 1) % SAMPLES
    error_of(client.get(f"{URL}/{site.dense_evaluation}/samples/{missing}/adversarial.png"), 404, "not_found")


def test_log_is_text_with_times(client: TestClient, site: Site) -> None:
    response = client.get(f"{URL}/{site.dense_evaluation}/log")
    assert response.status_code == 200
    assert all(set(line) == {"at", "text"} for line in response.json())


def read_events(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Name and data of each server-sent event; keep-alive comments are left out."""
    blocks = [block.splitlines() for block in text.strip().split("\n\n")]
    fields = [dict(line.split(": ", 1) for line in block if not line.startswith(":")) for block in blocks]
    return [(block["event"], json.loads(block["data"])) for block in fields if block]


def test_events_of_a_finished_evaluation_are_done_at_once(client: TestClient, site: Site) -> None:
    response = client.get(f"{URL}/{site.dense_evaluation}/events")
    assert response.headers["content-type"].startswith("text/event-stream")
    found = client.get(f"{URL}/{site.dense_evaluation}").json()
    assert read_events(response.text) == [("done", found)]


def test_events_tell_the_change_and_end(app: FastAPI, site: Site) -> None:
    """The stream is read in a thread while the evaluation is cancelled here."""
    client = TestClient(app, base_url=ADDRESS)
    queued = client.post(URL, json=request_for(site)).json()
    response: list[str] = []
    reader = threading.Thread(target=lambda: response.append(client.get(f"{URL}/{queued['id']}/events").text))
    reader.start()
    time.sleep(0.5)
    evaluations.cancel_evaluation(queued["id"])
    reader.join(timeout=10)
    events = read_events(response[0])
    assert [(name, body["state"]) for name, body in events] == [("progress", "queued"), ("done", "cancelled")]


def test_events_end_when_the_evaluation_is_deleted(app: FastAPI, site: Site, caplog: pytest.LogCaptureFixture) -> None:
    client = TestClient(app, base_url=ADDRESS)
    queued = client.post(URL, json=request_for(site)).json()
    response: list[str] = []
    reader = threading.Thread(target=lambda: response.append(client.get(f"{URL}/{queued['id']}/events").text))
    reader.start()
    time.sleep(0.5)
    with writing() as session:
        session.delete(session.get_one(Evaluation, UUID(queued["id"])))
    reader.join(timeout=10)
    assert [(name, body["state"]) for name, body in read_events(response[0])] == [("progress", "queued")]
    assert "NotFound" not in caplog.text


def test_events_end_when_the_server_stops(app: FastAPI, site: Site) -> None:
    client = TestClient(app, base_url=ADDRESS)
    app.state.stopping.set()
    try:
        began = time.monotonic()
        events = read_events(client.get(f"{URL}/{site.waiting}/events").text)
    finally:
        app.state.stopping.clear()
    assert [name for name, _ in events] == ["progress"]
    assert time.monotonic() - began < 2


def test_events_of_nothing_are_404(client: TestClient) -> None:
    error_of(client.get(f"{URL}/00000000-0000-7000-8000-000000000000/events"), 404, "not_found")
