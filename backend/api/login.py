"""The way in for people: a page that asks for the access token once, and pages that say why there is no way in."""

from html import escape
from urllib.parse import parse_qs

import anyio
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from backend.api.sessions import COOKIE, SESSION_SECONDS, is_token, new_session
from backend.settings import Settings

WRONG_TOKEN_DELAY_SECONDS = 1.0  # makes guessing slow without locking anybody out

STYLE = """
:root { color-scheme: light dark; --page:#f6f8fa; --card:#fff; --line:#dfe5eb; --ink:#15202b; --accent:#0b6fb8 }
@media (prefers-color-scheme: dark) { :root { --page:#0f151b; --card:#161e27; --line:#273341; --ink:#e8eef4;
  --accent:#5cb2ee } }
body { margin:0; min-height:100vh; display:grid; place-items:center; background:var(--page); color:var(--ink);
  font:14px/1.5 system-ui, sans-serif }
main { background:var(--card); border:1px solid var(--line); border-radius:10px; padding:24px; width:min(360px, 86vw) }
h1 { font-size:24px; margin:0 0 8px } label { display:block; margin:16px 0 4px }
input, button { font:inherit; width:100%; box-sizing:border-box; padding:8px 12px; border-radius:8px }
input { border:1px solid var(--line); background:var(--page); color:var(--ink) }
button { margin-top:16px; border:0; background:var(--accent); color:var(--card); cursor:pointer }
"""


def page(title: str, body: str) -> str:
    """A whole small page; `body` is HTML whose texts are escaped already."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main><h1>Thin Ice</h1>{body}</main></body></html>"
    )


def refusal_page(sentence: str) -> str:
    return page("Thin Ice: no access", f'<p role="alert">{escape(sentence)}</p>')


def login_page(wanted: str, sentence: str = "") -> str:
    alert = f'<p role="alert">{escape(sentence)}</p>' if sentence else "<p>Sign in with the server's access token.</p>"
    return page(
        "Thin Ice: sign in",
        f'{alert}<form method="post" action="/login"><input type="hidden" name="next" value="{escape(wanted)}">'
        '<label for="token">Access token</label><input id="token" name="token" type="password" required autofocus '
        'autocomplete="current-password"><button>Sign in</button></form>',
    )


def local_path(wanted: str) -> str:
    """The path to go to after the login: only a path of ours, never another host."""
    is_ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\", "/login", "/logout"))
    return wanted if is_ours and wanted.isprintable() and "\\" not in wanted else "/"


def login_routes(settings: Settings) -> APIRouter:
    """`/login` and `/logout`; without a token there is nothing to sign in to and both lead to the start page."""
    router = APIRouter(include_in_schema=False)

    @router.get("/login")
    async def show_login(next: str = "/") -> Response:  # the query parameter's name is what browsers see
        if settings.token is None:
            return RedirectResponse("/", 303)
        return HTMLResponse(login_page(local_path(next)), headers={"Cache-Control": "no-store"})

    @router.post("/login")
    async def sign_in(request: Request) -> Response:
        form = parse_qs((await request.body()).decode("utf-8", errors="replace"))
        wanted = local_path(form.get("next", ["/"])[0])
        if settings.token is None:
            return RedirectResponse(wanted, 303)
        if not is_token(form.get("token", [""])[0], settings.token):
            await anyio.sleep(WRONG_TOKEN_DELAY_SECONDS)
            return HTMLResponse(login_page(wanted, "That is not the access token."), 401)
        response = RedirectResponse(wanted, 303)
        is_encrypted = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))
        response.set_cookie(
            COOKIE, new_session(settings.token), SESSION_SECONDS, httponly=True, samesite="lax", secure=is_encrypted
        )
        return response

    @router.post("/logout")
    async def sign_out() -> Response:
        response = RedirectResponse("/login" if settings.token else "/", 303)
        response.delete_cookie(COOKIE, httponly=True, samesite="lax")
        return response

    return router
