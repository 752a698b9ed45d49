"""Claims and what a re-evaluation leaves of them; published figures as references."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from backend.api.lists import Limit, Offset
from backend.schemas import Page
from backend.schemas.claims import ClaimCheck, ReferenceFigure
from backend.services import claims
from backend.services.claims import references

router = APIRouter(prefix="/claims", tags=["claims"])

Preset = Annotated[
    str | None, Query(max_length=40, description="Compare claims only with evaluations that use this preset")
]
CheckpointId = Annotated[UUID | None, Query(description="Only the claim of this checkpoint")]


@router.get("", summary="Claimed and re-evaluated robust accuracy, next to the parent's and the control's")
def get_claims(
    limit: Limit = 50, offset: Offset = 0, preset: Preset = None, checkpoint_id: CheckpointId = None
) -> Page[ClaimCheck]:
    return claims.list_claims(limit, offset, preset=preset, checkpoint_id=checkpoint_id)


@router.get("/references", summary="Published figures, never measured here and never mixed with our measurements")
def get_references(limit: Limit = 50, offset: Offset = 0) -> Page[ReferenceFigure]:
    return references.list_references(limit, offset)
