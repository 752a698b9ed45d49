"""Files sent before their form: a raw body straight to disk, as the upload page does it."""

from typing import Annotated
from uuid import UUID

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Query, Request

from backend.api.incoming import received_body
from backend.schemas.uploads import UploadOut, UploadPreview
from backend.services import checkpoints

router = APIRouter(prefix="/uploads", tags=["checkpoints"])
previews = CapacityLimiter(1)  # each is two child processes; imports do not wait for it

RAW_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.put("", status_code=201, summary="Send a file; use the returned upload_id in a form", openapi_extra=RAW_BODY)
async def put_upload(request: Request, filename: Annotated[str, Query(max_length=500)] = "upload") -> UploadOut:
    return await received_body(request, filename)


@router.get(
    "/{upload_id}/preview",
    summary="What a checkpoint file holds, and which checkpoint it was made from, by its weights",
)
async def get_preview(
    upload_id: UUID, dataset_id: Annotated[str, Query(max_length=200, description="UUID or slug")]
) -> UploadPreview:
    return await to_thread.run_sync(checkpoints.preview_upload, upload_id, dataset_id, limiter=previews)
