"""The dashboard on a FastAPI server: its document, its routes, threads for callbacks, and what an error tells."""

import asyncio
import json
import logging
import re
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

import frontend
from backend.errors import NotComparable, NotFound
from frontend import callbacks, ids
from frontend.app import create_dashboard, show_page
from frontend.callbacks import in_thread, query_values, report_error
from frontend.components import plot, table
from frontend.icons import list_icons
from frontend.pages import PAGES, PageRow, load_pages

ASSETS = Path(frontend.__file__).parent / "assets"
OUTSIDE = re.compile(r"(?:https?:)?(?://|\\u002f\\u002f)[\w.-]+", re.IGNORECASE)
NAMESPACE = '"http://www.w3.org/2000/svg"'  # a name, never fetched


@pytest.fixture(scope="module")
def server() -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")

    @app.get("/api/v1/health")
    def health() -> dict[str, int]:
        return {"queue_depth": 3}

    create_dashboard(app)
    return app


@pytest.fixture(scope="module")
def client(server: FastAPI) -> TestClient:
    return TestClient(server)


def test_document_before_any_other_request_has_language_and_own_assets(server: FastAPI) -> None:
    fresh = FastAPI()
    create_dashboard(fresh)
    text = TestClient(fresh).get("/compare").text
    assert '<html lang="en">' in text
    assert '<script src="/bundle/all.js?m=' in text and 'rel="stylesheet" href="/bundle/all.css?m=' in text
    assert "/assets/" not in text


def test_document_names_no_other_host(client: TestClient) -> None:
    assert OUTSIDE.findall(client.get("/").text) == []


def test_assets_name_no_other_host() -> None:
    for file in sorted(ASSETS.rglob("*.*")):
        text = re.sub(r"^\s*//.*$", "", file.read_text(), flags=re.MULTILINE)
        assert OUTSIDE.findall(text.replace(NAMESPACE, "")) == [], file.name


def test_document_sets_the_theme_before_any_style_sheet(client: TestClient) -> None:
    text = client.get("/").text
    assert text.index("data-theme") < text.index('rel="stylesheet"')
    assert "mantine-color-scheme-value" in text and "prefers-color-scheme" in text


@pytest.mark.parametrize("path", [row.path for row in PAGES])
def test_every_page_address_gives_the_document(client: TestClient, path: str) -> None:
    answer = client.get(path, params={"dense": "a"})
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")


def test_routes_registered_before_the_dashboard_keep_their_answers(client: TestClient) -> None:
    assert client.get("/api/v1/health").json() == {"queue_depth": 3}


def test_bundles_and_pictures_are_served(client: TestClient) -> None:
    for address in re.findall(r"/bundle/all\.[a-z]+\?m=\w+", client.get("/").text):
        assert client.get(address).status_code == 200
    assert client.get("/assets/icons/brand.svg").status_code == 200


def test_every_icon_is_in_the_document_as_drawn(client: TestClient) -> None:
    found = dict(re.findall(r'\.icon-([\w-]+)\{--icon:url\("data:image/svg\+xml,([^"]+)"\)\}', client.get("/").text))
    assert {name: unquote(text) for name, text in found.items()} == {
        name: (ASSETS / "icons" / f"{name}.svg").read_text().strip() for name in list_icons()
    }


@pytest.mark.parametrize("row", [row for row in PAGES if row.place], ids=lambda row: row.module)
def test_every_page_in_the_rail_has_an_icon(row: PageRow) -> None:
    assert row.module in list_icons(), f"draw frontend/assets/icons/{row.module}.svg: the link to {row.path} shows it"


def test_icons_that_the_pages_name_are_there() -> None:
    sources = "\n".join(path.read_text() for path in Path(frontend.__file__).parent.rglob("*.py"))
    named = set(re.findall(r"\bicon\(\"([\w-]+)\"\)", sources))
    assert named - set(list_icons()) == set(), "no such SVG in frontend/assets/icons"


def test_layout_has_main_landmark_navigation_and_skip_link(client: TestClient) -> None:
    text = client.get("/_dash-layout").text
    assert '"type":"Main"' in text and '"type":"Nav"' in text
    assert f'"href":"#{ids.PAGE}"' in text


def test_rail_leads_to_every_placed_page_and_not_to_meetings(client: TestClient) -> None:
    text = json.dumps(client.get("/_dash-layout").json())
    assert all(f'"href": "{row.path}"' in text for row in PAGES if row.place)
    assert "Meeting" not in text


def test_plots_send_nothing_to_another_host() -> None:
    config = plot("some-plot", None, height=100, label="x").children[0].children.config
    assert config["plotlyServerURL"] == "" and config["displayModeBar"] is False
    assert config["showSendToCloud"] is False and config["showEditInChartStudio"] is False


def test_table_marks_its_first_column_as_header_and_aligns_numbers() -> None:
    grid = table("caption", ["name", "n"], [["a", "1"]]).children
    cells = grid.children[2].children[0].children
    assert cells[0].scope == "row" and cells[1].className == "number-cell"


@pytest.mark.parametrize(
    ("module", "error", "words"),
    [("nowhere", ImportError, "frontend.pages.nowhere"), ("compare.ids", AttributeError, "has no TITLE")],
)
def test_page_row_without_a_page_says_what_is_missing(module: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        PageRow(module, "/nowhere").load()


def test_folders_of_pages_have_a_row_each() -> None:
    folders = {path.parent.name for path in (Path(frontend.__file__).parent / "pages").glob("*/__init__.py")}
    rows = {row.module.split(".")[0] for row in PAGES}
    assert folders == rows, "give each folder in frontend/pages a PageRow in frontend/pages/__init__.py"
    assert load_pages()["/compare"].TITLE == "Compare"


@pytest.mark.parametrize("row", PAGES, ids=lambda row: row.module)
def test_every_page_has_its_tests(row: PageRow) -> None:
    name = f"tests/frontend/pages/test_{row.module.split('.')[0]}.py"
    assert (Path(__file__).parents[2] / name).exists(), f"write {name}: frontend.pages.{row.module} has no tests"


def test_component_ids_of_pages_are_unique() -> None:
    """Dash takes two components of one id for one, on whatever pages they stand."""
    owners: dict[str, str] = {}
    for path in sorted(Path(frontend.__file__).parent.rglob("ids.py")):
        for value in re.findall(r'^[A-Z_]+ = "([\w-]+)"', path.read_text(), flags=re.MULTILINE):
            owner = str(path.relative_to(Path(frontend.__file__).parent))
            assert owners.setdefault(value, owner) == owner, f"{value} is an id of {owners[value]} and of {owner}"


# --- routing ---------------------------------------------------------------------------------------------------------
def page(layout: Any, **more: Any) -> dict[str, Any]:
    return {"/": SimpleNamespace(TITLE="Some", layout=layout, **more)}


def test_show_page_hands_the_query_to_the_layout() -> None:
    shown, title, move = show_page(page(lambda **query: query), "/", "?class=3&set=S10")
    assert (shown, title, move) == ({"class": "3", "set": "S10"}, "Some", "")


def test_show_page_with_an_incomplete_query_shows_the_whole_one_and_says_it() -> None:
    pages = page(lambda **query: query, complete=lambda query, seen: {"dense": "d", "eps": "8/255"} | (seen or {}))
    assert show_page(pages, "/", "") == ({"dense": "d", "eps": "8/255"}, "Some", "?dense=d&eps=8/255")
    assert show_page(pages, "/", "", {"dense": "seen"})[2] == "?dense=seen&eps=8/255"


def test_show_page_of_a_refusal_shows_its_sentence_in_place() -> None:
    def layout(**query: str) -> None:
        raise NotComparable("They share no samples.")

    shown, title, _ = show_page(page(layout), "/", "")
    assert "They share no samples." in str(shown) and "not_comparable" in str(shown)
    assert title == "Some"


def test_show_page_of_an_unknown_address_says_so() -> None:
    assert "Page not found" in str(show_page({}, "/nope", "")[0])


@pytest.mark.parametrize(("search", "values"), [("?a=1&b=25.5/255&a=2", {"a": "1", "b": "25.5/255"}), (None, {})])
def test_query_values_takes_the_first_of_each(search: str | None, values: dict[str, str]) -> None:
    assert query_values(search) == values


# --- callbacks -------------------------------------------------------------------------------------------------------
def test_in_thread_leaves_the_event_loop_free() -> None:
    @in_thread
    def work(seconds: float) -> int:
        time.sleep(seconds)
        return threading.get_ident()

    async def race() -> tuple[int, int]:
        job = asyncio.ensure_future(work(0.3))
        turns = 0
        while not job.done():
            await asyncio.sleep(0.01)
            turns += 1
        return await job, turns

    thread, turns = asyncio.run(race())
    assert thread != threading.get_ident() and turns >= 5


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What would reach the browser; Dash's set_props works inside a request only."""
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(callbacks, "set_props", lambda id, props: sent.extend(props["sendNotifications"]))
    return sent


def test_report_error_of_a_refusal_tells_its_sentence(notes: list[dict[str, Any]]) -> None:
    report_error(NotFound("There is no evaluation 7."))
    assert "There is no evaluation 7." in notes[0]["message"] and "not_found" in notes[0]["message"]
    assert notes[0]["autoClose"] is False


def test_report_error_of_a_defect_hides_the_cause_and_logs_it(
    notes: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        report_error(ValueError("secret /path"))
    assert "secret" not in str(notes)
    reference = re.search(r"under (\w{8})", notes[0]["message"])
    assert reference and reference[1] in caplog.text and "secret" in caplog.text
