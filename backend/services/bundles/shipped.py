"""The shipped results of the shipped networks: shown at the first start, then verified in the background."""

import logging
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from backend.attacks.catalogue import ENGINE
from backend.bundles.archive import SUFFIX, read_manifest, read_rows
from backend.bundles.rows import BundledRows
from backend.errors import StartupFailed, UnreadableBundle
from backend.jobs import queue
from backend.jobs.bundled import (
    BundleOrigin,
    check_settings,
    explain_mismatch,
    find_rows_of_dataset,
    make_evaluation,
    stored_columns,
    take_whole,
)
from backend.registry.cards import find_zoo
from backend.schemas.bundles import BundledEvaluation, BundleManifest
from backend.services.demo import PURPOSE
from backend.services.evaluations.measurements import summarise
from backend.store import checkpoints, datasets, evaluations
from backend.store.artefacts import put_bytes
from backend.store.database import one_at_a_time, reading, writing
from backend.store.discarded import list_discarded
from backend.store.tables import Checkpoint, Evaluation

LOG = logging.getLogger(__name__)
FILE = f"results{SUFFIX}"
PRIORITY = 50
LARGEST_MEMBER = 256 * 1024 * 1024


def find_results() -> Path | None:
    """Where the shipped results lie; None where there are none, or they are of another engine, which the log says.

    Raises:
        StartupFailed: the file is damaged.
    """
    path = find_zoo() / FILE
    if not path.is_file():
        return None
    try:
        manifest = read_manifest(path)
    except UnreadableBundle as error:
        raise StartupFailed(f"The shipped results are damaged: {error.message}", file=path.name) from error
    return path if is_of_this_engine(manifest) else None


def list_shipped(path: Path) -> list[UUID]:
    """Ids of the evaluations in shipped results."""
    return [entry.id for entry in read_manifest(path).evaluations]


def is_of_this_engine(manifest: BundleManifest) -> bool:
    if manifest.engine == ENGINE:
        return True
    LOG.warning(
        "the shipped results are of attack engine %d, this is engine %d: none is shown", manifest.engine, ENGINE
    )
    return False


def load_results(path: Path, is_stopping: Callable[[], bool] = lambda: False) -> int:
    """Bring shipped results into the store, one evaluation after the other, then queue their verification: before, it
    would take the time of what pages wait for.

    Those that are there stay, and those that a user deleted stay away; those of other weights or of other images are
    left out, which the log says.

    Args:
        is_stopping: asked before each evaluation; what is left then comes at the next start.

    Returns:
        How many evaluations were brought in.

    Raises:
        UnreadableBundle: the rows of an evaluation are damaged.
    """
    manifest = read_manifest(path)
    if not is_of_this_engine(manifest):
        return 0
    with reading() as session:
        gone = list_discarded(session)
        stored = {one.id: session.get(Evaluation, one.id) for one in manifest.evaluations if not is_gone(one, gone)}
        zoo = {row.weights_sha256: row for row in checkpoints.all_checkpoints(session) if row.origin == "zoo"}
    missing = [one for one in manifest.evaluations if one.id in stored and stored[one.id] is None]
    present = [row for row in stored.values() if row is not None]
    loaded = []
    if missing:
        origin = BundleOrigin(put_bytes(path.read_bytes(), SUFFIX), manifest.made_at, is_shipped=True)
        for entry in missing:
            if is_stopping():
                break
            rows = read_rows(path, entry, LARGEST_MEMBER)
            with one_at_a_time():
                row = _load(entry, rows, zoo, origin)
            if row is not None:
                queue.forget(row.id)
                summarise(row)
                loaded.append(row)
        LOG.info("loaded %d shipped evaluations", len(loaded))
    for row in [*present, *loaded]:  # a start that was cut off may not have come to it
        if row.record.imported is not None and not row.record.imported.predictions:
            _queue_verification(row)
    return len(loaded)


def is_gone(entry: BundledEvaluation, discarded: set[str]) -> bool:
    """Whether a user deleted the evaluation or its network."""
    return str(entry.id) in discarded or entry.checkpoint.source_sha256 in discarded


def _queue_verification(row: Evaluation) -> None:
    """Asked twice it is done once."""
    queue.enqueue(queue.VERIFY, queue.SHIPPED_PREFLIGHT_PRIORITY, row.id)


def _load(
    entry: BundledEvaluation,
    rows: BundledRows,
    by_weights: dict[str, Checkpoint],
    origin: BundleOrigin,
) -> Evaluation | None:
    """Write one shipped evaluation down as finished; None where it is there, or network or images are others."""
    checkpoint = by_weights.get(entry.checkpoint.weights_sha256)
    if checkpoint is None:
        LOG.warning("shipped results of %s are left out: these weights are not shipped", entry.checkpoint.name)
        return None
    with writing() as session:
        if session.get(Evaluation, entry.id) is not None:
            return None
        dataset = datasets.need_dataset(session, checkpoint.dataset_id)
        numbers, content_ids, labels = find_rows_of_dataset(session, dataset)
        reason = explain_mismatch(entry, rows, content_ids, labels)
        if reason is not None:
            LOG.warning("shipped results of %s are left out: %s", entry.checkpoint.name, reason)
            return None
        check_settings(entry, rows)
        row = make_evaluation(entry, rows, checkpoint, dataset, content_ids, origin, priority=PRIORITY, purpose=PURPOSE)
        row.created_at = row.started_at = entry.finished_at
        row.state, row.stage, row.done = "succeeded", "done", entry.n
        row.flags, row.finished_at = list(entry.flags), entry.finished_at
        session.add(row)
        session.flush()
        evaluations.store_chunks(session, *stored_columns(entry.id, take_whole(entry, rows), numbers))
    return row
