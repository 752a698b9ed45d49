"""Takes bundles in: what fits a checkpoint and a data set of this store is queued to be verified."""

from pathlib import Path
from typing import Literal

from sqlalchemy.orm import Session

from backend.bundles.archive import SUFFIX
from backend.errors import InvalidRequest, NotFound, UnreadableBundle
from backend.jobs import queue
from backend.jobs.bundled import (
    BundleOrigin,
    check_settings,
    explain_mismatch,
    find_rows_of_dataset,
    make_evaluation,
    max_bytes,
    open_rows,
)
from backend.jobs.lifecycle import hand_over
from backend.sandbox import Limits, make_in_child, run_in_child
from backend.schemas.bundles import BundledEvaluation, BundleManifest, BundleOut, BundlePreview, ImportedEvaluation
from backend.settings import get_settings
from backend.store import datasets
from backend.store.checkpoints import checkpoints_with_weights
from backend.store.database import reading, writing
from backend.store.tables import Checkpoint, Dataset, Evaluation

PRIORITY = 8  # before attacks: verifying takes seconds


def import_bundle(path: Path) -> BundleOut:
    """Keep an uploaded bundle and queue its evaluations; the file at `path` stays where it is.

    Rows count once a worker has verified them on the network of this store. Evaluations keep their ids, so that one
    that is here already is known.

    Raises:
        NotFound: no file at `path`.
        UnreadableBundle, TooLarge: damaged, contradictory or over a limit.
        InvalidRequest: not one of its evaluations can be taken; says why, for each.
    """
    if not path.is_file():
        raise NotFound("The uploaded file is missing. Send it again.")
    settings = get_settings()
    made = make_in_child(
        "backend.bundles.archive:copy_canonical",
        {"path": str(path.resolve()), "max_bytes": max_bytes(settings.import_memory_mb)},
        out_dir=settings.artefacts,
        suffix=SUFFIX,
        limits=Limits.from_settings(settings),
        rejection=UnreadableBundle,
    )
    manifest = BundleManifest.model_validate(made.result)
    outcomes, queued = [], []
    for entry in manifest.evaluations:
        with writing() as session:
            outcome, row = _take(session, entry, manifest, made.path.name)
            outcomes.append(outcome)
            if row is not None:
                session.add(row)
                queued.append(row)
    for row in queued:
        queue.forget(row.id)
    hand_over(*queued)
    if all(outcome.outcome == "refused" for outcome in outcomes):
        raise InvalidRequest(
            " ".join(dict.fromkeys(str(outcome.reason) for outcome in outcomes)),
            evaluations=[outcome.model_dump(mode="json") for outcome in outcomes],
        )
    return BundleOut(evaluations=outcomes)


def preview_bundle(path: Path) -> BundlePreview:
    """What is in an uploaded bundle and, as far as its manifest says, what would become of each evaluation.

    Raises:
        NotFound: no file at `path`. UnreadableBundle, TooLarge: no bundle.
    """
    if not path.is_file():
        raise NotFound("The uploaded file is missing. Send it again.")
    told = run_in_child(
        "backend.bundles.archive:tell_manifest",
        {"path": str(path.resolve())},
        limits=Limits.from_settings(get_settings()),
        rejection=UnreadableBundle,
    )
    manifest = BundleManifest.model_validate(told)
    with reading() as session:
        outcomes = [_foresee(session, entry) for entry in manifest.evaluations]
    return BundlePreview(
        made_at=manifest.made_at, thinice=manifest.thinice, engine=manifest.engine, evaluations=outcomes
    )


def _foresee(session: Session, entry: BundledEvaluation) -> ImportedEvaluation:
    if session.get(Evaluation, entry.id) is not None:
        return _tell(entry, "known")
    checkpoint = _find_checkpoint(session, entry)
    if checkpoint is None:
        return _tell(entry, "refused", _ask_for_checkpoint(entry))
    return _tell(entry, "queued") if _list_datasets(session, checkpoint, entry) else _refuse_samples(entry, [])


def _tell(
    entry: BundledEvaluation, outcome: Literal["queued", "known", "refused"], reason: str | None = None
) -> ImportedEvaluation:
    return ImportedEvaluation(
        evaluation_id=entry.id,
        checkpoint_name=entry.checkpoint.name,
        preset=entry.preset,
        n=entry.n,
        adversarials=entry.adversarials,
        outcome=outcome,
        reason=reason,
    )


def _refuse_samples(entry: BundledEvaluation, reasons: list[str]) -> ImportedEvaluation:
    told = "; ".join(reasons) or f"no data set here has images of {entry.dataset.shape}"
    return _tell(
        entry,
        "refused",
        f"The samples of {entry.dataset.slug} that were attacked are not here ({told}). Upload that data set.",
    )


def _take(
    session: Session, entry: BundledEvaluation, manifest: BundleManifest, artefact: str
) -> tuple[ImportedEvaluation, Evaluation | None]:
    """What becomes of one evaluation, and its row where it is new."""
    if session.get(Evaluation, entry.id) is not None:
        return _tell(entry, "known"), None
    _, rows = open_rows(artefact, entry.folder)
    try:
        check_settings(entry, rows)
    except InvalidRequest as error:
        return _tell(entry, "refused", error.message), None
    checkpoint = _find_checkpoint(session, entry)
    if checkpoint is None:
        return _tell(entry, "refused", _ask_for_checkpoint(entry)), None
    reasons = []
    for dataset in _list_datasets(session, checkpoint, entry):
        _, content_ids, labels = find_rows_of_dataset(session, dataset)
        reason = explain_mismatch(entry, rows, content_ids, labels)
        if reason is None:
            origin = BundleOrigin(artefact, manifest.made_at)
            row = make_evaluation(
                entry, rows, checkpoint, dataset, content_ids, origin, priority=PRIORITY, purpose="user"
            )
            return _tell(entry, "queued"), row
        reasons.append(f"{dataset.slug}: {reason}")
    return _refuse_samples(entry, reasons), None


def _find_checkpoint(session: Session, entry: BundledEvaluation) -> Checkpoint | None:
    """The checkpoint with these very weights, architecture and normalisation; of several the one of that name."""
    wanted = entry.checkpoint
    found = [
        row
        for row in checkpoints_with_weights(session, wanted.weights_sha256)
        if (row.architecture, row.normalization) == (wanted.architecture, wanted.normalization)
    ]
    return min(found, key=lambda row: (row.name != wanted.name, row.created_at), default=None)


def _ask_for_checkpoint(entry: BundledEvaluation) -> str:
    wanted = entry.checkpoint
    return (
        f"Upload the checkpoint {wanted.name} first ({wanted.architecture}, normalisation {wanted.normalization}, "
        f"file with SHA-256 {wanted.source_sha256[:12]}…, weights {wanted.weights_sha256[:12]}…)."
    )


def _list_datasets(session: Session, checkpoint: Checkpoint, entry: BundledEvaluation) -> list[Dataset]:
    """Data sets that may hold the samples: that of the same slug first, then the checkpoint's, then all others."""
    found = [row for row in datasets.all_datasets(session) if tuple(row.shape) == entry.dataset.shape]
    found = [row for row in found if len(row.classes) == entry.dataset.classes]
    return sorted(found, key=lambda row: (row.slug != entry.dataset.slug, row.id != checkpoint.dataset_id))
