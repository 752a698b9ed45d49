"""Evaluations that come in a bundle, as rows of the store. No torch: the web process brings the shipped ones in."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import eq
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backend.attacks.catalogue import get_preset
from backend.bundles.archive import read_manifest, read_rows
from backend.bundles.rows import BundledRows, Columns, list_columns
from backend.eps import check_eps, parse_eps
from backend.errors import InvalidRequest, NotFound
from backend.jobs.drafts import check_preset_fits, hash_ordered, start_record, tell_selection
from backend.jobs.shards import write_shard
from backend.schemas.bundles import BundledChunk, BundledEvaluation
from backend.schemas.records import ImportedRun, RunRecord
from backend.settings import get_settings
from backend.store import datasets
from backend.store.artefacts import artefact_path
from backend.store.evaluations import IMPORTED
from backend.store.tables import Checkpoint, Dataset, Evaluation


@dataclass(frozen=True)
class BundledPart:
    """Some chunks of a bundled evaluation: their results and attempts, the latter by position in the part."""

    chunks: list[BundledChunk]
    results: Columns
    attempts: Columns
    adversarials: NDArray[np.float32]


@lru_cache(maxsize=1)
def open_rows(artefact: str, folder: str) -> tuple[BundledEvaluation, BundledRows]:
    """One evaluation of a kept bundle, read once for all of its chunks; raises as `bundles.archive.read_rows`."""
    path = artefact_path(artefact)
    entry = next((one for one in read_manifest(path).evaluations if one.folder == folder), None)
    if entry is None:
        raise NotFound(f"The bundle {artefact} has no evaluation {folder}.")
    return entry, read_rows(path, entry, max_bytes(get_settings().import_memory_mb))


def max_bytes(memory_mb: int) -> int:
    """The most that one member of a bundle may take when an import may take that much memory."""
    return memory_mb * 1024 * 1024 // 4


def take_part(entry: BundledEvaluation, rows: BundledRows, number: int) -> BundledPart:
    """One chunk of a bundled evaluation."""
    low = number * entry.chunk_size
    chunk = entry.chunks[number]
    position = rows.attempts["position"]
    inside = pc.and_(pc.greater_equal(position, low), pc.less(position, low + chunk.samples))
    attempts = list_columns(rows.attempts.filter(inside))
    attempts["position"] = [place - low for place in attempts["position"]]
    return BundledPart([chunk], list_columns(rows.results.slice(low, chunk.samples)), attempts, rows.adversarials)


def take_whole(entry: BundledEvaluation, rows: BundledRows) -> BundledPart:
    """All chunks of a bundled evaluation at once."""
    return BundledPart(entry.chunks, list_columns(rows.results), list_columns(rows.attempts), rows.adversarials)


def find_rows_of_dataset(session: Session, dataset: Dataset) -> tuple[dict[int, int], list[str], list[int]]:
    """(the store's sample number by row, content ids by row, labels by row) of a data set."""
    found = datasets.dataset_rows(session, dataset.id)
    numbers = {index: number for index, number, _, _ in found}
    return numbers, [content for _, _, content, _ in found], [label for _, _, _, label in found]


def explain_mismatch(
    entry: BundledEvaluation, rows: BundledRows, content_ids: Sequence[str], labels: Sequence[int]
) -> str | None:
    """Why a data set's rows are not the samples that were attacked; None where they are, with the same labels."""
    indices = rows.results["index"].to_numpy().tolist()
    if max(indices) >= len(content_ids):
        return f"it has {len(content_ids):,} samples, and row {max(indices):,} was attacked"
    if hash_ordered([content_ids[index] for index in indices]) != entry.dataset.samples_sha256:
        return "its images differ from those that were attacked"
    if [labels[index] for index in indices] != rows.results["label"].to_numpy().tolist():
        return "its labels differ from those of the evaluation"
    return None


@dataclass(frozen=True)
class BundleOrigin:
    """Where an evaluation comes from: the artefact of the bundle, when that was written, and whether we ship it."""

    artefact: str
    made_at: datetime
    is_shipped: bool = False


def make_evaluation(
    entry: BundledEvaluation,
    rows: BundledRows,
    checkpoint: Checkpoint,
    dataset: Dataset,
    content_ids: Sequence[str],
    origin: BundleOrigin,
    **fields: Any,
) -> Evaluation:
    """The row of a bundled evaluation, under the id that it had where it was measured; nothing is verified yet.

    What this store knows itself of network, samples and settings stands in the record, whatever the bundle says.

    Args:
        content_ids: of every row of the data set.
    """
    indices = rows.results["index"].to_numpy().tolist()
    known = start_record(
        checkpoint, dataset, [content_ids[one] for one in indices], get_preset(entry.preset), entry.norm, entry.eps
    )
    imported = ImportedRun(
        bundle=origin.artefact,
        folder=entry.folder,
        made_at=origin.made_at,
        adversarials=entry.adversarials,
        found=count_found(rows),
        is_shipped=origin.is_shipped,
    )
    return Evaluation(
        id=entry.id,
        checkpoint_id=checkpoint.id,
        dataset_id=dataset.id,
        preset=entry.preset,
        norm=entry.norm,
        eps=entry.eps,
        indices=indices,
        selection=tell_selection(indices, content_ids, entry.selection),
        n=entry.n,
        seed=entry.seed,
        chunk_size=entry.chunk_size,
        record=entry.record.merge(known).merge(RunRecord(seed=entry.seed, imported=imported)),
        **fields,
    )


def check_settings(entry: BundledEvaluation, rows: BundledRows) -> None:
    """Refuse what an evaluation could not have been asked for here, or rows of another kind than its preset gives.

    Raises:
        UnknownName: no such preset. InvalidRequest: norm, eps or distances do not fit.
    """
    preset = get_preset(entry.preset)
    check_preset_fits(preset, entry.norm)
    if entry.eps is not None:
        check_eps(entry.eps, entry.norm, math.prod(entry.dataset.shape))
    elif preset.needs_eps:
        raise InvalidRequest(f"The preset {preset.name} needs an eps, and the bundle names none.")
    kinds = set(rows.results["kind"].unique().to_pylist())
    if kinds != {preset.distance_kind}:
        raise InvalidRequest(f"The preset {preset.name} gives {preset.distance_kind} distances, the bundle other ones.")
    margins = rows.results["margin"].drop_null().to_numpy()
    if preset.distance_kind == "witness" and entry.eps is not None and len(margins):
        eps = float(parse_eps(entry.eps))
        if float(margins.max()) > eps:
            raise InvalidRequest(f"A verdict at {entry.eps} cannot rest on an adversarial beyond it.")


def count_found(rows: BundledRows) -> int:
    """Samples for which the run found an adversarial; wrong ones need none."""
    found, margin = rows.results["found"].to_numpy(), rows.results["margin"].fill_null(0.0).to_numpy()
    return int((found & (margin > 0)).sum())


def stored_columns(
    evaluation_id: UUID, part: BundledPart, numbers: dict[int, int]
) -> tuple[list[dict[str, Any]], Columns, Columns]:
    """(chunks, attempts, results) as `store.evaluations.store_chunks` takes them; adversarials become shards.

    Args:
        numbers: the store's sample number by row of the data set.
    """
    shard, places = _write_series(part.results, part.adversarials)
    ids = [numbers[index] for index in part.results["index"]]
    results = {name: values for name, values in part.results.items() if name != "adversarial"} | {
        "evaluation_id": [evaluation_id] * len(ids),
        "sample_id": ids,
        "correct": list(map(eq, part.results["label"], part.results["prediction"])),
        "shard": [None if place is None else shard for place in places],
        "shard_row": places,
    }
    own_shard, own_places = _write_series(part.attempts, part.adversarials)
    position = part.attempts["position"]
    attempts = {name: values for name, values in part.attempts.items() if name not in ("position", "adversarial")} | {
        "evaluation_id": [evaluation_id] * len(position),
        "sample_id": [ids[one] for one in position],
        "artefact": [
            own_shard if own is not None else results["shard"][one] if is_best else None
            for one, own, is_best in zip(position, own_places, _find_best(part), strict=True)
        ],
        "shard_row": own_places,
    }
    chunks = [one.model_dump() | {"evaluation_id": evaluation_id, "worker_id": IMPORTED} for one in part.chunks]
    return chunks, attempts, results


def _find_best(part: BundledPart) -> list[bool]:
    """Of each attempt whether it is the one that its sample's result is about."""
    chosen, attempts = part.results["attack"], part.attempts
    columns = (attempts[name] for name in ("position", "series", "found", "attack"))
    return [
        series == 0 and found and attack == chosen[one] for one, series, found, attack in zip(*columns, strict=True)
    ]


def _write_series(rows: Columns, images: NDArray[np.float32]) -> tuple[str | None, list[int | None]]:
    """Keep the adversarials that some rows name as one shard; gives its name and each row's place in it."""
    kept = [row for row in rows["adversarial"] if row is not None]
    places = iter(range(len(kept)))
    name = write_shard(images[kept]) if kept else None
    return name, [None if row is None else next(places) for row in rows["adversarial"]]
