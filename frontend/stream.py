"""News for open pages: one stream of server-sent events instead of a question every other second.

`state` says that something began, ended, came or went; `cells` are the live cells (frontend/rows.py) that changed.
frontend/assets/stream.js listens.
"""

import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import anyio
from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from backend.services.activity import Activity, read_activity
from frontend.rows import Live, live_cells

PATH = "/live"
LOOK_SECONDS = 2.0
TICK_SECONDS = 0.25  # how soon a stream notices that the server stops


@dataclass
class Lookout:
    """Reads the activity for all streams of a server together: at most once in LOOK_SECONDS."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    taken: float = -LOOK_SECONDS
    seen: tuple[Activity, Live] | None = None

    def look(self) -> tuple[Activity, Live]:
        with self.lock:
            if self.seen is None or time.monotonic() - self.taken >= LOOK_SECONDS / 2:
                activity = read_activity()
                self.seen = activity, live_cells(activity.jobs)
                self.taken = time.monotonic()
            return self.seen


def find_changes(now: Live, sent: Live) -> Live:
    """The cells that the other side does not have as they are now."""
    return {key: cell for key, cell in now.items() if sent.get(key) != cell}


def stream_routes() -> APIRouter:
    """The route of the stream; behind the guard as every page is."""
    router = APIRouter()
    lookout = Lookout()

    @router.get(PATH, response_class=EventSourceResponse, include_in_schema=False)
    async def get_live(request: Request) -> AsyncIterator[ServerSentEvent]:
        stamp, sent = "", Live()
        while True:
            activity, cells = await to_thread.run_sync(lookout.look)
            if activity.stamp != stamp:
                stamp = activity.stamp
                yield ServerSentEvent(event="state", data={"stamp": stamp, "waiting": activity.waiting})
            changes = find_changes(cells, sent)
            if changes:
                yield ServerSentEvent(event="cells", data=changes)
            sent = cells
            if not await is_worth_waiting(request):
                return

    return router


async def is_worth_waiting(request: Request) -> bool:
    """Wait until it is time to look again; false as soon as the server stops or the browser has left."""
    for _ in range(round(LOOK_SECONDS / TICK_SECONDS)):
        if request.app.state.stopping.is_set() or await request.is_disconnected():
            return False
        await anyio.sleep(TICK_SECONDS)
    return True
