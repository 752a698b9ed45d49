"""The dashboard: Dash on the FastAPI server it is given, and the callbacks that belong to no page."""

import json
import logging
from importlib import import_module
from pathlib import Path
from string import Template
from types import ModuleType
from typing import Any
from urllib.parse import urlencode

import dash
from dash import ClientsideFunction, Dash, Input, Output, State, no_update
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.errors import ThinIceError
from frontend import ids, jobs, shipped
from frontend.bundle import ASSETS, Bundle, bundle_routes, read_bundle
from frontend.callbacks import failure_parts, in_thread, query_values, report_error
from frontend.components import Content, error_state
from frontend.help.glossary.hints import write_hints
from frontend.icons import icon_rules, picture_of
from frontend.pages import PAGES, load_pages
from frontend.plain import lighten
from frontend.shell import shell
from frontend.stream import stream_routes
from frontend.theme import style_block

log = logging.getLogger(__name__)

# Runs before the first paint. The key is Mantine's own, so that its widgets and ours read one choice.
BOOT = """
(function () {
  var stored = null;
  try { stored = localStorage.getItem("mantine-color-scheme-value"); } catch (refused) { stored = null; }
  var dark = stored === "dark" || (stored !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  var root = document.documentElement;
  root.setAttribute("data-theme", dark ? "dark" : "light");
  root.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
"""


def share_ids() -> str:
    """A line of JavaScript that gives the scripts in assets/ every component id as `thinice.ids.<page>.<NAME>`."""
    modules = {"shell": ids}
    for row in PAGES:
        if (Path(__file__).parent / "pages" / row.module / "ids.py").exists():
            modules[row.module] = import_module(f"frontend.pages.{row.module}.ids")
    shared = {
        page: {name: value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)}
        for page, module in modules.items()
    }
    return f"window.thinice = {{ ids: {json.dumps(shared)} }};"


SCRIPTS, STYLES = read_bundle("js"), read_bundle("css")
HINTS = Bundle("json", write_hints())

DOCUMENT = Template("""<!DOCTYPE html>
<html lang="en">
<head>
{%metas%}
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{%title%}</title>
<link rel="icon" type="image/svg+xml" href="$favicon">
<style>$rules</style>
<script>$boot</script>
<link rel="alternate" type="application/json" id="glossary" title="Glossary" href="$hints">
<link rel="stylesheet" href="$styles">
{%css%}
</head>
<body>
{%app_entry%}
<noscript>The dashboard needs JavaScript. Every number is also available at /api/v1 and on the command line.</noscript>
{%config%}
<script src="$scripts"></script>
{%scripts%}
{%renderer%}
</body>
</html>""")


def document() -> str:
    """The document of every page, with Dash's own places left open."""
    return DOCUMENT.substitute(
        favicon=picture_of("favicon"),
        rules=style_block() + icon_rules(),
        boot=BOOT + share_ids(),
        styles=STYLES.address,
        scripts=SCRIPTS.address,
        hints=HINTS.address,
    )


def create_dashboard(server: FastAPI) -> Dash:
    """Add the dashboard to `server` at "/". Register every `/api` route first, their 404 included."""
    server.include_router(stream_routes())
    server.include_router(bundle_routes(SCRIPTS, STYLES, HINTS))
    dash.dash.DASH_VERSION_URL = ""  # the page's settings would otherwise name a host that is not ours
    given: Any = server  # Dash's annotation knows Flask only
    app = Dash(
        "frontend",
        server=given,
        backend="fastapi",
        assets_folder=str(ASSETS),
        assets_ignore=r".*\.(js|css)$",  # these come bundled
        title="Thin Ice",
        update_title="",
        index_string=document(),
        suppress_callback_exceptions=True,
        include_pages_meta=False,
        serve_locally=True,
        enable_mcp=False,
        on_error=report_error,
    )
    pages = load_pages()
    app.layout = shell({path: list(getattr(page, "KEYS", ())) for path, page in pages.items()})
    register_shell(app, pages)
    for page in pages.values():
        if hasattr(page, "register"):
            page.register(app)
    server.add_middleware(PageAddresses, paths=frozenset(row.path for row in PAGES))
    return app


class PageAddresses:
    """Serve the document under every page's path, as "/" is.

    Dash's own catch-all is added late, knows only the newest dashboard of a process, and forgets the assets when the
    first request of all is not for "/".
    """

    def __init__(self, app: ASGIApp, paths: frozenset[str]) -> None:
        self.app = app
        self.paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in self.paths and scope["method"] in ("GET", "HEAD"):
            scope = {**scope, "path": "/", "raw_path": b"/"}
        await self.app(scope, receive, send)


def show_page(
    pages: dict[str, ModuleType], path: str, search: str, seen: dict[str, str] | None = None
) -> tuple[Content, str, str]:
    """The page at that address: its components, its title, and the whole query where the given one lacked something."""
    page = pages.get(path.rstrip("/") or "/")
    if page is None:
        return (
            error_state("Page not found", f"There is no page at {path}.", code="not_found"),
            "Not found",
            "",
        )
    query, whole = query_values(search), ""
    try:
        complete = getattr(page, "complete", None)
        completed = complete(query, seen) if complete is not None else None
        if completed is not None:
            query, whole = completed, f"?{urlencode(completed, safe='/,')}"
        return page.layout(**query), page.TITLE, whole
    except ThinIceError as error:
        title, sentence = failure_parts(error)
        return error_state(title, sentence, code=error.code), page.TITLE, whole


def register_shell(app: Dash, pages: dict[str, ModuleType]) -> None:
    """Routing, title, theme, and the buttons of jobs, which stand on several pages."""

    def browser(name: str) -> ClientsideFunction:
        return ClientsideFunction("shell", name)

    app.clientside_callback(
        browser("route"),
        Output(ids.ROUTE, "data"),
        Input(ids.URL, "pathname"),
        Input(ids.URL, "search"),
        State(ids.PAGE_KEYS, "data"),
    )

    @app.callback(
        Output(ids.ARRIVAL, "data"),
        Input(ids.ROUTE, "data"),
        State(ids.URL, "search"),
        State(ids.SEEN, "data"),
        prevent_initial_call=True,
    )
    @in_thread
    def show(route: dict[str, str] | None, search: str | None, seen: dict[str, str] | None) -> Any:
        if route is None:
            return no_update
        page, title, whole = show_page(pages, route["path"], search or "", seen)
        return {"page": lighten(page), "title": title, "search": whole}

    jobs.register(app)
    shipped.register(app)
    # The address is whole before the page stands in the document, because scripts of the page read it.
    app.clientside_callback(
        browser("open"), Output(ids.PAGE, "children"), Output(ids.TITLE, "data"), Input(ids.ARRIVAL, "data")
    )
    app.clientside_callback(browser("arrive"), Input(ids.TITLE, "data"), Input(ids.PAGE, "children"))
    app.clientside_callback(browser("remember"), Output(ids.SEEN, "data"), Input(ids.PAGE, "children"))
    app.clientside_callback(
        browser("theme"), Output(ids.THEME, "data"), Input(ids.THEME_TOGGLE, "n_clicks"), State(ids.THEME, "data")
    )
