"""The outermost layer: gives every request an id, logs it, and turns what nobody handled into a JSON 500."""

import json
import logging
import re
import time
from contextvars import ContextVar
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("thinice.api")

ID_HEADER = "X-Request-ID"
ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
QUIET_PATHS = ("/_dash-component-suites/", "/assets/", "/bundle/")  # dozens per page load; logged only when they fail

_request_id: ContextVar[str | None] = ContextVar("thinice_request_id", default=None)


def current_request_id() -> str | None:
    """Id of the request being handled in this task or thread, None outside of one."""
    return _request_id.get()


class RequestIdFilter(logging.Filter):
    """Adds `request_id` to every log record ("-" outside a request)."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id() or "-"
        return True


class RequestLog:
    """Pure ASGI, so that streams pass through unbuffered."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        offered = Headers(scope=scope).get(ID_HEADER, "")
        request_id = offered if ACCEPTABLE_ID.fullmatch(offered) else uuid4().hex
        token = _request_id.set(request_id)
        try:
            await self.respond(scope, receive, send, request_id)
        finally:
            _request_id.reset(token)

    async def respond(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        """Pass the request on; the id goes into the response's headers, status and time into the log."""
        began, status = time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[ID_HEADER] = request_id
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except ClientDisconnect:
            log.info("%s %r: the client left before its request was complete", scope.get("method", "WS"), scope["path"])
        except Exception:  # the last place that can still tell the user which request failed
            log.exception("Unexpected error in %s %r", scope.get("method", "WS"), scope["path"])
            if status or scope["type"] != "http":
                raise
            await unexpected(request_id)(scope, receive, send_with_id)
        finally:
            if scope["type"] == "http" and not (status < 400 and scope["path"].startswith(QUIET_PATHS)):
                milliseconds = 1000 * (time.perf_counter() - began)
                log.info("%s %r %s %.0f ms", scope["method"], scope["path"], status or "-", milliseconds)


def unexpected(request_id: str) -> Response:
    """The response to an error of our own making: no internals, but the id under which the log has them."""
    message = f"Something broke on our side. The server's log has the details under request id {request_id}."
    error = {"code": "internal", "message": message, "details": {}, "request_id": request_id}
    return Response(json.dumps({"error": error}), 500, media_type="application/json")
