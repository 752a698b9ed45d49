"""Checkpoints: upload, list, look at, rename, delete."""

from typing import Annotated
from uuid import UUID

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Query, Request, Response

from backend.api.errors import checked
from backend.api.forms import SENT_BEFORE, describe_form
from backend.api.incoming import received_form
from backend.api.lists import Limit, Offset
from backend.schemas import Page
from backend.schemas.checkpoints import CheckpointIn, CheckpointOut, CheckpointPatch
from backend.schemas.uploads import UploadOut
from backend.services import checkpoints, uploads

router = APIRouter(prefix="/checkpoints", tags=["checkpoints"])
imports = CapacityLimiter(2)  # each import is a child process with memory of its own

FORM_BODY = describe_form(CheckpointIn, SENT_BEFORE, ["name", "role", "dataset_id"])


@router.get("", summary="Checkpoints, newest first; with `name` the one that has it")
def get_checkpoints(
    limit: Limit = 50, offset: Offset = 0, name: Annotated[str | None, Query(max_length=200)] = None
) -> Page[CheckpointOut]:
    return checkpoints.list_checkpoints(limit, offset, name=name)


@router.post(
    "", status_code=201, summary="Import a checkpoint file; responds after the import", openapi_extra=FORM_BODY
)
async def post_checkpoint(request: Request) -> CheckpointOut:
    async with received_form(request) as (fields, arrived):
        form = checked(CheckpointIn, fields)
        return await to_thread.run_sync(add, form, arrived, limiter=imports)


def add(form: CheckpointIn, arrived: UploadOut) -> CheckpointOut:
    """Import the file, and forget the upload once that worked."""
    path, upload = uploads.find_upload(arrived.upload_id)
    added = checkpoints.add_checkpoint(path, form, filename=upload.filename)
    uploads.discard_upload(arrived.upload_id)
    return added


@router.get("/{checkpoint_id}", summary="One checkpoint")
def get_checkpoint(checkpoint_id: UUID) -> CheckpointOut:
    return checkpoints.get_checkpoint(checkpoint_id)


@router.patch("/{checkpoint_id}", summary="Change name, parent or claim")
def patch_checkpoint(checkpoint_id: UUID, patch: CheckpointPatch) -> CheckpointOut:
    return checkpoints.patch_checkpoint(checkpoint_id, patch)


@router.delete("/{checkpoint_id}", status_code=204, summary="Delete a checkpoint that nothing uses")
def delete_checkpoint(checkpoint_id: UUID) -> Response:
    checkpoints.delete_checkpoint(checkpoint_id)
    return Response(status_code=204)
