"""Additional evidence: uploaded adversarials, replays of another evaluation's, and more effort on samples.

It lowers the best-known bounds of samples and never the margins that comparisons read (protocol 4.8).
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session

from backend.attacks.catalogue import get_preset
from backend.counts import count_words
from backend.datasets.adversarials import take_adversarials
from backend.errors import Conflict, InvalidRequest, NotComparable
from backend.jobs import kinds
from backend.jobs.drafts import check_preset_fits
from backend.jobs.lifecycle import hand_over
from backend.sandbox import Limits
from backend.schemas import Page
from backend.schemas.evidence import LOOKS, AttemptOut, EvidenceKind, EvidenceOut, HarderIn
from backend.schemas.records import EvidenceRecord
from backend.services.evaluations.measurements import eps_of
from backend.services.evaluations.service import load_evaluation
from backend.services.evidence.views import show_evidence
from backend.services.shared.arguments import MAX_MARGINS, check_page, read_id
from backend.services.shared.forecasts import UNKNOWN, forecast_waiting
from backend.services.shared.jobs import Jobs
from backend.settings import get_settings
from backend.store import checkpoints, results
from backend.store import evidence as store
from backend.store.database import reading, writing
from backend.store.tables import Evaluation, Evidence

PRIORITY = 10
SHOWN_INDICES = 8


def _show_all(session: Session, rows: Sequence[Evidence]) -> list[EvidenceOut]:
    names = checkpoints.names_by_evaluation(session, [row.evaluation_id for row in rows])
    forecasts = forecast_waiting(session, rows)
    return [
        show_evidence(row, checkpoint_name=names[row.evaluation_id], forecast=forecasts.get(row.id, UNKNOWN))
        for row in rows
    ]


JOBS = Jobs(kinds.EVIDENCE, _show_all, before_delete=store.withdraw)
get_evidence = JOBS.get
cancel_evidence, resume_evidence, delete_evidence = JOBS.cancel, JOBS.resume, JOBS.delete


def list_evidence(
    limit: int = 50,
    offset: int = 0,
    *,
    evaluation_ids: Sequence[UUID | str] | None = None,
    state: str | None = None,
    kind: EvidenceKind | None = None,
    with_slices: bool = True,
) -> Page[EvidenceOut]:
    """A page of evidence, newest first: of the given evaluations, in one state, of one kind, or without the slices."""
    conditions = [] if with_slices else [Evidence.kind != "slice"]
    if kind is not None:
        conditions.append(Evidence.kind == kind)
    if evaluation_ids is not None:
        conditions.append(Evidence.evaluation_id.in_([read_id(one, "evaluation") for one in evaluation_ids]))
    return JOBS.page(limit, offset, *conditions, state=state)


def list_of_evaluation(evaluation_id: UUID | str, limit: int = 50, offset: int = 0) -> Page[EvidenceOut]:
    """The same of one evaluation; NotFound where there is none of that id."""
    with reading() as session:
        row = load_evaluation(session, evaluation_id)
    return list_evidence(limit, offset, evaluation_ids=[row.id])


def list_of_sample(evaluation_id: UUID | str, index: int) -> list[EvidenceOut]:
    """Evidence that may lower the bound of one sample of an evaluation, newest first."""
    with reading() as session:
        row = load_evaluation(session, evaluation_id)
        found = [
            one for one in store.sources_of(session, row.id).values() if one.kind not in LOOKS and index in one.indices
        ]
        return _show_all(session, sorted(found, key=lambda one: one.series, reverse=True))


def attempts(evidence_id: UUID | str, limit: int = MAX_MARGINS, offset: int = 0) -> Page[AttemptOut]:
    """What it achieved on each sample, by index; malformed adversarials are counted in `refused` alone."""
    check_page(limit, offset, MAX_MARGINS)
    with reading() as session:
        row = JOBS.load(session, evidence_id)
        found, total = results.attempts_of_series(session, row.evaluation_id, row.series, limit, offset)
    items = [
        AttemptOut(
            index=index,
            sample_id=content_id,
            attack=attempt.attack,
            found=attempt.found,
            distance=attempt.distance,
            distance_kind="witness" if attempt.kind == "witness" else "minimum",
        )
        for attempt, index, content_id in found
    ]
    return Page(items=items, total=total, limit=limit, offset=offset)


def add_upload(
    path: Path, evaluation_id: UUID | str, *, source: str, indices: Sequence[int] | None = None
) -> EvidenceOut:
    """Keep uploaded adversarials and queue their checking; the file at `path` stays where it is.

    Args:
        path: .npy, float32 (n, C, H, W).
        source: whom to credit.
        indices: the row of the data set that each is for; by default all rows of the evaluation, ascending.

    Raises:
        NotFound: no such evaluation. Conflict: it has not succeeded.
        InvalidRequest: the indices are not the evaluation's, or not as many as the adversarials.
        UnreadableAdversarials, TooLarge: see `backend.datasets.adversarials`.
    """
    with reading() as session:
        evaluation = _load_succeeded(session, evaluation_id)
        height, width, channels = evaluation.dataset.shape
    rows = sorted(evaluation.indices) if indices is None else list(indices)
    _check_indices(rows, evaluation)
    settings = get_settings()
    limits = Limits.from_settings(settings)
    imported = take_adversarials(path, shape=(channels, height, width), out_dir=settings.artefacts, limits=limits)
    if imported.n != len(rows):
        which = "but the evaluation has" if indices is None else "but `indices` names"
        raise InvalidRequest(
            f"The file holds {count_words(imported.n, 'adversarial')}, {which} {count_words(len(rows), 'sample')}. "
            "Send one adversarial for each sample, and list the samples' rows of the data set in `indices`.",
            adversarials=imported.n,
            samples=len(rows),
        )
    record = EvidenceRecord(source_sha256=imported.source_sha256)
    return queue_evidence(evaluation, "upload", source.strip(), rows, file=imported.file_name, record=record)


def queue_replay(evaluation_id: UUID | str, source_evaluation_id: UUID | str) -> EvidenceOut:
    """Queue the trial of another evaluation's adversarials (of its primary run) on this one's checkpoint.

    Raises:
        NotFound: no such evaluation. Conflict: one has not succeeded.
        InvalidRequest: both are one, or their norms differ.
        NotComparable: they share no samples of which the other has an adversarial.
    """
    with reading() as session:
        evaluation = _load_succeeded(session, evaluation_id)
        source = _load_succeeded(session, source_evaluation_id)
        name = checkpoints.names_of(session, [source.checkpoint_id])[source.checkpoint_id]
        rows = results.replayable_indices(session, evaluation.id, source.id)
    if evaluation.id == source.id:
        raise InvalidRequest("An evaluation cannot be replayed on itself; name another evaluation.")
    if evaluation.norm != source.norm:
        raise InvalidRequest(
            f"Distances in {source.norm} are not bounds in {evaluation.norm}; replay an evaluation in the same norm."
        )
    if not rows:
        raise NotComparable("The other evaluation has no adversarial for any sample of this one.")
    return queue_evidence(evaluation, "replay", name, rows, source_evaluation_id=source.id)


def replay_pair(dense_id: UUID | str, pruned_id: UUID | str) -> list[EvidenceOut]:
    """Queue both directions: dense adversarials on the pruned network, and the reverse; raises as `queue_replay`."""
    return [queue_replay(pruned_id, dense_id), queue_replay(dense_id, pruned_id)]


def queue_harder(evaluation_id: UUID | str, request: HarderIn) -> EvidenceOut:
    """Queue further runs of a preset on chosen samples until the budget is spent.

    Raises:
        NotFound: no such evaluation. Conflict: it has not succeeded.
        UnknownName: no such preset.
        InvalidRequest: the preset does not fit, or a sample is none of the evaluation's or classified wrong already.
    """
    preset = get_preset(request.preset)
    with reading() as session:
        evaluation = _load_succeeded(session, evaluation_id)
        found = results.results_of(session, evaluation.id, request.samples)
    check_preset_fits(preset, evaluation.norm)
    if preset.needs_eps and evaluation.eps is None:
        raise InvalidRequest(f"The preset {preset.name} needs an eps, but the evaluation has none.")
    _check_indices(request.samples, evaluation)
    wrong = sorted(index for index, row in found.items() if not row.correct)
    if wrong:
        raise InvalidRequest(
            f"The network gets these rows wrong without any attack, so their margin is already 0: {_some(wrong)}.",
            samples=wrong[:100],
        )
    if preset.distance_kind == "witness" and evaluation.eps is not None:
        eps = eps_of(evaluation) or 0.0
        broken = sorted(index for index, row in found.items() if row.best_known is not None and row.best_known <= eps)
        if broken:
            raise InvalidRequest(
                f"The preset {preset.name} asks only whether eps is enough, and these rows are already broken within "
                f"it: {_some(broken)}. Use the preset margin to lower their bounds.",
                samples=broken[:100],
            )
    return queue_evidence(
        evaluation,
        "harder",
        f"{preset.name}, further seeds",
        list(request.samples),
        preset=preset.name,
        budget=request.budget,
        budget_unit=request.budget_unit,
        priority=request.priority,
    )


def queue_evidence(
    evaluation: Evaluation, kind: EvidenceKind, source: str, indices: list[int], **fields: object
) -> EvidenceOut:
    """Write it down and hand it to the queue."""
    values = {"priority": PRIORITY, "record": EvidenceRecord()} | fields
    row = Evidence(evaluation_id=evaluation.id, kind=kind, source=source, indices=indices, n=len(indices), **values)
    with writing() as session:
        store.add_evidence(session, row)
    hand_over(row)
    return get_evidence(row.id)


def _load_succeeded(session: Session, evaluation_id: UUID | str) -> Evaluation:
    row = load_evaluation(session, evaluation_id)
    if row.state != "succeeded":
        raise Conflict(
            f"Evaluation {row.id} is {row.state}; evidence is added to one that succeeded.",
            evaluation_id=str(row.id),
            state=row.state,
        )
    return row


def _check_indices(indices: Sequence[int], evaluation: Evaluation) -> None:
    """Refuse rows that the evaluation does not have, and rows named twice."""
    known = set(evaluation.indices)
    unknown = sorted({index for index in indices if index not in known})
    if unknown:
        raise InvalidRequest(f"The evaluation has no samples of these rows: {_some(unknown)}.", unknown=unknown[:100])
    repeated = sorted(index for index, times in Counter(indices).items() if times > 1)
    if repeated:
        raise InvalidRequest(f"Each row may be named only once; repeated: {_some(repeated)}.", repeated=repeated[:100])


def _some(indices: Sequence[int]) -> str:
    """The first few of some row numbers, and how many more there are."""
    more = len(indices) - SHOWN_INDICES
    return ", ".join(map(str, indices[:SHOWN_INDICES])) + (f" and {more:,} more" if more > 0 else "")
