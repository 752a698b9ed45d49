"""Prunings made here: the methods, what one would cost, queue one."""

from uuid import UUID

from fastapi import APIRouter

from backend.api.jobs import add_job_routes
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


@router.post("/prunings", status_code=202, summary="Prune a dense checkpoint; the result becomes a checkpoint")
def post_pruning(wanted: PruningIn) -> PruningOut:
    return prunings.queue_pruning(wanted)


@router.post("/prunings/estimate", summary="What a pruning would cost, without queueing it")
def post_estimate(wanted: PruningIn) -> PassesOut:
    return plans.estimate_cost(wanted)


add_job_routes(router, "/prunings", prunings.JOBS, PruningOut, deletes=" and left no checkpoint")
