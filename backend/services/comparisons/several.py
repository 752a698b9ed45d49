"""Several pruned checkpoints against one dense checkpoint, on the samples that all of them share."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from itertools import combinations
from uuid import UUID

import numpy as np

from backend.analysis import flips
from backend.analysis.curves import accuracy, default_grid, robustness_curve
from backend.analysis.mismatches import is_equal_effort
from backend.analysis.outcomes import FloatArray, Outcomes
from backend.analysis.overlaps import Overlap, SeveralLosses, count_losses, join_several
from backend.analysis.pairing import Pair
from backend.eps import parse_eps
from backend.errors import InvalidRequest, NotComparable
from backend.schemas.comparisons import CurvePoint
from backend.schemas.several import LossOverlap, SeveralColumns, SeveralOut, SeveralRow, SharedLosses
from backend.services.comparisons import numbers
from backend.services.comparisons.columns import LAYOUT, encode, find_thinness, show_side
from backend.services.comparisons.effort import find_mismatches, show_mismatch
from backend.services.comparisons.service import choose_eps
from backend.services.comparisons.sides import Sides, load_sides
from backend.services.evaluations.measurements import Finished, load_indices, load_outcomes
from backend.store.database import reading
from backend.store.tables import Checkpoint, Evaluation

MOST = 8  # as many as have a colour of their own (frontend/theme.py)
KEPT = 16
ONE_TRAINING = (
    "Each checkpoint is one training: intervals are over samples, and the variation between training seeds is not "
    "included."
)
DIFFERENT_EFFORT = "Not all checkpoints were attacked like the dense one: their losses are not comparable."


@dataclass(frozen=True)
class Several:
    """The rows of one dense evaluation and of each pruned one, and the key under which their samples are kept."""

    sides: list[Sides]

    @property
    def keys(self) -> tuple[Finished, ...]:
        return (self.sides[0].dense_key, *(one.pruned_key for one in self.sides))

    @property
    def dense(self) -> Evaluation:
        return self.sides[0].dense

    @property
    def version(self) -> str:
        """Of the columns: another one where an evaluation was made anew."""
        ends = [key.finished_at.isoformat() for key in self.keys]
        return sha256("|".join([str(LAYOUT), *ends]).encode()).hexdigest()[:16]


def compare_several(
    dense_id: UUID | str, pruned_ids: Sequence[UUID | str], eps: str | float | None = None
) -> SeveralOut:
    """What each pruned checkpoint loses, and which losses they have in common.

    Args:
        dense_id, pruned_ids: succeeded evaluations with margins, 1 to 8 pruned ones; a control may be among them.
        eps: as in `compare`, by default what the dense and the first pruned evaluation name.

    Raises:
        InvalidRequest: too few or too many pruned evaluations, one of them twice, or no eps can be told.
        NotFound, Conflict: as `compare`.
        NotComparable: no margins, different norms, or no sample that all of them share.
    """
    several = load_several(dense_id, pruned_ids)
    text = choose_eps(several.sides[0], eps)
    number = float(parse_eps(text))
    pairs = join(several.keys)
    grid = default_grid([pairs[0].dense, *(one.pruned for one in pairs)])
    shown = [
        show_row(one.pruned, one.pruned_checkpoint, found, found.pruned, number, grid)
        for one, found in zip(several.sides, pairs, strict=True)
    ]
    effort = [
        find_mismatches(one.dense, one.pruned, one.dense_key, one.pruned_key, found)
        for one, found in zip(several.sides, pairs, strict=True)
    ]
    itself = replace(pairs[0], pruned=pairs[0].dense)
    return SeveralOut(
        dense=show_row(several.dense, several.sides[0].dense_checkpoint, itself, itself.dense, number, grid),
        pruned=[
            row.model_copy(update={"mismatches": [show_mismatch(each) for each in found]})
            for row, found in zip(shown, effort, strict=True)
        ],
        dataset_id=several.dense.dataset_id,
        norm=several.dense.norm,
        eps=number,
        eps_text=text,
        n=pairs[0].n,
        clean=show_losses(count_losses(pairs), several),
        robust=show_losses(count_losses(pairs, number), several),
        notes=[ONE_TRAINING, *([] if all(map(is_equal_effort, effort)) else [DIFFERENT_EFFORT])],
    )


def several_columns(dense_id: UUID | str, pruned_ids: Sequence[UUID | str]) -> SeveralColumns:
    """The shared samples by dense margin, as `pair_columns` gives those of a pair: 32 bytes a sample, and 12 for each
    pruned evaluation.

    Raises:
        as `compare_several`, but for eps.
    """
    several = load_several(dense_id, pruned_ids)
    pairs = join(several.keys)
    order = np.argsort(pairs[0].dense.margin, kind="stable")
    dense, indices = pairs[0].dense.take(order), load_indices(several.keys[0])
    return SeveralColumns(
        version=several.version,
        n=len(order),
        norm=several.dense.norm,
        dataset_id=several.dense.dataset_id,
        index=encode([indices[str(sample)] for sample in dense.sample_ids], "<i4"),
        label=encode(dense.labels, "<i4"),
        dense=show_side(dense),
        pruned=[show_side(one.pruned.take(order)) for one in pairs],
        thinness=encode(find_thinness(dense), "<f8"),
        logit_gap=encode(dense.logit_gap, "<f8"),
    )


def several_version(dense_id: UUID | str, pruned_ids: Sequence[UUID | str]) -> str:
    """The version of the columns, without reading them."""
    return load_several(dense_id, pruned_ids).version


def several_margins(dense_id: UUID | str, pruned_ids: Sequence[UUID | str]) -> list[FloatArray]:
    """Margins of the shared samples, those of the dense evaluation first; as stored, infinite where none was found."""
    pairs = join(load_several(dense_id, pruned_ids).keys)
    return [pairs[0].dense.margin, *(one.pruned.margin for one in pairs)]


def load_several(dense_id: UUID | str, pruned_ids: Sequence[UUID | str]) -> Several:
    """The rows, if they can stand side by side; raises as `compare_several`."""
    ids = [str(one) for one in pruned_ids]
    if not 1 <= len(ids) <= MOST:
        raise InvalidRequest(f"Give 1 to {MOST} pruned evaluations; got {len(ids)}.", pruned=ids)
    if len({str(dense_id), *ids}) <= len(ids):
        raise InvalidRequest("Each evaluation can stand there once only; one of them was given twice.", pruned=ids)
    with reading() as session:
        sides = [load_sides(session, dense_id, one) for one in ids]
    for row in (sides[0].dense, *(one.pruned for one in sides)):
        check_row(row, sides[0].dense.norm)
    return Several(sides)


def check_row(row: Evaluation, norm: str) -> None:
    """Refuse verdicts at one eps, and margins of another norm."""
    if row.record.distance_kind == "witness":
        raise NotComparable(
            f"The evaluation of {row.checkpoint.name} with {row.preset} holds verdicts at one eps; several checkpoints "
            "are compared by their margins.",
            evaluation_id=str(row.id),
        )
    if row.norm != norm:
        raise NotComparable(
            f"The margins of {row.checkpoint.name} are {row.norm}, those of the dense checkpoint {norm}.",
            evaluation_id=str(row.id),
        )


@lru_cache(maxsize=KEPT)
def join(keys: tuple[Finished, ...]) -> tuple[Pair, ...]:
    """A pair for each pruned evaluation, all on the samples that every one has; the dense key comes first."""
    dense, *pruned = map(load_outcomes, keys)
    return tuple(join_several(dense, pruned))


def show_row(
    row: Evaluation, checkpoint: Checkpoint, joined: Pair, own: Outcomes, eps: float, grid: FloatArray
) -> SeveralRow:
    """The figures of one evaluation, whose samples are `own`."""
    clean, robust = flips.summarise(joined), flips.summarise(joined, eps)
    curve = robustness_curve(own, grid)
    points = zip(curve.eps, curve.accuracy, curve.low, curve.high, strict=True)
    declared = checkpoint.declared_sparsity
    return SeveralRow(
        evaluation_id=row.id,
        checkpoint_id=checkpoint.id,
        name=checkpoint.name,
        role=checkpoint.role,
        method=checkpoint.method,
        sparsity=checkpoint.measured_sparsity if declared is None else declared,
        n=row.n,
        clean_accuracy=numbers.show_rate(accuracy(own)),
        robust_accuracy=numbers.show_rate(accuracy(own, eps)),
        clean=numbers.show_counts(clean.counts),
        robust=numbers.show_counts(robust.counts),
        lost=numbers.show_rate(clean.negative_flip_rate),
        robust_lost=numbers.show_rate(robust.negative_flip_rate),
        mcnemar_p=clean.mcnemar_p,
        robust_mcnemar_p=robust.mcnemar_p,
        not_found=int((~own.found).sum()),
        flags=list(row.flags),
        curve=[CurvePoint(eps=at, robust_accuracy=share, low=low, high=high) for at, share, low, high in points],
        mismatches=[],
    )


def show_losses(found: SeveralLosses, several: Several) -> SharedLosses:
    ids = [one.pruned.id for one in several.sides]
    return SharedLosses(
        held=found.held,
        only=found.only,
        lost_by=found.lost_by,
        at_least=[numbers.show_rate(share) for share in found.at_least],
        overlaps=[show_overlap(one, *pair) for one, pair in zip(found.overlaps, combinations(ids, 2), strict=True)],
    )


def show_overlap(found: Overlap, first: UUID, second: UUID) -> LossOverlap:
    return LossOverlap(
        first=first,
        second=second,
        both=found.both,
        only_first=found.only_first,
        only_second=found.only_second,
        jaccard=None if found.jaccard.value is None else numbers.show_rate(found.jaccard),
        by_chance=found.by_chance,
        mcnemar_p=found.mcnemar_p,
    )
