"""The routes that every kind of job has: read one, follow it, cancel, resume and delete it."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from backend.api import events
from backend.schemas.evaluations import EvaluationOut
from backend.schemas.evidence import EvidenceOut
from backend.schemas.prunings import PruningOut
from backend.services.shared.jobs import Jobs

Shape = type[EvaluationOut] | type[EvidenceOut] | type[PruningOut]


def add_job_routes(router: APIRouter, path: str, jobs: Jobs[Any, Any], shape: Shape, *, deletes: str) -> None:
    """Add the routes of one kind under `path`; `deletes` says what goes with a job, or which ones can go."""
    kind = jobs.kind
    place = f"{path}/{{{kind.noun}_id}}"
    identity = Path(alias=f"{kind.noun}_id")

    @router.get(place, response_model=shape, summary=f"Read {kind.one}: state, progress and what came of it")
    def get_job(job_id: UUID = identity) -> Any:
        return jobs.get(job_id)

    @router.post(
        f"{place}/cancel",
        response_model=shape,
        summary=f"Cancel {kind.one} that waits or runs; it keeps {kind.keeps}",
    )
    def post_cancel(job_id: UUID = identity) -> Any:
        return jobs.cancel(job_id)

    @router.post(
        f"{place}/resume",
        response_model=shape,
        summary=f"Resume {kind.one} that failed or was cancelled, from where it stopped",
    )
    def post_resume(job_id: UUID = identity) -> Any:
        return jobs.resume(job_id)

    @router.delete(place, status_code=204, summary=f"Delete {kind.one} that has ended{deletes}")
    def delete_job(job_id: UUID = identity) -> Response:
        jobs.delete(job_id)
        return Response(status_code=204)

    @router.get(
        f"{place}/events",
        summary=f"Follow {kind.one}: server-sent events, `progress` for each change and `done` at the end",
        response_class=EventSourceResponse,
    )
    async def get_events(request: Request, first: Annotated[Any, Depends(get_job)]) -> AsyncIterator[ServerSentEvent]:
        async for event in events.follow(request, first, jobs.get):
            yield event
