"""Server-sent events of a job: its state whenever something changes, until it has ended."""

from collections.abc import AsyncIterator, Callable
from typing import TypeVar
from uuid import UUID

import anyio
from anyio import to_thread
from fastapi import Request
from fastapi.sse import ServerSentEvent

from backend.api.stopping import is_stopping
from backend.errors import NotFound
from backend.schemas import ENDED
from backend.schemas.evaluations import EvaluationOut
from backend.schemas.evidence import EvidenceOut
from backend.schemas.prunings import PruningOut

POLL_SECONDS = 1.0
TICK_SECONDS = 0.25  # how soon a stream notices that the server stops

Job = TypeVar("Job", EvaluationOut, EvidenceOut, PruningOut)


async def follow(request: Request, first: Job, ask: Callable[[UUID], Job]) -> AsyncIterator[ServerSentEvent]:
    """`progress` for `first` and whenever `ask` returns another, `done` at the end; it ends with the server too."""
    now = first
    while now.state not in ENDED:
        yield ServerSentEvent(event="progress", data=now)
        before = now
        while now == before:
            if not await is_worth_waiting(request):
                return
            try:
                now = await to_thread.run_sync(ask, first.id)
            except NotFound:  # deleted meanwhile: there is nothing more to tell
                return
    yield ServerSentEvent(event="done", data=now)


async def is_worth_waiting(request: Request) -> bool:
    """Wait until it is time to look again; false as soon as the server stops or the client has left."""
    for _ in range(round(POLL_SECONDS / TICK_SECONDS)):
        if is_stopping(request.app) or await request.is_disconnected():
            return False
        await anyio.sleep(TICK_SECONDS)
    return True
