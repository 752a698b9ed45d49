"""Comparisons: what pruning changed, in numbers and sample by sample."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from backend.api.files import ASK_FIRST, FOREVER, TABLE_CONTENT, cached, download
from backend.api.lists import MarginLimit, Offset
from backend.schemas import FlipSet, Page
from backend.schemas.comparisons import ComparisonOut, PairColumns, PairedSample
from backend.schemas.several import SeveralColumns, SeveralOut
from backend.services import comparisons, exports

router = APIRouter(prefix="/comparisons", tags=["comparisons"])

Dense = Annotated[UUID, Query(description="Evaluation of the dense checkpoint")]
Pruned = Annotated[UUID, Query(description="Evaluation of the pruned checkpoint")]
SeveralPruned = Annotated[
    list[UUID], Query(min_length=1, max_length=8, description="Evaluations of pruned checkpoints; repeat the key")
]
Eps = Annotated[str | None, Query(max_length=40, description='"8/255" or a decimal; default: that of the evaluations')]
Label = Annotated[int | None, Query(ge=0, description="Number of a class: only its samples")]
Pick = Annotated[
    str | None,
    Query(max_length=100_000, description="A selection: `dense_0_7/255` (a range of margins) or `rows_5.3-2` (rows)"),
]
Thin = Annotated[
    str | None, Query(max_length=40, description='On thin ice: right for the dense network, margin up to "7/255"')
]
Version = Annotated[str | None, Query(max_length=40, description="That of the columns: they may then be kept forever")]


@router.get("", summary="Flips, tests, curves and prediction for a pair of evaluations")
def get_comparison(dense: Dense, pruned: Pruned, eps: Eps = None) -> ComparisonOut:
    return comparisons.compare(dense, pruned, eps)


@router.get(
    "/columns",
    summary="The samples of a comparison as columns, to cut them at any eps without asking again",
    response_model=PairColumns,
)
def get_pair_columns(request: Request, dense: Dense, pruned: Pruned, version: Version = None) -> Response:
    columns = comparisons.pair_columns(dense, pruned)
    keeping = FOREVER if version == columns.version else ASK_FIRST
    return cached(request, columns.model_dump_json().encode(), "application/json", keeping)


@router.get(
    "/several",
    summary="Up to eight pruned evaluations against a dense one: what each loses, and which losses they have in common",
)
def get_several(dense: Dense, pruned: SeveralPruned, eps: Eps = None) -> SeveralOut:
    return comparisons.compare_several(dense, pruned, eps)


@router.get(
    "/several/columns",
    summary="The samples that all of these evaluations share as columns, to cut them at any eps without asking again",
    response_model=SeveralColumns,
)
def get_several_columns(request: Request, dense: Dense, pruned: SeveralPruned, version: Version = None) -> Response:
    columns = comparisons.several_columns(dense, pruned)
    keeping = FOREVER if version == columns.version else ASK_FIRST
    return cached(request, columns.model_dump_json().encode(), "application/json", keeping)


@router.get(
    "/samples",
    summary="The samples of a comparison, by dense margin; `set=S10` gives those that pruning lost",
    description="`view=robust` means the sets at eps. A selection is written as in the addresses of the dashboard.",
    response_model=Page[PairedSample],
    responses={200: {"content": TABLE_CONTENT}},
)
def get_paired_samples(
    dense: Dense,
    pruned: Pruned,
    eps: Eps = None,
    set: FlipSet | None = None,
    view: Literal["clean", "robust"] = "clean",
    label: Label = None,
    pick: Pick = None,
    thin: Thin = None,
    format: Literal["json", "csv", "parquet"] = "json",
    limit: MarginLimit = 100_000,
    offset: Offset = 0,
) -> Page[PairedSample] | Response:
    choice = comparisons.SampleFilter(set, view, label, pick, thin)
    rows = choice.narrow(comparisons.paired_samples(dense, pruned, eps))
    name = f"samples-{set or 'all'}-{dense}-{pruned}"
    if format == "csv":
        return download(exports.samples_csv(rows), format, name)
    if format == "parquet":
        return download(exports.samples_parquet(rows), format, name)
    return Page(items=rows[offset : offset + limit], total=len(rows), limit=limit, offset=offset)
