"""Responses that are files: images that a browser may keep, and tables to download."""

import hashlib
import re
from collections.abc import Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

Responses = dict[int | str, dict[str, Any]]  # as FastAPI documents responses

FOREVER = "private, max-age=31536000, immutable"  # named by content that never changes
ASK_FIRST = "private, no-cache"  # may become better while an evaluation runs; the ETag makes asking cheap

PNG: Responses = {200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}}
NPY: Responses = {200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}}
TABLES = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
TEXTS = {
    "csv": TABLES["csv"],
    "markdown": "text/markdown; charset=utf-8",
    "latex": "application/x-tex; charset=utf-8",
}
ENDINGS = {"markdown": "md", "latex": "tex"}


def describe_content(kinds: Iterable[str]) -> dict[str, Any]:
    """The media types of a response that is a file, as FastAPI documents them."""
    return {media.split(";")[0]: {"schema": {"type": "string", "format": "binary"}} for media in kinds}


TABLE_CONTENT = describe_content(TABLES.values())
FAMILY_CONTENT = describe_content(TEXTS.values())


def cached(request: Request, content: bytes, media_type: str, cache: str) -> Response:
    """The bytes with an ETag, or 304 when the client has them already."""
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": cache}
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def download(content: bytes, table: str, name: str) -> Response:
    """A table or a text as a file that the browser saves under `name` with the fitting ending."""
    safe_name = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-")
    headers = {"Content-Disposition": f'attachment; filename="{safe_name}.{ENDINGS.get(table, table)}"'}
    return Response(content, media_type=(TABLES | TEXTS)[table], headers=headers)
