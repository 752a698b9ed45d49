"""How callbacks run and what happens when one fails."""

import functools
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar
from urllib.parse import parse_qs

import anyio.to_thread
from dash import set_props

from backend.errors import ThinIceError
from frontend import ids

Arguments = ParamSpec("Arguments")
Returned = TypeVar("Returned")

log = logging.getLogger(__name__)


def in_thread(function: Callable[Arguments, Returned]) -> Callable[Arguments, Awaitable[Returned]]:
    """Run a synchronous callback in a worker thread: on the event loop it would hold up every other request."""

    @functools.wraps(function)
    async def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Returned:
        return await anyio.to_thread.run_sync(functools.partial(function, *args, **kwargs))

    return run


def notify(title: str, message: str, *, kind: str = "info") -> None:
    """Show a notification in the browser whose callback is running. `kind`: info, success, warning or error."""
    colour = {"info": "ice", "success": "teal", "warning": "yellow", "error": "red"}[kind]
    note = {
        "action": "show",
        "id": f"note-{secrets.token_hex(4)}",
        "title": title,
        "message": message,
        "color": colour,
        "autoClose": False if kind == "error" else 6000,
    }
    set_props(ids.NOTIFICATIONS, {"sendNotifications": [note]})


def report_error(error: Exception) -> None:
    """Log what a callback raised and tell the user; what the page showed before stays (Dash's `on_error`)."""
    reference = secrets.token_hex(4)
    if isinstance(error, ThinIceError):
        log.warning("callback refused (%s): %s: %s", reference, error.code, error.message)
        notify("That did not work", f"{error.message} Nothing was changed. ({error.code}, {reference})", kind="error")
        return
    log.error("callback failed (%s)", reference, exc_info=error)
    notify(
        "Something went wrong on the server",
        "The page still shows its last state, and all stored results are safe. Reload to try again. The server log "
        f"has the cause under {reference}.",
        kind="error",
    )


def failure_parts(error: ThinIceError) -> tuple[str, str]:
    """Title and sentence for an error that takes the place of a page or a card."""
    titles: dict[str, str] = {
        "not_found": "Not found",
        "not_comparable": "These evaluations cannot be compared",
        "invalid_request": "The address contains an invalid value",
    }
    return titles.get(error.code, "This could not be shown"), error.message


def query_values(search: str | None) -> dict[str, Any]:
    """First value of every key in a URL's query (`?a=1&b=2`)."""
    return {key: values[0] for key, values in parse_qs((search or "").removeprefix("?")).items()}
