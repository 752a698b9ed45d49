"""How much a request may send: files up to THINICE_MAX_UPLOAD_MB, everything else little."""

import re

import anyio
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api.errors import render
from backend.errors import TooLarge
from backend.settings import Settings

MEGABYTE = 1024 * 1024
API_LIMIT = 2 * MEGABYTE  # a list of 10,000 sample indices is 60 kB
PAGE_LIMIT = 8 * MEGABYTE  # Dash sends the state of a page back and forth
FORM_OVERHEAD = MEGABYTE  # what a form may add to the file it carries
DRAINED_BYTES = 64 * MEGABYTE  # what is read and dropped of a refused body, so that the client sees the response
DRAIN_SECONDS = 5.0
UPLOADS = {("POST", "/api/v1/checkpoints"), ("POST", "/api/v1/datasets"), ("PUT", "/api/v1/uploads")}
EVIDENCE = re.compile(r"/api/v1/evaluations/[^/]+/evidence")


class BodyLimit:
    """Pure ASGI: responds with 413 before the body is read if its length is declared, otherwise in the middle."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.max_upload_mb = settings.max_upload_mb
        self.upload_limit = settings.max_upload_mb * MEGABYTE + FORM_OVERHEAD

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit, headers, received = self.limit_of(scope), Headers(scope=scope), 0
        declared = headers.get("content-length", "0")
        if not declared.isdigit() or int(declared) > limit:
            if "expect" not in headers:  # a client that asks first has not sent anything yet
                await drain(receive)
            await render(TooLarge(self.sentence(limit), limit_bytes=limit))(scope, receive, send)
            return

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                if message.get("more_body", False):
                    await drain(receive)
                raise HTTPException(413, self.sentence(limit).rstrip("."))
            return message

        await self.app(scope, receive_counted, send)

    def limit_of(self, scope: Scope) -> int:
        if (scope["method"], scope["path"]) in UPLOADS or self.is_evidence(scope):
            return self.upload_limit
        return API_LIMIT if scope["path"].startswith("/api/") else PAGE_LIMIT

    def is_evidence(self, scope: Scope) -> bool:
        """Whether adversarials are uploaded."""
        return scope["method"] == "POST" and EVIDENCE.fullmatch(scope["path"]) is not None

    def sentence(self, limit: int) -> str:
        if limit == self.upload_limit:
            return f"The file is larger than {self.max_upload_mb} MB, the limit set by THINICE_MAX_UPLOAD_MB."
        return f"The request is larger than {limit // MEGABYTE} MB, the limit for this path."


async def drain(receive: Receive) -> None:
    """Read and drop what is still coming, up to `DRAINED_BYTES` and `DRAIN_SECONDS`."""
    dropped, more = 0, True
    with anyio.move_on_after(DRAIN_SECONDS):
        while more and dropped < DRAINED_BYTES:
            message = await receive()
            dropped += len(message.get("body", b""))
            more = message["type"] == "http.request" and message.get("more_body", False)
