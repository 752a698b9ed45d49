"""Whether the server is about to stop, so that streams end by themselves instead of being cut."""

import threading

from starlette.applications import Starlette


def prepare(app: Starlette) -> threading.Event:
    """Give the app the event that is set when the server is asked to stop."""
    stopping = app.state.stopping = threading.Event()
    return stopping


def is_stopping(app: Starlette) -> bool:
    return bool(app.state.stopping.is_set())
