"""Families: a table of everything made from one dense checkpoint, and the paper's claims answered for it."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from backend.api.files import FAMILY_CONTENT, download
from backend.api.lists import Limit, Offset
from backend.schemas import Norm, Page
from backend.schemas.families import FamilyOut, FamilyRoot
from backend.services import families
from backend.services.families import texts

router = APIRouter(prefix="/families", tags=["families"])

Eps = Annotated[str | None, Query(max_length=40, description='"8/255" or a decimal; default: the data set\'s')]
ChosenNorm = Annotated[Norm | None, Query(description="Default: the data set's")]
Method = Annotated[str, Query(max_length=40, description="The method whose losses are compared with all others'")]


@router.get("", summary="Dense checkpoints that others may come from, those with the most pruned ones first")
def get_families(limit: Limit = 50, offset: Offset = 0) -> Page[FamilyRoot]:
    return families.list_families(limit, offset)


@router.get(
    "/{checkpoint_id}",
    summary="A row for each checkpoint made from a dense one, and three questions answered yes, no or cannot tell",
    response_model=FamilyOut,
    responses={200: {"content": FAMILY_CONTENT}},
)
def get_family(
    checkpoint_id: UUID,
    norm: ChosenNorm = None,
    eps: Eps = None,
    method: Method = families.OWN_METHOD,
    format: Literal["json", "csv", "markdown", "latex"] = "json",
) -> FamilyOut | Response:
    found = families.get_family(checkpoint_id, norm=norm, eps=eps, method=method)
    if format == "json":
        return found
    return download(texts.WRITERS[format](found), format, f"family-{found.name}")
