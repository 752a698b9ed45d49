"""Restored layers: which layer of the parent gives a pruned network its lost samples back."""

from uuid import UUID

from fastapi import APIRouter

from backend.schemas.evidence import EvidenceOut
from backend.schemas.layers import LayersIn, LayersOut
from backend.services import layers

router = APIRouter(tags=["evidence"])


@router.post(
    "/comparisons/layers",
    status_code=202,
    summary="Restore the parent's layers one at a time, and measure the lost samples again",
)
def post_layers(wanted: LayersIn) -> EvidenceOut:
    return layers.queue_layers(wanted)


@router.get("/evidence/{evidence_id}/layers", summary="What each restored layer gives back, the most first")
def get_layers(evidence_id: UUID) -> LayersOut:
    return layers.get_layers(evidence_id)
