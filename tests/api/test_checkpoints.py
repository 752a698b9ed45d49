"""Uploading over REST: a real file through the real import, and every way to get it wrong."""

import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from starlette.testclient import TestClient

from backend.services import datasets as dataset_service
from backend.services import zoo
from backend.services.uploads import uploads_folder
from tests.api.site import Site
from tests.api.test_errors import error_of

ZOO_FILE = Path(zoo.__file__).parents[2] / "models" / "zoo" / "cnn-dense.safetensors"
FIELDS = {
    "id", "name", "role", "parent_id", "dataset_id", "source_sha256", "weights_sha256", "architecture", "method",
    "declared_sparsity", "measured_sparsity", "layers", "warnings", "preflight",
}  # fmt: skip
URL = "/api/v1/checkpoints"


@pytest.fixture(scope="package")
def fashion(site: Site) -> str:
    """The embedded data set, loaded as the bootstrap does it."""
    zoo.load_datasets()
    return str(dataset_service.get_dataset("fashion-mnist-test").id)


class Evil:
    """Creates a file when it is unpickled without care."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self.marker}'",)


def saved(content: Any) -> bytes:
    """The bytes that torch.save writes."""
    stream = io.BytesIO()
    torch.save(content, stream)
    return stream.getvalue()


def form(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "role": "dense", "dataset_id": "fashion-mnist-test"} | fields


def leftovers() -> list[Path]:
    return list(uploads_folder().iterdir())


def test_post_good_file_gives_201_with_every_field(client: TestClient, fashion: str) -> None:
    content = ZOO_FILE.read_bytes()
    given = form("uploaded", claimed_robust_accuracy="0.5", claimed_attack="PGD-10", claimed_n="100", evaluate="margin")
    response = client.post(URL, data=given, files={"file": ("../my model.safetensors", content)})
    assert response.status_code == 201, response.text
    body = response.json()
    assert set(body) >= FIELDS
    assert body["source_sha256"] == hashlib.sha256(content).hexdigest()
    assert (body["name"], body["role"], body["dataset_id"]) == ("uploaded", "dense", fashion)
    assert (body["architecture"], body["measured_sparsity"]) == ("small-cnn", 0.0)
    assert body["preflight"]["state"] == "queued"
    assert body["claim"]["robust_accuracy"] == 0.5
    assert [layer["name"] for layer in body["layers"]]
    assert client.get(f"{URL}/{body['id']}").json() == body
    queued = client.get("/api/v1/evaluations", params={"checkpoint_id": body["id"]}).json()
    assert [(item["preset"], item["state"]) for item in queued["items"]] == [("margin", "queued")]
    assert leftovers() == []


def test_post_claim_is_kept_at_its_own_norm_and_eps(client: TestClient, fashion: str) -> None:
    given = form("elsewhere", claimed_robust_accuracy="0.6", claimed_norm="L2", claimed_eps="0.50")
    with ZOO_FILE.open("rb") as file:
        response = client.post(URL, data=given, files={"file": ("a.safetensors", file)})
    assert response.status_code == 201, response.text
    claim = response.json()["claim"]
    assert (claim["robust_accuracy"], claim["norm"], claim["eps_text"]) == (0.6, "L2", "0.5")
    address = f"{URL}/{response.json()['id']}"
    changed = client.patch(address, json={"claimed_norm": "Linf", "claimed_eps": "4/255"}).json()["claim"]
    assert (changed["norm"], changed["eps_text"]) == ("Linf", "4/255")
    assert client.delete(address).status_code == 204


def test_put_then_post_takes_the_upload_once_and_delete_forgets_it(client: TestClient, fashion: str) -> None:
    content = ZOO_FILE.read_bytes()
    sent = client.put("/api/v1/uploads", params={"filename": "C:\\nets\\a.safetensors"}, content=content)
    assert sent.status_code == 201
    upload = sent.json()
    expected = ("a.safetensors", len(content), hashlib.sha256(content).hexdigest())
    assert (upload["filename"], upload["bytes"], upload["sha256"]) == expected
    refused = client.post(URL, files=as_parts(form("sent before", upload_id=upload["upload_id"], role="wrong")))
    error_of(refused, 422, "invalid_request")
    taken = client.post(URL, files=as_parts(form("sent before", upload_id=upload["upload_id"])))
    assert taken.status_code == 201, taken.text
    again = client.post(URL, files=as_parts(form("sent again", upload_id=upload["upload_id"])))
    error_of(again, 404, "not_found")
    assert leftovers() == []
    gone = client.delete(f"{URL}/{taken.json()['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    error_of(client.get(f"{URL}/{taken.json()['id']}"), 404, "not_found")


def as_parts(fields: dict[str, str]) -> dict[str, tuple[None, str]]:
    """Fields as a multipart form without a file."""
    return {name: (None, value) for name, value in fields.items()}


def test_post_malicious_file_is_refused_and_runs_nothing(client: TestClient, fashion: str, tmp_path: Path) -> None:
    marker = tmp_path / "it-ran"
    response = client.post(URL, data=form("evil"), files={"file": ("evil.pt", saved({"w": Evil(marker)}))})
    error = error_of(response, 422, "unsafe_checkpoint")
    assert len(error["message"]) > 40
    assert not marker.exists()
    assert leftovers() == []
    names = [item["name"] for item in client.get(URL, params={"limit": 200}).json()["items"]]
    assert "evil" not in names


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04broken"], ids=["empty", "zip"])
def test_post_damaged_file_is_refused_with_a_code(client: TestClient, fashion: str, content: bytes) -> None:
    response = client.post(URL, data=form("damaged"), files={"file": ("damaged.pt", content)})
    assert response.status_code == 422
    assert response.json()["error"]["code"] in {"unreadable_checkpoint", "unsafe_checkpoint", "rejected_checkpoint"}


@pytest.mark.parametrize(
    ("change", "mentions"),
    [
        ({"role": "thin"}, "`role`"),
        ({"name": ""}, "`name` is missing"),
        ({"declared_sparsity": "95"}, "`declared_sparsity`"),
        ({"declared_sparsity": "nan"}, "`declared_sparsity`"),
        ({"parent_id": "nobody"}, "`parent_id`"),
        ({"colour": "red"}, "`colour` is not a field"),
        ({"upload_id": "00000000-0000-4000-8000-000000000000"}, "either"),
        ({"claimed_robust_accuracy": "0.6", "claimed_norm": "L3"}, "`claimed_norm`"),
        ({"claimed_robust_accuracy": "0.6", "claimed_norm": "L2"}, "A claim in L2 needs an eps"),
        ({"claimed_robust_accuracy": "0.6", "claimed_eps": "8"}, "more than 1"),
    ],
    ids=str,
)
def test_post_wrong_field_is_refused_by_name(
    client: TestClient, fashion: str, change: dict[str, str], mentions: str
) -> None:
    response = client.post(URL, data=form("wrong") | change, files={"file": ("a.pt", b"x")})
    assert mentions in error_of(response, 422, "invalid_request")["message"]
    assert leftovers() == []


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"dataset_id": "no-such-set"}, 404, "not_found"),
        ({"parent_id": "00000000-0000-7000-8000-000000000000", "role": "pruned"}, 404, "not_found"),
        ({"evaluate": "no-such-preset"}, 422, "unknown_name"),
        ({"name": "dense-net"}, 409, "conflict"),
    ],
    ids=str,
)
def test_post_field_that_leads_nowhere_is_refused(
    client: TestClient, fashion: str, change: dict[str, str], status: int, code: str
) -> None:
    with ZOO_FILE.open("rb") as file:
        response = client.post(URL, data=form("nowhere") | change, files={"file": ("a.safetensors", file)})
    error_of(response, status, code)


def test_post_file_that_leaves_something_open_is_a_question_and_then_taken(client: TestClient, fashion: str) -> None:
    state = {"1.weight": torch.randn(10, 784), "1.bias": torch.zeros(10)}
    sent = client.put("/api/v1/uploads", params={"filename": "linear.pt"}, content=saved(state))
    fields = form("linear", upload_id=sent.json()["upload_id"])
    asked = error_of(client.post(URL, files=as_parts(fields)), 422, "ambiguous_checkpoint")
    assert asked["details"]["ask"] == "architecture"
    wrong = client.post(URL, files=as_parts(fields | {"architecture": '["Flatten", "Evil"]'}))
    assert error_of(wrong, 422, "invalid_request")["details"]["ask"] == "architecture"
    taken = client.post(URL, files=as_parts(fields | {"architecture": asked["details"]["suggestion"]}))
    assert taken.status_code == 201, taken.text
    body = taken.json()
    assert body["architecture"].startswith("sequential-")
    assert body["layer_list"] == ["Flatten", {"type": "Linear", "in_features": 784, "out_features": 10}]
    assert body["inspection"]["structure"]["kind"] == "dense"
    client.delete(f"{URL}/{body['id']}")


def test_post_without_a_form_or_a_file_is_refused(client: TestClient) -> None:
    error_of(client.post(URL, json=form("x")), 422, "invalid_request")
    error_of(client.post(URL, content=b"x", headers={"content-type": "multipart/form-data"}), 422, "invalid_request")
    error_of(client.post(URL, files=as_parts(form("x"))), 422, "invalid_request")
    error_of(client.post(URL, files=as_parts(form("x", upload_id="../../etc/passwd"))), 404, "not_found")


def test_post_file_beyond_the_limit_is_413_and_leaves_nothing(client: TestClient) -> None:
    large = b"\0" * (1024 * 1024 + 1)
    for response in (
        client.post(URL, data=form("large"), files={"file": ("large.pt", large)}),
        client.post(URL, data=form("large"), files={"file": ("large.pt", large * 3)}),
        client.put("/api/v1/uploads", content=large),
        client.put("/api/v1/uploads", content=(large for _ in range(3))),
    ):
        assert "THINICE_MAX_UPLOAD_MB" in error_of(response, 413, "too_large")["message"]
        assert leftovers() == []


def test_list_is_newest_first_and_paged(client: TestClient, site: Site) -> None:
    everything = client.get(URL, params={"limit": 200}).json()
    times = [item["created_at"] for item in everything["items"]]
    assert times == sorted(times, reverse=True)
    page = client.get(URL, params={"limit": 1, "offset": 1}).json()
    assert page == {"items": everything["items"][1:2], "total": everything["total"], "limit": 1, "offset": 1}


def test_patch_changes_what_may_change(client: TestClient, site: Site) -> None:
    changed = client.patch(f"{URL}/{site.pruned}", json={"method": "hydra"})
    assert (changed.status_code, changed.json()["method"]) == (200, "hydra")
    client.patch(f"{URL}/{site.pruned}", json={"method": "lwm"})
    error_of(client.patch(f"{URL}/{site.pruned}", json={"weights_sha256": "0"}), 422, "invalid_request")
    error_of(client.patch(f"{URL}/{site.pruned}", json={"declared_sparsity": 2}), 422, "invalid_request")


def test_delete_refuses_what_is_used(client: TestClient, site: Site) -> None:
    error_of(client.delete(f"{URL}/{site.dense}"), 409, "conflict")


def test_responses_hold_no_number_that_json_lacks(client: TestClient, site: Site) -> None:
    for path in (URL, "/api/v1/evaluations", f"/api/v1/evaluations/{site.dense_evaluation}/margins"):
        json.loads(client.get(path).content, parse_constant=pytest.fail)
