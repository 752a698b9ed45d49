"""Bundles: finished evaluations as one file, exported here and imported elsewhere."""

from typing import Annotated
from uuid import UUID

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Query, Request
from starlette.background import BackgroundTask
from starlette.responses import FileResponse

from backend.api.errors import checked
from backend.api.forms import SENT_BEFORE, describe_form
from backend.api.incoming import received_form
from backend.errors import InvalidRequest
from backend.schemas.bundles import AdversarialsKept, BundleForm, BundleOut
from backend.schemas.uploads import UploadOut
from backend.services import bundles, uploads

MEDIA_TYPE = "application/vnd.thinice.bundle+zip"
LARGEST = 1_000

router = APIRouter(prefix="/bundles", tags=["bundles"])
imports = CapacityLimiter(2)  # each import is a child process with memory of its own


@router.get(
    "",
    summary="Finished evaluations as one file",
    response_class=FileResponse,
    responses={200: {"content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}}},
)
def get_bundle(
    evaluation: Annotated[list[UUID], Query(min_length=1, max_length=LARGEST, description="May be given repeatedly")],
    adversarials: Annotated[AdversarialsKept, Query(description="Whether the images go along")] = "all",
) -> FileResponse:
    if len(set(evaluation)) < len(evaluation):
        raise InvalidRequest("An evaluation is named twice.")
    path, name = bundles.export_file(evaluation, adversarials)
    return FileResponse(path, media_type=MEDIA_TYPE, filename=name, background=BackgroundTask(path.unlink))


@router.post(
    "",
    status_code=202,
    summary="Import a bundle; its rows count once they are verified on the networks of this server",
    openapi_extra=describe_form(BundleForm, SENT_BEFORE, []),
)
async def post_bundle(request: Request) -> BundleOut:
    async with received_form(request) as (fields, arrived):
        checked(BundleForm, fields)
        return await to_thread.run_sync(take, arrived, limiter=imports)


def take(arrived: UploadOut) -> BundleOut:
    """Import the file, and forget the upload once that worked."""
    outcome = bundles.import_bundle(uploads.find_upload(arrived.upload_id)[0])
    uploads.discard_upload(arrived.upload_id)
    return outcome
