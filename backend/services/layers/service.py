"""Which layer of the parent gives a pruned network its lost samples back: queue the measurement, and read it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backend.analysis import flips
from backend.analysis.outcomes import largest_within
from backend.analysis.pairing import judge_at
from backend.analysis.statistics import wilson
from backend.eps import parse_eps
from backend.errors import Conflict, InvalidRequest, NotComparable, NotFound
from backend.schemas.comparisons import PairedSample, Rate
from backend.schemas.evidence import EvidenceOut
from backend.schemas.layers import LayersIn, LayersOut, RestoredLayerOut
from backend.schemas.records import EvidenceRecord, LayersRecord, RestoredLayer
from backend.services import comparisons, evidence
from backend.services.comparisons import numbers
from backend.services.comparisons.service import choose_eps
from backend.services.comparisons.sides import Sides, load_sides
from backend.services.evaluations.measurements import load_indices
from backend.store import evidence as store
from backend.store.artefacts import artefact_path
from backend.store.checkpoints import names_of
from backend.store.database import reading
from backend.store.tables import Checkpoint, Evidence

MOST_LOST, MOST_KEPT = 300, 100
WEIGHT = ".weight"


def queue_layers(wanted: LayersIn) -> EvidenceOut:
    """Queue the measurement of every layer on the samples that pruning lost, and on some that it kept.

    Where there are more than `MOST_LOST` or `MOST_KEPT`, those with the smallest sample ids are taken, which are
    hashes and so say nothing of the samples.

    Raises:
        NotFound: no such evaluation. Conflict: one has not succeeded.
        NotComparable: the two networks differ in their layers, or nothing was lost.
        InvalidRequest: the norms differ, or `index` is no lost sample.
    """
    with reading() as session:
        sides = load_sides(session, wanted.dense, wanted.pruned)
        name = names_of(session, [sides.dense.checkpoint_id])[sides.dense.checkpoint_id]
    if sides.dense.norm != sides.pruned.norm:
        raise InvalidRequest("The two evaluations are in different norms, so no sample is lost between them.")
    layers = find_shared_layers(sides.dense_checkpoint, sides.pruned_checkpoint)
    eps = choose_eps(sides, wanted.eps)
    samples = comparisons.paired_samples(sides.dense.id, sides.pruned.id, eps)
    lost, kept, lost_in_all = choose_samples(samples, wanted.index)
    rows = load_indices(sides.pruned_key)
    record = LayersRecord(
        eps=eps, names=tuple(layers), lost=len(lost), kept=len(kept), lost_in_all=lost_in_all, n=sides.pruned.n
    )
    return evidence.queue_evidence(
        sides.pruned,
        "layers",
        name,
        [rows[sample.sample_id] for sample in (*lost, *kept)],
        source_evaluation_id=sides.dense.id,
        record=EvidenceRecord(layers=record),
    )


def find_shared_layers(dense: Checkpoint, pruned: Checkpoint) -> list[str]:
    """Names of the layers with weights, in the order of the network; NotComparable where the two differ in them."""
    shapes = [[(layer["name"], tuple(layer["shape"])) for layer in one.layers] for one in (dense, pruned)]
    if shapes[0] != shapes[1] or dense.architecture != pruned.architecture:
        raise NotComparable(
            f"{dense.name} and {pruned.name} have different layers, so none of the one fits into the other."
        )
    return [name.removesuffix(WEIGHT) for name, _ in shapes[0]]


def choose_samples(
    samples: Sequence[PairedSample], index: int | None
) -> tuple[list[PairedSample], list[PairedSample], int]:
    """The lost samples that are measured, the kept ones, and how many are lost in all. See `queue_layers`."""
    by_id = sorted(samples, key=lambda sample: (sample.index != index, sample.sample_id))
    lost = [sample for sample in by_id if is_lost(sample)]
    if index is not None and not any(sample.index == index for sample in lost):
        raise InvalidRequest(f"Sample {index} is not lost, neither clean nor at this eps.", index=index)
    if not lost:
        raise NotComparable("Pruning lost no sample at this eps, so there is nothing to give back.")
    chosen = lost[:MOST_LOST]
    kept = [sample for sample in by_id if sample.robust_set == "S11"][: min(MOST_KEPT, len(chosen))]
    return chosen, kept, len(lost)


def is_lost(sample: PairedSample) -> bool:
    """Lost clean or at eps."""
    return "S10" in (sample.set, sample.robust_set)


def get_layers(evidence_id: UUID | str) -> LayersOut:
    """What is measured so far, the layer that gives back most first.

    Raises:
        NotFound: there is no evidence of that id, or it restored no layers.
        Conflict: an evaluation of the pair is gone.
    """
    with reading() as session:
        return show_layers(session, evidence.JOBS.load(session, evidence_id))


def find_layers(dense_id: UUID | str, pruned_id: UUID | str, eps: str) -> LayersOut | None:
    """The newest measurement of a pair at an eps, by its exact text; None where there is none."""
    with reading() as session:
        sides = load_sides(session, dense_id, pruned_id)
        rows = store.looks_of(session, "layers", sides.pruned.id, sides.dense.id)
        newest = next((row for row in rows if row.record.layers is not None and row.record.layers.eps == eps), None)
        return None if newest is None else show_layers(session, newest)


def show_layers(session: Session, row: Evidence) -> LayersOut:
    """The record of one measurement, counted."""
    found = row.record.layers
    if row.kind != "layers" or found is None:
        raise NotFound(f"Evidence {row.id} restored no layers.", evidence_id=str(row.id))
    if row.source_evaluation_id is None:
        raise Conflict("The evaluation of the dense network is gone.")
    sides = load_sides(session, row.source_evaluation_id, row.evaluation_id)
    sets = find_sets(sides, found, row.indices)
    limit = largest_within(float(parse_eps(found.eps)), sides.pruned.record.distance_kind or "minimum")
    counted = [count_layer(layer, found.n, limit, sets) for layer in found.restored]
    return LayersOut(
        evidence_id=row.id,
        dense_evaluation_id=row.source_evaluation_id,
        pruned_evaluation_id=row.evaluation_id,
        state=row.state,  # type: ignore[arg-type]  # text in the store; the schema refuses another one
        eps=float(parse_eps(found.eps)),
        eps_text=found.eps,
        preset=row.evaluation.preset,
        indices=row.indices,
        lost=found.lost,
        lost_in_all=found.lost_in_all,
        kept=found.kept,
        layers=sorted(counted, key=rank),
        names=list(found.names),
    )


def rank(layer: RestoredLayerOut) -> tuple[float, float]:
    """Most samples back at eps first, then most back clean."""
    robust, clean = (0.0 if rate is None else -rate.value for rate in (layer.robust_back, layer.clean_back))
    return robust, clean


def find_sets(sides: Sides, found: LayersRecord, indices: Sequence[int]) -> dict[str, NDArray[np.bool_]]:
    """Which of the measured samples are lost clean, lost at eps, and kept at eps."""
    joined, eps = numbers.join(sides.dense_key, sides.pruned_key), float(parse_eps(found.eps))
    ids = {row: sample_id for sample_id, row in load_indices(sides.pruned_key).items()}
    measured = np.searchsorted(joined.sample_ids, [ids[index] for index in indices])
    clean, robust = flips.name_sets(joined)[measured], flips.name_sets(judge_at(joined, eps), eps)[measured]
    return {"clean": clean == "S10", "robust": robust == "S10", "kept": robust == "S11"}


def count_layer(layer: RestoredLayer, n: int, limit: float, sets: dict[str, NDArray[np.bool_]]) -> RestoredLayerOut:
    """What one layer gives back, with n and intervals; margins up to `limit` lie within eps."""
    margins: NDArray[np.float64] = np.load(artefact_path(layer.file), allow_pickle=False)
    is_right = margins > 0
    holds = is_right & (margins > limit)

    def rate(of: NDArray[np.bool_], among: NDArray[np.bool_]) -> Rate | None:
        n = int(among.sum())
        return numbers.show_rate(wilson(int((of & among).sum()), n)) if n else None

    values: dict[str, Any] = {
        "clean_back": rate(is_right, sets["clean"]),
        "robust_back": rate(holds, sets["robust"]),
        "kept_held": rate(holds, sets["kept"]),
        "clean_accuracy": numbers.show_rate(wilson(layer.correct, n)),
        "margins": [float(margin) if np.isfinite(margin) else None for margin in margins],
    }
    return RestoredLayerOut(
        name=layer.name, parts=list(layer.parts), weights=layer.weights, seconds=layer.seconds, **values
    )
