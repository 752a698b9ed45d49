"""Who gets in: this machine on an open server, the token, a session; never another site's page."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from backend.api import login
from backend.api.guard import host_name
from backend.server import create_app
from backend.settings import Settings
from tests.api.conftest import ADDRESS
from tests.api.site import Site
from tests.api.test_errors import error_of

TOKEN = "correct-horse-battery"
HEALTH = "/api/v1/health"
Open = Callable[..., TestClient]


@pytest.fixture(scope="package")
def apps(site: Site) -> dict[tuple[tuple[str, str], ...], FastAPI]:
    """Applications by their settings; building a dashboard takes half a second."""
    return {}


@pytest.fixture
def open_client(apps: dict[Any, FastAPI]) -> Open:
    """A client of an application with these settings."""

    def open_one(address: str = ADDRESS, caller: str = "127.0.0.1", **settings: str) -> TestClient:
        key = tuple(sorted(settings.items()))
        if key not in apps:
            apps[key] = create_app(Settings(**settings))
        return TestClient(apps[key], base_url=address, client=(caller, 50000), follow_redirects=False)

    return open_one


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000", "http://LOCALHOST"]
)
def test_open_server_serves_this_machine(open_client: Open, address: str) -> None:
    assert open_client(address).get(HEALTH).json()["open_access"] is True


@pytest.mark.parametrize(
    "address", ["http://evil.example", "http://evil.example:8000", "http://127.0.0.1.evil.example"]
)
def test_other_host_name_is_refused(open_client: Open, address: str) -> None:
    error = error_of(open_client(address).get(HEALTH), 403, "forbidden_origin")
    assert "THINICE_ALLOWED_HOSTS" in error["message"]


def test_allowed_host_name_is_accepted(open_client: Open) -> None:
    client = open_client("http://ice.example:8000", allowed_hosts="other.example, Ice.example")
    assert client.get(HEALTH).status_code == 200


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Real-IP"]
)
def test_open_server_behind_a_proxy_refuses_and_says_how(open_client: Open, header: str) -> None:
    for path in (HEALTH, "/", "/assets/x.css", "/_dash-layout"):
        error = error_of(open_client().get(path, headers={header: "1.2.3.4"}), 401, "access_denied")
        assert "THINICE_TOKEN" in error["message"]


def test_open_server_refuses_other_machines(open_client: Open) -> None:
    error_of(open_client(caller="192.168.1.9").get(HEALTH), 401, "access_denied")


def test_server_on_all_addresses_without_a_token_refuses_everything(open_client: Open) -> None:
    error = error_of(open_client(host="0.0.0.0").get(HEALTH), 401, "access_denied")
    assert "THINICE_TOKEN" in error["message"]
    page = open_client(host="0.0.0.0").get("/", headers={"Accept": "text/html"})
    assert page.status_code == 401
    assert "THINICE_TOKEN" in page.text
    assert "<html" in page.text


def test_token_opens_and_nothing_else_does(open_client: Open) -> None:
    client = open_client(token=TOKEN)
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer"},
    ):
        response = client.get(HEALTH, headers=headers)
        error_of(response, 401, "access_denied")
        assert response.headers["www-authenticate"] == "Bearer"
    response = client.get(HEALTH, headers={"Authorization": f"bearer {TOKEN}"})
    assert response.json()["status"] in {"ok", "degraded"}


def test_token_also_guards_what_dash_and_openapi_serve(open_client: Open) -> None:
    client = open_client(token=TOKEN)
    for path in ("/", "/_dash-layout", "/_dash-dependencies", "/assets/x.css", "/api/openapi.json", "/api/docs"):
        assert client.get(path).status_code == 401, path
    assert client.post("/_dash-update-component", json={}).status_code == 401


def test_token_works_through_a_proxy_on_a_known_name(open_client: Open) -> None:
    client = open_client("http://ice.example", "10.0.0.1", token=TOKEN, host="0.0.0.0", allowed_hosts="ice.example")
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Forwarded-For": "1.2.3.4"}
    assert client.get(HEALTH, headers=headers).status_code == 200


def test_address_typed_by_hand_is_fine_only_with_a_token(open_client: Open) -> None:
    with_token = open_client("http://192.168.1.5:8000", "192.168.1.9", token=TOKEN, host="0.0.0.0")
    assert with_token.get(HEALTH, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    error_of(open_client("http://192.168.1.5:8000").get(HEALTH), 403, "forbidden_origin")


def test_login_gives_a_session_that_opens_pages_and_rest(open_client: Open) -> None:
    client = open_client(token=TOKEN)
    sent_away = client.get("/compare?eps=8/255", headers={"Accept": "text/html"})
    assert (sent_away.status_code, sent_away.headers["location"]) == (303, "/login?next=%2Fcompare%3Feps%3D8%2F255")
    page = client.get(sent_away.headers["location"])
    assert 'value="/compare?eps=8/255"' in page.text
    response = client.post("/login", data={"token": TOKEN, "next": "/compare?eps=8/255"})
    assert (response.status_code, response.headers["location"]) == (303, "/compare?eps=8/255")
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie and "secure" not in cookie
    assert client.get("/").status_code == 200
    assert client.get(HEALTH).status_code == 200
    client.post("/logout")
    assert client.get(HEALTH).status_code == 401


def test_login_behind_https_marks_the_cookie_secure(open_client: Open) -> None:
    response = open_client(token=TOKEN).post("/login", data={"token": TOKEN}, headers={"X-Forwarded-Proto": "https"})
    assert "secure" in response.headers["set-cookie"].lower()


def test_login_wrong_token_is_refused(open_client: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "WRONG_TOKEN_DELAY_SECONDS", 0.01)
    response = open_client(token=TOKEN).post("/login", data={"token": "wrong-horse"})
    assert response.status_code == 401
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize(
    "wanted", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", "/a\nb", ""]
)
def test_login_never_leads_to_another_site(wanted: str) -> None:
    assert login.local_path(wanted) == "/"


def test_login_page_escapes_where_to_go() -> None:
    assert '"><script>' not in login.login_page('/"><script>')


FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://evil.example"},
    {"Origin": "http://127.0.0.1:9999"},
    {"Origin": "null"},
]
OWN = [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": ADDRESS}]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_foreign_page_cannot_change_anything(open_client: Open, headers: dict[str, str]) -> None:
    client = open_client()
    for method, path in (
        ("POST", "/api/v1/evaluations"),
        ("DELETE", "/api/v1/checkpoints/x"),
        ("PUT", "/api/v1/uploads"),
    ):
        error_of(client.request(method, path, headers=headers), 403, "forbidden_origin")
    error_of(client.post("/_dash-update-component", json={}, headers=headers), 403, "forbidden_origin")
    assert client.get(HEALTH, headers=headers).status_code == 200


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_own_page_and_programs_may(open_client: Open, headers: dict[str, str]) -> None:
    error_of(open_client().post("/api/v1/evaluations", json={}, headers=headers), 422, "invalid_request")


def test_session_does_not_help_a_foreign_page_but_a_token_is_proof(open_client: Open) -> None:
    client = open_client(token=TOKEN)
    client.post("/login", data={"token": TOKEN})
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"}
    error_of(client.post("/api/v1/evaluations", json={}, headers=foreign), 403, "forbidden_origin")
    with_token = foreign | {"Authorization": f"Bearer {TOKEN}"}
    error_of(client.post("/api/v1/evaluations", json={}, headers=with_token), 422, "invalid_request")


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"X-Forwarded-For": "1.2.3.4"}], ids=str)
def test_websocket_of_a_foreign_page_is_refused(open_client: Open, headers: dict[str, str]) -> None:
    client = open_client()
    with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect("/_dash-ws-callback", headers=headers):
        pass
    assert refused.value.code == 1008


def test_responses_carry_headers_that_keep_the_browser_local(client: TestClient) -> None:
    for path in ("/", HEALTH, "/api/docs"):
        headers = client.get(path).headers
        assert headers["x-frame-options"] == "DENY"
        assert "default-src 'self'" in headers["content-security-policy"]


@pytest.mark.parametrize(
    ("host", "name"),
    [("a.B:80", "a.b"), ("[::1]:80", "::1"), ("localhost.", "localhost"), ("", ""), ("[::1", ""), ("u@h", "h")],
)
def test_host_name_reads_what_browsers_send(host: str, name: str) -> None:
    assert host_name(host) == name
