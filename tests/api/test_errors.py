"""One shape for every error, with a sentence and a request id."""

import json
import re
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from backend.api.body_limit import BodyLimit
from backend.api.errors import add_error_handlers, render
from backend.api.request_log import RequestLog
from backend.errors import ThinIceError, UnknownName, error_classes
from backend.settings import Settings


def error_of(response: Any, status: int, code: str) -> dict[str, Any]:
    """The error of a response, after checking everything that all errors share."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert set(body) == {"error"}
    error: dict[str, Any] = body["error"]
    assert set(error) == {"code", "message", "details", "request_id"}
    assert error["code"] == code
    assert error["message"].endswith((".", "...")), error["message"]
    assert error["request_id"] == response.headers["x-request-id"]
    return error


@pytest.mark.parametrize("code", sorted(error_classes()))
def test_render_each_class_of_the_tree_has_its_code_and_status(code: str) -> None:
    kind = error_classes()[code]
    error = UnknownName("preset", "x", ["b", "a"]) if kind is UnknownName else kind("It broke.", at=float("nan"))
    response = render(error)
    body = json.loads(bytes(response.body), parse_constant=pytest.fail)
    assert (response.status_code, body["error"]["code"]) == (kind.status, code)


def test_unknown_path_under_api_is_json_404_not_the_dashboard(client: TestClient) -> None:
    for path in ("/api", "/api/", "/api/v1", "/api/v1/nothing", "/api/v2/health", "/api/v1/health/"):
        error_of(client.get(path), 404, "not_found")
    error_of(client.post("/api/v1/nothing"), 404, "not_found")


def test_known_path_with_wrong_method_is_405_with_the_right_ones(client: TestClient) -> None:
    response = client.delete("/api/v1/datasets")
    error_of(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "GET, POST"
    error_of(client.get("/api/v1/uploads"), 405, "method_not_allowed")


def test_dashboard_still_works_next_to_the_api(client: TestClient) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert '<html lang="en"' in response.text


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "`checkpoint_id` is missing. `dataset_id` is missing. `samples` is missing."),
        ({"colour": "red"}, "`colour` is not a field of this request."),
        ({"seed": -1}, "`seed`: Input should be greater than or equal to 0; got -1."),
        ({"norm": "L7"}, "`norm`: Input should be 'Linf', 'L2' or 'L1'; got 'L7'."),
    ],
    ids=["missing", "extra", "range", "choice"],
)
def test_validation_says_in_a_sentence_what_is_wrong(client: TestClient, body: dict[str, Any], sentence: str) -> None:
    error = error_of(client.post("/api/v1/evaluations", json=body), 422, "invalid_request")
    assert sentence in error["message"]
    assert {problem["field"] for problem in error["details"]["problems"]} >= {"checkpoint_id"}


@pytest.mark.parametrize("raw", [b"{", b"", b"[1]", b"\xff\xfe"], ids=["cut", "empty", "list", "binary"])
def test_broken_body_is_refused_in_the_same_shape(client: TestClient, raw: bytes) -> None:
    response = client.post("/api/v1/evaluations", content=raw, headers={"content-type": "application/json"})
    assert response.status_code in {400, 422}
    error_of(response, response.status_code, "invalid_request")


def test_missing_row_is_404(client: TestClient) -> None:
    missing = "00000000-0000-7000-8000-000000000000"
    for noun in ("checkpoints", "evaluations", "datasets"):
        error_of(client.get(f"/api/v1/{noun}/{missing}"), 404, "not_found")


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "offset=-1", "limit=x", "offset=99999999999999999999"])
def test_list_page_out_of_range_is_refused(client: TestClient, query: str) -> None:
    error_of(client.get(f"/api/v1/checkpoints?{query}"), 422, "invalid_request")


def test_request_id_of_the_client_is_kept_when_it_is_harmless(client: TestClient) -> None:
    kept = client.get("/api/v1/nothing", headers={"X-Request-ID": "ci-42"})
    assert kept.json()["error"]["request_id"] == "ci-42"
    replaced = client.get("/api/v1/nothing", headers={"X-Request-ID": "x" * 65})
    assert re.fullmatch("[0-9a-f]{32}", replaced.json()["error"]["request_id"])


@pytest.fixture
def broken_app() -> TestClient:
    """An application whose only route fails in a way that nobody foresaw."""
    app = FastAPI()

    @app.get("/broken")
    def broken() -> None:
        raise ZeroDivisionError("a secret detail")

    @app.get("/ours")
    def ours() -> None:
        raise ThinIceError("Ours.", at=float("inf"), path={1, 2})

    @app.post("/read")
    def read(body: dict[str, int]) -> dict[str, int]:
        return body

    add_error_handlers(app)
    app.add_middleware(BodyLimit, settings=Settings())
    app.add_middleware(RequestLog)
    return TestClient(app)


def test_unexpected_error_is_500_without_internals_and_logged_with_its_id(
    broken_app: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    response = broken_app.get("/broken")
    error = error_of(response, 500, "internal")
    assert "secret" not in response.text
    assert error["request_id"] in error["message"]
    assert "a secret detail" in caplog.text


def test_details_that_json_cannot_carry_are_written_as_text(broken_app: TestClient) -> None:
    error = error_of(broken_app.get("/ours"), 500, "internal")
    assert error["details"] == {"at": "inf", "path": [1, 2]}


def test_large_body_is_413_declared_or_not(broken_app: TestClient) -> None:
    limit = 8 * 1024 * 1024
    declared = broken_app.post("/read", content=b" " * (limit + 1), headers={"content-type": "application/json"})
    error_of(declared, 413, "too_large")
    pieces = (b" " * 1024 * 1024 for _ in range(9))
    undeclared = broken_app.post("/read", content=pieces, headers={"content-type": "application/json"})
    error_of(undeclared, 413, "too_large")
