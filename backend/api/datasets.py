"""Data sets: list, look at, delete, add one from an .npz file or a published archive."""

import json
from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from backend.api.errors import checked
from backend.api.files import ASK_FIRST, FOREVER, PNG, cached
from backend.api.forms import SENT_ALONG, describe_form
from backend.api.incoming import received_form
from backend.api.lists import DatasetId, Limit, Offset, SampleIndex, Scale
from backend.errors import InvalidRequest
from backend.schemas import Page
from backend.schemas.datasets import DatasetForm, DatasetOut, DatasetPatch
from backend.schemas.uploads import UploadOut
from backend.services import datasets, uploads

router = APIRouter(prefix="/datasets", tags=["data sets"])
imports = CapacityLimiter(2)  # each import is a child process with memory of its own


def class_names(text: str | None) -> list[str] | None:
    """Class names from a form field; raises InvalidRequest where a JSON list holds anything but text."""
    if text is None:
        return None
    if not text.lstrip().startswith("["):
        return [name.strip() for name in text.split(",")]
    try:
        names: Any = json.loads(text)
    except ValueError as error:
        raise InvalidRequest(f"`classes` is not a JSON list: {error}.") from error
    if not all(isinstance(name, str) for name in names):
        raise InvalidRequest("`classes` must list the names as text.")
    return list(names)


FORM_BODY = describe_form(DatasetForm, SENT_ALONG, ["file", "name"])


@router.get("", summary="Data sets, newest first")
def get_datasets(limit: Limit = 50, offset: Offset = 0) -> Page[DatasetOut]:
    return datasets.list_datasets(limit, offset)


@router.post(
    "",
    status_code=201,
    summary="Add a data set from an .npz file, or from a CIFAR or SVHN archive",
    openapi_extra=FORM_BODY,
)
async def post_dataset(request: Request) -> DatasetOut:
    async with received_form(request) as (fields, arrived):
        form = checked(DatasetForm, fields)
        return await to_thread.run_sync(add, form, arrived, limiter=imports)


def add(form: DatasetForm, arrived: UploadOut) -> DatasetOut:
    """Import the file, and forget the upload once that worked."""
    added = datasets.add_dataset(
        uploads.find_upload(arrived.upload_id)[0],
        name=form.name,
        default_norm=form.default_norm,
        default_eps=form.default_eps,
        classes=class_names(form.classes),
        split=form.split,
    )
    uploads.discard_upload(arrived.upload_id)
    return added


@router.get("/{dataset_id}", summary="One data set")
def get_dataset(dataset_id: DatasetId) -> DatasetOut:
    return datasets.get_dataset(dataset_id)


@router.patch("/{dataset_id}", summary="Change the name")
def patch_dataset(dataset_id: DatasetId, patch: DatasetPatch) -> DatasetOut:
    return datasets.patch_dataset(dataset_id, patch)


@router.delete("/{dataset_id}", status_code=204, summary="Delete a data set that nothing uses")
def delete_dataset(dataset_id: DatasetId) -> Response:
    datasets.delete_dataset(dataset_id)
    return Response(status_code=204)


@router.get("/{dataset_id}/samples/{index}.png", summary="One image", response_class=Response, responses=PNG)
def get_sample_png(request: Request, dataset_id: DatasetId, index: SampleIndex, scale: Scale = 1) -> Response:
    # A slug names another file in another home; an id never does.
    keeping = FOREVER if str(datasets.get_dataset(dataset_id).id) == dataset_id else ASK_FIRST
    return cached(request, datasets.sample_png(dataset_id, index, scale), "image/png", keeping)
