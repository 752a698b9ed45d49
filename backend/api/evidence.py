"""Additional evidence: uploaded adversarials, replays, more effort on chosen samples."""

import json
from uuid import UUID

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request

from backend.api.errors import checked
from backend.api.forms import SENT_BEFORE, describe_form
from backend.api.incoming import received_form
from backend.api.jobs import add_job_routes
from backend.api.lists import Limit, MarginLimit, Offset
from backend.errors import InvalidRequest
from backend.schemas import Page, State
from backend.schemas.evidence import AttemptOut, EvidenceKind, EvidenceOut, HarderIn, PairIn, ReplayIn, UploadForm
from backend.schemas.uploads import UploadOut
from backend.services import evidence, uploads

router = APIRouter(tags=["evidence"])
imports = CapacityLimiter(2)  # each import is a child process with memory of its own


FORM_BODY = describe_form(UploadForm, SENT_BEFORE, ["source"])


def read_indices(text: str | None) -> list[int] | None:
    """Row numbers from a form field; raises InvalidRequest for anything but a JSON list of whole numbers."""
    if text is None:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"`indices` is not a JSON list: {error}.") from error
    if not isinstance(found, list) or not all(type(index) is int for index in found):
        raise InvalidRequest("`indices` must be a JSON list of whole numbers, such as [3, 17].")
    return found


@router.get("/evaluations/{evaluation_id}/evidence", summary="Additional evidence of an evaluation, newest first")
def get_evidence_of(evaluation_id: UUID, limit: Limit = 50, offset: Offset = 0) -> Page[EvidenceOut]:
    return evidence.list_of_evaluation(evaluation_id, limit, offset)


@router.post(
    "/evaluations/{evaluation_id}/evidence",
    status_code=202,
    summary="Upload adversarials; each one is verified in float32 before it counts",
    openapi_extra=FORM_BODY,
)
async def post_evidence(request: Request, evaluation_id: UUID) -> EvidenceOut:
    async with received_form(request) as (fields, arrived):
        form = checked(UploadForm, fields)
        return await to_thread.run_sync(add, evaluation_id, form, arrived, limiter=imports)


def add(evaluation_id: UUID, form: UploadForm, arrived: UploadOut) -> EvidenceOut:
    """Take the file, and forget the upload once that worked."""
    path, _ = uploads.find_upload(arrived.upload_id)
    added = evidence.add_upload(path, evaluation_id, source=form.source, indices=read_indices(form.indices))
    uploads.discard_upload(arrived.upload_id)
    return added


@router.post(
    "/evaluations/{evaluation_id}/replay",
    status_code=202,
    summary="Try another evaluation's adversarials on this one's checkpoint",
)
def post_replay(evaluation_id: UUID, wanted: ReplayIn) -> EvidenceOut:
    return evidence.queue_replay(evaluation_id, wanted.source_evaluation_id)


@router.post("/evaluations/{evaluation_id}/attack-harder", status_code=202, summary="Spend a budget on chosen samples")
def post_harder(evaluation_id: UUID, wanted: HarderIn) -> EvidenceOut:
    return evidence.queue_harder(evaluation_id, wanted)


@router.post("/comparisons/replay", status_code=202, summary="Replay both ways: dense on pruned, and pruned on dense")
def post_pair_replay(wanted: PairIn) -> list[EvidenceOut]:
    return evidence.replay_pair(wanted.dense, wanted.pruned)


@router.get("/evidence", summary="Additional evidence of all evaluations, newest first")
def get_evidence(
    limit: Limit = 50, offset: Offset = 0, state: State | None = None, kind: EvidenceKind | None = None
) -> Page[EvidenceOut]:
    return evidence.list_evidence(limit, offset, state=state, kind=kind)


add_job_routes(router, "/evidence", evidence.JOBS, EvidenceOut, deletes=", and withdraw the bounds that it set")


@router.get("/evidence/{evidence_id}/attempts", summary="What evidence achieved on each sample")
def get_attempts(evidence_id: UUID, limit: MarginLimit = 100_000, offset: Offset = 0) -> Page[AttemptOut]:
    return evidence.attempts(evidence_id, limit, offset)
