"""Boundary slices of a pair's samples. A slice that was drawn is kept: the same request leads to it."""

from uuid import UUID

import numpy as np

from backend.errors import Conflict, InvalidRequest, NotComparable, NotFound
from backend.jobs import queue
from backend.schemas.evidence import EvidenceOut
from backend.schemas.records import EvidenceRecord, SliceRecord
from backend.schemas.slices import SliceIn, SliceOut
from backend.services import evidence
from backend.services.comparisons.sides import load_sides
from backend.store import evidence as store
from backend.store import results
from backend.store.artefacts import artefact_path
from backend.store.checkpoints import names_of
from backend.store.database import reading
from backend.store.tables import Evidence, Result


def queue_slice(wanted: SliceIn) -> EvidenceOut:
    """The slice of a sample: the one that was asked for before, whatever became of it, else a new one that waits.

    Raises:
        NotFound: no such evaluation, or one of the two has no such sample.
        Conflict: one of them has not succeeded.
        InvalidRequest: their norms differ.
        NotComparable: neither network has an adversarial of the sample, so that nothing spans a plane.
    """
    with reading() as session:
        sides = load_sides(session, wanted.dense, wanted.pruned)
        name = names_of(session, [sides.dense.checkpoint_id])[sides.dense.checkpoint_id]
        found = results.find_result(session, sides.dense.id, wanted.index)
        row = None if found is None else session.get(Result, (sides.pruned.id, found[0].sample_id))
        if found is None or row is None:
            raise NotFound(f"Sample {wanted.index} is not among those that the two share.", index=wanted.index)
        before = store.find_slice(session, sides.pruned.id, sides.dense.id, row.index, wanted.points)
    if before is not None:
        return evidence.get_evidence(before)
    if sides.dense.norm != sides.pruned.norm:
        raise InvalidRequest(
            f"One plane cannot show distances in {sides.dense.norm} and in {sides.pruned.norm}; use evaluations in "
            "the same norm."
        )
    if not any(one.correct and one.found for one in (found[0], row)):
        raise NotComparable(
            "Neither network has an adversarial of this sample: each is wrong without any attack, or no attack found "
            "one. So nothing spans a plane.",
            index=wanted.index,
        )
    record = EvidenceRecord(slice=SliceRecord(index=row.index, points=wanted.points))
    return evidence.queue_evidence(
        sides.pruned,
        "slice",
        name,
        [row.index],
        source_evaluation_id=sides.dense.id,
        priority=queue.RESTORE_PRIORITY,
        record=record,
    )


def get_slice(evidence_id: UUID | str) -> SliceOut:
    """A slice that was drawn.

    Raises:
        NotFound: there is no evidence of that id, or it is no slice.
        Conflict: it is not drawn (yet); says its state.
    """
    with reading() as session:
        row = evidence.JOBS.load(session, evidence_id)
        label = results.results_of(session, row.evaluation_id, row.indices)
        norm = row.evaluation.norm
    if row.kind != "slice" or row.record.slice is None:
        raise NotFound(f"Evidence {row.id} is no boundary slice.", evidence_id=str(row.id))
    if row.state != "succeeded":
        raise Conflict(f"This slice is {row.state}; there is nothing to show yet.", state=row.state)
    return read_slice(row, label[row.record.slice.index].label, norm)


def read_slice(row: Evidence, label: int, norm: str) -> SliceOut:
    """The record of a slice with its classes."""
    drawn = row.record.slice
    assert drawn is not None and drawn.file is not None
    dense, pruned = np.load(artefact_path(drawn.file), allow_pickle=False).tolist()
    return SliceOut.model_validate(
        {
            "evidence_id": row.id,
            "dense_evaluation_id": row.source_evaluation_id,
            "pruned_evaluation_id": row.evaluation_id,
            "label": label,
            "norm": norm,
            "dense": dense,
            "pruned": pruned,
            **{name: getattr(drawn, name) for name in ("index", "points", "half_width", "gradient_of", "marks")},
            **{name: getattr(drawn, name) for name in ("unit_ball", "pixel_box", "seconds")},
        }
    )
