"""Multipart forms as they come: in any pieces, damaged, or with too much in them."""

import os
from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request
from starlette.testclient import TestClient

from backend.api.errors import add_error_handlers
from backend.api.incoming import LARGEST_FIELD, MOST_FIELDS, received_form
from backend.api.request_log import RequestLog
from backend.services import uploads
from backend.services.uploads import clean_filename, uploads_folder
from tests.api.site import Site
from tests.api.test_errors import error_of

FORM = {"content-type": "multipart/form-data; boundary=edge"}


@pytest.fixture(scope="package")
def echo(site: Site) -> TestClient:
    """An application that returns what it received."""
    app = FastAPI()

    @app.post("/")
    async def receive(request: Request) -> dict[str, str | int]:
        async with received_form(request) as (fields, arrived):
            content = uploads.find_upload(arrived.upload_id)[0].read_bytes()
            return {**fields, "filename": arrived.filename, "size": arrived.bytes, "content": content.decode()}

    add_error_handlers(app)
    app.add_middleware(RequestLog)
    return TestClient(app)


def part(name: str, value: str, filename: str | None = None) -> bytes:
    file = "" if filename is None else f'; filename="{filename}"'
    return f'--edge\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n{value}\r\n'.encode()


END = b"--edge--\r\n"


def in_pieces(body: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_form_arrives_whole_in_pieces_of_any_size(echo: TestClient, size: int) -> None:
    body = part("name", "Grüße") + part("file", "line\r\n--edg\r\n" * 20, "a.pt") + part("empty", "") + END
    response = echo.post("/", content=in_pieces(body, size), headers=FORM)
    assert response.json() == {"name": "Grüße", "filename": "a.pt", "size": 260, "content": "line\r\n--edg\r\n" * 20}
    assert list(uploads_folder().iterdir()) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form at all",
        part("file", "x", "a.pt"),
        part("file", "x", "a.pt")[:40],
        part("name", "a") + END,
        part("name", "a") + part("name", "b") + part("file", "x", "a.pt") + END,
        part("file", "x", "a.pt") + part("file", "y", "b.pt") + END,
        part("picture", "x", "a.pt") + END,
        part("name", "a" * (LARGEST_FIELD + 1)) + part("file", "x", "a.pt") + END,
        b"".join(part(f"f{number}", "x") for number in range(MOST_FIELDS + 1)) + END,
        part("name", "a").replace(b"a\r\n", b"\xff\r\n") + part("file", "x", "a.pt") + END,
        b"--edge\r\nX: " + b"a" * 100_000 + b"\r\n\r\nx\r\n" + part("file", "x", "a.pt") + END,
        b"--edge\r\n" + b"X: a\r\n" * 100 + b"\r\nx\r\n" + part("file", "x", "a.pt") + END,
        b"--edge\r\nno colon here\r\n\r\nx\r\n" + part("file", "x", "a.pt") + END,
    ],
    ids=[
        *("empty", "text", "unended", "cut", "no-file", "twice", "two-files", "other-file", "long", "many", "not-utf8"),
        *("long-header", "many-headers", "no-colon"),
    ],
)
def test_form_with_a_mistake_is_refused_and_leaves_nothing(echo: TestClient, body: bytes) -> None:
    error_of(echo.post("/", content=body, headers=FORM), 422, "invalid_request")
    assert list(uploads_folder().iterdir()) == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\y.pt", "y.pt"),
        ("a\nb\x00.pt", "ab.pt"),
        ("/", "upload"),
        ("", "upload"),
    ],
)
def test_clean_filename_is_only_ever_a_name(given: str, kept: str) -> None:
    assert clean_filename(given) == kept


def test_sweep_deletes_only_what_lay_for_a_day(site: Site) -> None:
    incoming = uploads.IncomingFile("old.pt")
    incoming.append(b"x")
    old = incoming.finish()
    fresh = uploads.IncomingFile("fresh.pt")
    path = uploads.find_upload(old.upload_id)[0]
    for file in (path, path.with_suffix(".json")):
        os.utime(file, (0, 0))
    assert uploads.sweep_uploads() == 2
    assert [file.name for file in uploads_folder().iterdir()] == [f"{fresh.id}.part"]
    assert fresh.path.stat().st_mode & 0o777 == 0o600
    fresh.discard()
