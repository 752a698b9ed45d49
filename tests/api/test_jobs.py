"""What REST can do with a job of any kind: follow it, cancel, resume and delete it, and the refusals in between."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from backend.schemas.evaluations import EvaluationIn
from backend.schemas.evidence import HarderIn
from backend.schemas.prunings import PruningIn
from backend.services import evaluations, evidence, prunings
from tests.api.conftest import ADDRESS
from tests.api.site import Site
from tests.api.test_errors import error_of
from tests.api.test_evaluations import read_events

NOWHERE = "00000000-0000-7000-8000-000000000000"
Ask = Callable[[Site], Any]


def ask_evaluation(site: Site) -> Any:
    return evaluations.queue_evaluation(EvaluationIn(checkpoint_id=site.dense, dataset_id="digits", samples=5))


def ask_evidence(site: Site) -> Any:
    return evidence.queue_harder(site.dense_evaluation, HarderIn(samples=[site.attacked], budget=100))


def ask_pruning(site: Site) -> Any:
    wish = {"training_dataset_id": "training", "method": "lwm", "sparsity": 0.9, "epochs": 2}
    return prunings.queue_pruning(PruningIn(parent_id=site.dense, **wish))


KINDS = pytest.mark.parametrize(
    ("noun", "ask"),
    [("evaluations", ask_evaluation), ("evidence", ask_evidence), ("prunings", ask_pruning)],
    ids=["evaluations", "evidence", "prunings"],
)


@KINDS
def test_job_is_cancelled_resumed_and_deleted(client: TestClient, site: Site, noun: str, ask: Ask) -> None:
    row = f"/api/v1/{noun}/{ask(site).id}"
    assert client.get(row).json()["progress"]["stage"] == "waiting"
    error_of(client.delete(row), 409, "conflict")
    error_of(client.post(f"{row}/resume"), 409, "conflict")
    cancelled = client.post(f"{row}/cancel").json()
    assert (cancelled["state"], cancelled["progress"]["stage"]) == ("cancelled", "cancelled")
    refused = error_of(client.post(f"{row}/cancel"), 409, "conflict")
    assert refused["details"] == {"state": "cancelled"}
    assert client.post(f"{row}/resume").json()["state"] == "queued"
    assert client.post(f"{row}/cancel").json()["state"] == "cancelled"
    gone = client.delete(row)
    assert (gone.status_code, gone.content) == (204, b"")
    error_of(client.get(row), 404, "not_found")


@KINDS
def test_events_of_a_job_tell_the_change_and_end(app: FastAPI, site: Site, noun: str, ask: Ask) -> None:
    client = TestClient(app, base_url=ADDRESS)
    row = f"/api/v1/{noun}/{ask(site).id}"
    response: list[str] = []
    reader = threading.Thread(target=lambda: response.append(client.get(f"{row}/events").text))
    reader.start()
    time.sleep(0.5)
    client.post(f"{row}/cancel")
    reader.join(timeout=10)
    events = read_events(response[0])
    assert [(name, body["state"]) for name, body in events] == [("progress", "queued"), ("done", "cancelled")]
    assert events[-1][1] == client.get(row).json()


@KINDS
@pytest.mark.parametrize(
    ("method", "action"), [("get", ""), ("get", "/events"), ("post", "/cancel"), ("post", "/resume"), ("delete", "")]
)
def test_job_of_no_id_is_404(client: TestClient, noun: str, ask: Ask, method: str, action: str) -> None:
    error_of(client.request(method, f"/api/v1/{noun}/{NOWHERE}{action}"), 404, "not_found")
