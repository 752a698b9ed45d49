"""The shipped results of the shipped networks: shown at the first start, then verified in the background."""

import logging
from collections.abc import Collection
from pathlib import Path

from sqlalchemy.orm import Session

from backend.attacks.catalogue import ENGINE
from backend.bundles.archive import SUFFIX, read_manifest, read_rows
from backend.bundles.rows import BundledRows
from backend.errors import StartupFailed, UnreadableBundle
from backend.jobs import queue
from backend.jobs.bundled import chunk_rows, explain_mismatch, find_rows_of_dataset, make_evaluation, take_part
from backend.registry.cards import find_zoo
from backend.schemas.bundles import BundledEvaluation, BundleManifest
from backend.schemas.records import ImportedRun
from backend.services.demo import PURPOSE
from backend.services.evaluations.measurements import summarise
from backend.store import datasets, evaluations
from backend.store.artefacts import put_bytes
from backend.store.database import reading, writing
from backend.store.tables import Checkpoint, Evaluation

LOG = logging.getLogger(__name__)
FILE = f"results{SUFFIX}"
PRIORITY = 50
LARGEST_MEMBER = 256 * 1024 * 1024


def load_results(zoo: Collection[Checkpoint], path: Path | None = None) -> int:
    """Bring the shipped results into the store and queue their verification; those that are there stay.

    Results of another engine, of other weights or of other images are left out, which the log says.

    Returns:
        How many evaluations were brought in.

    Raises:
        StartupFailed: the file is damaged.
    """
    path = path or find_zoo() / FILE
    if not path.is_file():
        return 0
    try:
        manifest = read_manifest(path)
        if manifest.engine != ENGINE:
            LOG.warning(
                "the shipped results are of attack engine %d, this is engine %d: none is shown", manifest.engine, ENGINE
            )
            return 0
        with reading() as session:
            missing = [one for one in manifest.evaluations if session.get(Evaluation, one.id) is None]
        if not missing:
            return 0
        artefact = put_bytes(path.read_bytes(), SUFFIX)
        by_weights = {row.weights_sha256: row for row in zoo}
        loaded = [
            row
            for entry in missing
            if (row := _load(entry, read_rows(path, entry, LARGEST_MEMBER), by_weights, manifest, artefact)) is not None
        ]
    except UnreadableBundle as error:
        raise StartupFailed(f"The shipped results are damaged: {error.message}", file=path.name) from error
    for row in loaded:
        summarise(row)
        queue.enqueue(queue.VERIFY, queue.SHIPPED_PREFLIGHT_PRIORITY, row.id)
    LOG.info("loaded %d shipped evaluations", len(loaded))
    return len(loaded)


def _load(
    entry: BundledEvaluation,
    rows: BundledRows,
    by_weights: dict[str, Checkpoint],
    manifest: BundleManifest,
    artefact: str,
) -> Evaluation | None:
    """Write one shipped evaluation down as finished; None where network or images are others."""
    checkpoint = by_weights.get(entry.checkpoint.weights_sha256)
    if checkpoint is None:
        LOG.warning("shipped results of %s are left out: these weights are not shipped", entry.checkpoint.name)
        return None
    with writing() as session:
        dataset = datasets.need_dataset(session, checkpoint.dataset_id)
        numbers, content_ids, labels = find_rows_of_dataset(session, dataset)
        reason = explain_mismatch(entry, rows, content_ids, labels)
        if reason is not None:
            LOG.warning("shipped results of %s are left out: %s", entry.checkpoint.name, reason)
            return None
        imported = ImportedRun(
            bundle=artefact,
            folder=entry.folder,
            made_at=manifest.made_at,
            adversarials=entry.adversarials,
            found=int(rows.results["found"].to_numpy().sum()),
            is_shipped=True,
        )
        row = make_evaluation(entry, rows, checkpoint, dataset, imported, priority=PRIORITY, purpose=PURPOSE)
        row.created_at = row.started_at = entry.finished_at
        row.state = "running"
        session.add(row)
        session.flush()
        _store_chunks(session, entry, rows, numbers)
        row.state, row.stage, row.done = "succeeded", "done", entry.n
        row.flags, row.finished_at = list(entry.flags), entry.finished_at
    return row


def _store_chunks(session: Session, entry: BundledEvaluation, rows: BundledRows, numbers: dict[int, int]) -> None:
    for chunk in entry.chunks:
        stored = chunk_rows(entry.id, take_part(entry, rows, chunk.number), numbers)
        evaluations.store_chunk(session, *stored)
