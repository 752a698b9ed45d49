"""Responses on their way: what is compressed, and what a browser may keep."""

import gzip

import pytest
from starlette.testclient import TestClient

from backend.server import create_app
from backend.settings import Settings
from tests.api.site import Site

GZIP = {"Accept-Encoding": "gzip"}


@pytest.fixture
def client(site: Site) -> TestClient:
    return TestClient(create_app(Settings(allowed_hosts="testserver")))


def columns_of(site: Site) -> str:
    return f"/api/v1/comparisons/columns?dense={site.dense_evaluation}&pruned={site.pruned_evaluation}"


@pytest.mark.parametrize("path", ["/api/openapi.json", "/api/v1/flags", "/assets/base.css"])
def test_text_of_a_kilobyte_is_compressed_for_who_takes_it(client: TestClient, path: str) -> None:
    with client.stream("GET", path, headers=GZIP) as response:
        raw = b"".join(response.iter_raw())
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    assert response.headers["content-encoding"] == "gzip" and "Accept-Encoding" in response.headers["vary"]
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(raw) == plain.content and len(raw) < len(plain.content)


def test_small_responses_and_images_are_sent_as_they_are(client: TestClient, site: Site) -> None:
    for path in ("/api/v1/health", f"/api/v1/datasets/digits/samples/{site.attacked}.png?scale=8"):
        assert "content-encoding" not in client.get(path, headers=GZIP).headers, path


def test_event_streams_are_not_held_back(client: TestClient, site: Site) -> None:
    response = client.get(f"/api/v1/evaluations/{site.pruned_evaluation}/events", headers=GZIP)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert "content-encoding" not in response.headers


def test_assets_are_kept_under_an_address_that_names_their_content(client: TestClient) -> None:
    named = client.get("/assets/base.css?m=1.5")
    assert named.headers["cache-control"] == "private, max-age=31536000, immutable"
    for path in ("/assets/base.css", "/assets/missing.css?m=1.5", "/"):
        assert "immutable" not in client.get(path).headers.get("cache-control", ""), path


def test_columns_of_a_named_version_are_kept_and_others_are_asked_for_again(client: TestClient, site: Site) -> None:
    first = client.get(columns_of(site))
    version, tag = first.json()["version"], first.headers["etag"]
    assert "immutable" not in first.headers["cache-control"] and not tag.startswith("W/")
    named = client.get(f"{columns_of(site)}&version={version}")
    assert "immutable" in named.headers["cache-control"] and named.content == first.content
    assert "immutable" not in client.get(f"{columns_of(site)}&version=another").headers["cache-control"]
    assert client.get(columns_of(site), headers={"If-None-Match": tag}).status_code == 304
