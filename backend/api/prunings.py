"""Prunings made here: the methods, queue one, follow it, stop it."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from backend.api import events
from backend.api.lists import Limit, Offset
from backend.schemas import Page, State
from backend.schemas.prunings import MethodOut, PassesOut, PruningIn, PruningOut
from backend.services import prunings
from backend.services.prunings import plans

router = APIRouter(tags=["prunings"])


@router.get("/pruning-methods", summary="Pruning methods with their schedules, settings and losses, and the control")
def get_methods() -> Page[MethodOut]:
    return plans.list_methods()


@router.get("/prunings", summary="Prunings, newest first")
def get_prunings(
    limit: Limit = 50, offset: Offset = 0, state: State | None = None, parent_id: UUID | None = None
) -> Page[PruningOut]:
    return prunings.list_prunings(limit, offset, state=state, parent_id=parent_id)


@router.post("/prunings", status_code=202, summary="Prune a dense checkpoint; the result lands among the checkpoints")
def post_pruning(wanted: PruningIn) -> PruningOut:
    return prunings.queue_pruning(wanted)


@router.post("/prunings/estimate", summary="What it would cost, without queueing it")
def post_estimate(wanted: PruningIn) -> PassesOut:
    return plans.estimate_cost(wanted)


@router.get("/prunings/{pruning_id}", summary="One pruning: state, progress, and the card of what it made")
def get_pruning(pruning_id: UUID) -> PruningOut:
    return prunings.get_pruning(pruning_id)


@router.delete("/prunings/{pruning_id}", status_code=204, summary="Forget an ended pruning that left no checkpoint")
def delete_pruning(pruning_id: UUID) -> Response:
    prunings.delete_pruning(pruning_id)
    return Response(status_code=204)


@router.post("/prunings/{pruning_id}/cancel", summary="Stop it; the state of its training is kept")
def post_cancel(pruning_id: UUID) -> PruningOut:
    return prunings.cancel_pruning(pruning_id)


@router.post("/prunings/{pruning_id}/resume", summary="Go on with a cancelled or failed pruning")
def post_resume(pruning_id: UUID) -> PruningOut:
    return prunings.resume_pruning(pruning_id)


@router.get(
    "/prunings/{pruning_id}/events",
    summary="Server-sent events: `progress` whenever something changes, `done` at the end",
    response_class=EventSourceResponse,
)
async def get_events(
    request: Request, first: Annotated[PruningOut, Depends(get_pruning)]
) -> AsyncIterator[ServerSentEvent]:
    async for event in events.follow(request, first, prunings.get_pruning):
        yield event
