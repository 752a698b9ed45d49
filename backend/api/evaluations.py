"""Evaluations: queue one, and every number and image that it found."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from backend.api.files import ASK_FIRST, NPY, PNG, TABLE_CONTENT, cached, download
from backend.api.jobs import add_job_routes
from backend.api.lists import Limit, MarginLimit, Offset, SampleIndex, Scale
from backend.schemas import Page, State
from backend.schemas.evaluations import EvaluationIn, EvaluationOut, MarginRow, NoiseReport
from backend.services import evaluations, exports, samples
from backend.services.comparisons import noise

router = APIRouter(prefix="/evaluations", tags=["evaluations"])


@router.get("", summary="Evaluations, newest first")
def get_evaluations(
    limit: Limit = 50,
    offset: Offset = 0,
    checkpoint_id: UUID | None = None,
    state: State | None = None,
    repeat_of: UUID | None = None,
) -> Page[EvaluationOut]:
    return evaluations.list_evaluations(limit, offset, checkpoint_id=checkpoint_id, state=state, repeat_of=repeat_of)


@router.post("", status_code=202, summary="Queue an evaluation; with `repeat` several, and the first is returned")
def post_evaluation(wanted: EvaluationIn) -> EvaluationOut:
    return evaluations.queue_evaluation(wanted)


add_job_routes(router, "", evaluations.JOBS, EvaluationOut, deletes=", with its results, its evidence and its log")


@router.get(
    "/{evaluation_id}/margins",
    summary="Every sample: margin, verdict, attack",
    response_model=Page[MarginRow],
    responses={200: {"content": TABLE_CONTENT}},
)
def get_margins(
    evaluation_id: UUID,
    format: Literal["json", "csv", "parquet"] = "json",
    limit: MarginLimit = 100_000,
    offset: Offset = 0,
) -> Page[MarginRow] | Response:
    if format == "csv":
        return download(exports.margins_csv(evaluation_id), format, f"margins-{evaluation_id}")
    if format == "parquet":
        return download(exports.margins_parquet(evaluation_id), format, f"margins-{evaluation_id}")
    return evaluations.margins(evaluation_id, limit, offset)


@router.get("/{evaluation_id}/noise", summary="Spread of every margin over evaluations that differ only in the seed")
def get_noise(evaluation_id: UUID) -> NoiseReport:
    return noise.report_noise(evaluation_id)


@router.get("/{evaluation_id}/log", summary="The last lines of the evaluation's log")
def get_log(evaluation_id: UUID, lines: Annotated[int, Query(ge=1, le=1000)] = 100) -> list[dict[str, str]]:
    return [{key: str(value) for key, value in line.items()} for line in evaluations.log_tail(evaluation_id, lines)]


@router.get(
    "/{evaluation_id}/samples/{index}/adversarial.png",
    summary="The best verified adversarial, as an image to look at",
    response_class=Response,
    responses=PNG,
)
def get_adversarial_png(request: Request, evaluation_id: UUID, index: SampleIndex, scale: Scale = 1) -> Response:
    return cached(request, samples.adversarial_png(evaluation_id, index, scale), "image/png", ASK_FIRST)


@router.get(
    "/{evaluation_id}/samples/{index}/adversarial.npy",
    summary="The verified adversarial at the margin or at the best-known bound; float32 (C, H, W) in [0, 1]",
    response_class=Response,
    responses=NPY,
)
def get_adversarial_npy(
    request: Request, evaluation_id: UUID, index: SampleIndex, of: Literal["margin", "best-known"] = "margin"
) -> Response:
    content = samples.adversarial_npy(evaluation_id, index, of_bound=of == "best-known")
    return cached(request, content, "application/octet-stream", ASK_FIRST)


@router.post(
    "/{evaluation_id}/samples/{index}/adversarial",
    status_code=202,
    summary="Compute an adversarial again that an imported evaluation came without; 200 once it is stored",
    response_class=Response,
    responses={200: {"description": "It is stored"}},
)
def post_adversarial(evaluation_id: UUID, index: SampleIndex) -> Response:
    return Response(status_code=200 if samples.restore_adversarial(evaluation_id, index) else 202)


@router.get(
    "/{evaluation_id}/samples/{index}/perturbation.png",
    summary="The perturbation as an image: red is up, blue is down, white is zero",
    response_class=Response,
    responses=PNG,
)
def get_perturbation_png(
    request: Request,
    evaluation_id: UUID,
    index: SampleIndex,
    scale: Scale = 1,
    limit: Annotated[float | None, Query(ge=1e-6, le=1, description="Pixel change shown in full colour")] = None,
) -> Response:
    return cached(request, samples.perturbation_png(evaluation_id, index, scale, limit), "image/png", ASK_FIRST)
