"""The access guard: pure ASGI, in front of everything the server serves, because Dash's routes know no dependencies.

In this order: the host name must be ours (against DNS rebinding), the caller must be allowed in (token, session, or an
open server on loopback), and what changes something must not come from a foreign page (against cross-site requests).
"""

import ipaddress
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api.errors import render
from backend.api.login import refusal_page
from backend.api.sessions import COOKIE, bearer_token, is_session, is_token
from backend.errors import AccessDenied, ForbiddenOrigin, ThinIceError
from backend.settings import Settings
from backend.startup import is_loopback

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
OPEN_PATHS = {"/login", "/logout"}
OWN_FETCH_SITES = {"same-origin", "none"}  # `same-site` is another port of this machine: not ours
FORWARDED_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
WILDCARD_HOSTS = {"0.0.0.0", "::", ""}
SET_A_TOKEN = (
    "Set THINICE_TOKEN on the server (8 characters or more) and send it as a Bearer token, or sign in with it."
)

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    # Dash needs inline and evaluated scripts; nothing may come from, or go to, another host.
    "Content-Security-Policy": "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "frame-ancestors 'none'; base-uri 'self'; form-action 'self'",
}


class Guard:
    """Lets a request through, or responds with `access_denied` (401) or `forbidden_origin` (403)."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            check_host(headers, self.settings)
            check_access(scope, headers, self.settings)
            check_origin(scope, headers, self.settings)
        except ThinIceError as error:
            await self.refuse(scope, headers, error)(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                response_headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    response_headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_secured)

    def refuse(self, scope: Scope, headers: Headers, error: ThinIceError) -> ASGIApp:
        """JSON for programs; for a browser the way to the login, or a page with the sentence."""
        if scope["type"] == "websocket":
            return close_socket
        if scope["path"].startswith("/api/") or "text/html" not in headers.get("accept", ""):
            return render(error)
        if error.status == 401 and self.settings.token and not is_dash_internal(scope["path"]):
            query = scope.get("query_string", b"").decode("latin-1")
            wanted = scope["path"] + (f"?{query}" if query else "")
            return RedirectResponse(f"/login?next={quote(wanted, safe='')}", 303)
        return page_response(refusal_page(error.message), error.status)


def page_response(html: str, status: int) -> Response:
    return HTMLResponse(html, status, headers=SECURITY_HEADERS)


async def close_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a WebSocket before it is accepted; the server responds to the handshake with 403."""
    await receive()
    await send({"type": "websocket.close", "code": 1008})


def is_dash_internal(path: str) -> bool:
    return path.startswith("/_dash-")


def host_name(host: str) -> str:
    """The name in a Host header or an origin's netloc, lower case, without port and brackets; "" where malformed."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def check_host(headers: Headers, settings: Settings) -> None:
    """Raise ForbiddenOrigin unless the Host header names this server."""
    host = host_name(headers.get("host", ""))
    allowed = {name.strip().lower() for name in settings.allowed_hosts.split(",") if name.strip()}
    if is_loopback(host) or host in allowed or host == settings.host.lower():
        return
    # Rebinding needs a name; an address typed by hand on a server that listens everywhere is fine with a token.
    if settings.token and settings.host in WILDCARD_HOSTS and is_address(host):
        return
    raise ForbiddenOrigin(
        f"This server does not respond to the host name {host!r}. Add it to THINICE_ALLOWED_HOSTS.", host=host
    )


def check_access(scope: Scope, headers: Headers, settings: Settings) -> None:
    """Raise AccessDenied unless the caller has the token, a session, or needs neither."""
    if settings.token is None:
        check_open_access(scope, headers, settings)
        return
    if scope["path"] in OPEN_PATHS:
        return
    offered = bearer_token(headers.get("authorization"))
    if offered is not None:
        if is_token(offered, settings.token):
            return
        raise AccessDenied("The access token is wrong. Use the server's THINICE_TOKEN.")
    if is_session(cookie_parser(headers.get("cookie", "")).get(COOKIE), settings.token):
        return
    raise AccessDenied("This server needs an access token: send `Authorization: Bearer ...`, or sign in at /login.")


def check_open_access(scope: Scope, headers: Headers, settings: Settings) -> None:
    """Without a token the server is open, so it serves only this machine and never through a proxy."""
    if not is_loopback(settings.host):
        raise AccessDenied(f"This server listens on {settings.host} without access control. {SET_A_TOKEN}")
    if any(name in headers for name in FORWARDED_HEADERS):
        raise AccessDenied(f"This request came through a proxy, and the server has no access control. {SET_A_TOKEN}")
    caller = (scope.get("client") or ("127.0.0.1", 0))[0]
    if is_address(caller) and not is_loopback(caller):
        raise AccessDenied(f"This server accepts requests only from its own machine. {SET_A_TOKEN}")


def check_origin(scope: Scope, headers: Headers, settings: Settings) -> None:
    """Raise ForbiddenOrigin when a foreign page makes a browser change something here.

    A right Bearer token is proof enough: a foreign page can neither know it nor send it without our consent.
    """
    if scope["type"] == "http" and scope["method"] in SAFE_METHODS:
        return
    if settings.token and bearer_token(headers.get("authorization")):
        return
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and scope["type"] == "http":
        is_foreign = site not in OWN_FETCH_SITES
    else:
        is_foreign = origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
    if is_foreign:
        raise ForbiddenOrigin("Another site's page sent this request, so it was refused.", origin=origin)
