"""Files sent before their form: a raw body straight to disk, as the upload page does it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from backend.api.incoming import received_body
from backend.schemas.uploads import UploadOut

router = APIRouter(prefix="/uploads", tags=["checkpoints"])

RAW_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.put("", status_code=201, summary="Send a file; use the returned upload_id in a form", openapi_extra=RAW_BODY)
async def put_upload(request: Request, filename: Annotated[str, Query(max_length=500)] = "upload") -> UploadOut:
    return await received_body(request, filename)
