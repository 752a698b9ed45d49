"""Boundary slices: both networks' classes on a plane through one sample."""

from uuid import UUID

from fastapi import APIRouter, Response

from backend.schemas import ACTIVE
from backend.schemas.evidence import EvidenceOut
from backend.schemas.slices import SliceIn, SliceOut
from backend.services import slices

router = APIRouter(tags=["evidence"])


@router.post(
    "/comparisons/slices",
    status_code=202,
    summary="Draw a boundary slice of a sample, a job of about a second; 200 once it has ended",
    responses={200: {"model": EvidenceOut, "description": "It was drawn before, or it failed or was cancelled"}},
)
def post_slice(wanted: SliceIn, response: Response) -> EvidenceOut:
    found = slices.queue_slice(wanted)
    response.status_code = 202 if found.state in ACTIVE else 200
    return found


@router.get("/evidence/{evidence_id}/slice", summary="The classes of both networks on the plane of a boundary slice")
def get_slice(evidence_id: UUID) -> SliceOut:
    return slices.get_slice(evidence_id)
