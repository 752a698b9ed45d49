"""Writes finished evaluations as a bundle."""

import os
import tempfile
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backend.attacks.catalogue import ENGINE
from backend.bundles.archive import SUFFIX, write_bundle
from backend.bundles.rows import ATTEMPTS, RESULTS, BundledRows
from backend.errors import Conflict
from backend.jobs.drafts import hash_ordered
from backend.schemas.bundles import (
    AdversarialsKept,
    BundledCheckpoint,
    BundledChunk,
    BundledEvaluation,
    BundleManifest,
)
from backend.services.evaluations.service import load_evaluation
from backend.services.uploads import uploads_folder
from backend.store import datasets, evaluations, results
from backend.store.artefacts import artefact_path
from backend.store.database import reading
from backend.store.tables import Evaluation, now

Kept = Mapping[UUID, Collection[int]] | None
"""Rows of the data set whose adversarials are written, by evaluation; None for all of them."""


def export_bundle(evaluation_ids: Sequence[UUID | str], target: Path, *, kept: Kept = None) -> BundleManifest:
    """Write evaluations with their own run's rows to `target`; additional evidence is left out.

    Args:
        kept: whose adversarials to write; an evaluation that is not named keeps none.

    Raises:
        NotFound: no such evaluation. Conflict: one has not succeeded.
    """
    with reading() as session:
        found = [_load_succeeded(session, one) for one in evaluation_ids]
        parts = (_read_part(session, row, f"{number:03}", kept) for number, row in enumerate(found))
        return write_bundle(target, parts, made_at=now(), thinice=version("thinice"), engine=ENGINE)


def export_file(evaluation_ids: Sequence[UUID | str], adversarials: AdversarialsKept = "all") -> tuple[Path, str]:
    """A bundle in a file that the caller deletes, and a name for it that a person can read; raises as above."""
    handle, name = tempfile.mkstemp(dir=uploads_folder(), prefix="export-", suffix=SUFFIX)
    os.close(handle)
    target = Path(name)
    try:
        manifest = export_bundle(evaluation_ids, target, kept=None if adversarials == "all" else {})
    except BaseException:
        target.unlink()
        raise
    return target, name_bundle(manifest)


def name_bundle(manifest: BundleManifest) -> str:
    """A file name that a person can read: the one checkpoint and preset, or how many evaluations there are."""
    first, count = manifest.evaluations[0], len(manifest.evaluations)
    if count == 1:
        return f"{first.checkpoint.name}-{first.preset}-n{first.n}.thinice"
    return f"thin-ice-{count}-evaluations-{manifest.made_at:%Y-%m-%d}.thinice"


def _load_succeeded(session: Session, evaluation_id: UUID | str) -> Evaluation:
    row = load_evaluation(session, evaluation_id)
    if row.state != "succeeded":
        raise Conflict(f"Evaluation {row.id} is {row.state}; only finished ones can be exported.", state=row.state)
    return row


def _read_part(session: Session, row: Evaluation, folder: str, kept: Kept) -> tuple[BundledEvaluation, BundledRows]:
    """One evaluation as a bundle has it; its rows are read once."""
    by_index = {one.index: one for one in results.rows_of(session, row.id)}
    found = [by_index[index] for index in row.indices]
    position = {one.sample_id: number for number, one in enumerate(found)}
    attempts = results.own_attempts(session, row.id)
    attempts.sort(key=lambda one: (position[one.sample_id], one.series, one.attack))
    wanted = None if kept is None else set(kept.get(row.id, ()))
    places = [_place(one.shard, one.shard_row, one.index, wanted) for one in found]
    places += [
        # The primary run's adversarials belong to the results.
        _place(one.artefact, one.shard_row if one.series else None, found[position[one.sample_id]].index, wanted)
        for one in attempts
    ]
    written = [place for place in places if place is not None]
    numbers = iter(range(len(written)))
    adversarial = [None if place is None else next(numbers) for place in places]
    result_columns = {name: [getattr(one, name) for one in found] for name in RESULTS.names if name != "adversarial"}
    attempt_columns = {name: [getattr(one, name) for one in attempts] for name in ATTEMPTS.names[1:-1]}
    attempt_columns["position"] = [position[one.sample_id] for one in attempts]
    rows = BundledRows(
        _make_table(RESULTS, result_columns | {"adversarial": adversarial[: len(found)]}),
        _make_table(ATTEMPTS, attempt_columns | {"adversarial": adversarial[len(found) :]}),
        _load_images(written, tuple(row.dataset.shape)),
    )
    return _describe(session, row, folder, len(written)), rows


Place = tuple[str, int] | None
"""Shard of an adversarial and its row in it; None where it is not written."""


def _place(shard: str | None, row: int | None, index: int, wanted: set[int] | None) -> Place:
    return None if shard is None or row is None or (wanted is not None and index not in wanted) else (shard, row)


def _describe(session: Session, row: Evaluation, folder: str, adversarials: int) -> BundledEvaluation:
    checkpoint, dataset = row.checkpoint, row.dataset
    content_ids = {index: content for index, _, content, _ in datasets.dataset_rows(session, dataset.id)}
    samples = hash_ordered([content_ids[index] for index in row.indices])
    shared = ("id", "preset", "norm", "eps", "selection", "n", "seed", "chunk_size", "flags", "finished_at")
    return BundledEvaluation.model_validate(
        {name: getattr(row, name) for name in shared}
        | {
            "folder": folder,
            "checkpoint": {name: getattr(checkpoint, name) for name in BundledCheckpoint.model_fields},
            "dataset": {
                "slug": dataset.slug,
                "shape": tuple(dataset.shape),
                "classes": len(dataset.classes),
                "samples_sha256": samples,
            },
            "chunks": [
                {name: getattr(chunk, name) for name in BundledChunk.model_fields}
                for chunk in evaluations.chunks_of(session, row.id)
            ],
            "record": row.record.model_copy(update={"imported": None}),
            "adversarials": adversarials,
        }
    )


def _make_table(schema: pa.Schema, columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    return pa.table([pa.array(columns[field.name], type=field.type) for field in schema], schema=schema)


def _load_images(places: Sequence[tuple[str, int]], shape: tuple[int, ...]) -> NDArray[np.float32]:
    height, width, channels = shape
    images = np.zeros((len(places), channels, height, width), dtype=np.float32)
    for number, (shard, row) in enumerate(places):
        images[number] = _open_shard(shard)[row]
    return images


@lru_cache(maxsize=8)
def _open_shard(shard: str) -> NDArray[np.float32]:
    found: NDArray[np.float32] = np.load(artefact_path(shard), mmap_mode="r", allow_pickle=False)
    return found
