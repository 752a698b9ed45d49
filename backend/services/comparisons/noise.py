"""Repeats: evaluations that differ in the seed alone, and what the luck of the attacks makes of a verdict."""

from typing import Literal
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from backend.analysis import noise as analysis
from backend.analysis.outcomes import decides_at, is_held
from backend.errors import Conflict, NotFound
from backend.schemas.comparisons import NoiseOut
from backend.schemas.evaluations import NoiseReport, SpreadRow
from backend.services.comparisons.controls import covers
from backend.services.comparisons.effort import find_control_differences
from backend.services.comparisons.numbers import show_counts
from backend.services.evaluations.measurements import Finished, finished, load_indices, load_outcomes
from backend.services.evaluations.service import load_evaluation
from backend.store import evaluations
from backend.store.database import reading
from backend.store.tables import Evaluation


def find_repeats(session: Session, row: Evaluation) -> list[Evaluation]:
    """The evaluation and, newest first, one of each other seed with the same checkpoint, effort and samples."""
    seeds = {row.seed}
    found = [row]
    for other in evaluations.succeeded_evaluations(session, [row.checkpoint_id]):
        if other.seed not in seeds and covers(other, row) and not find_control_differences(row, other):
            seeds.add(other.seed)
            found.append(other)
    return found


def compare_repeats(rows: list[Evaluation], side: Literal["dense", "pruned"], eps: float) -> NoiseOut | None:
    """The attack-noise floor of one side of a comparison, `rows` as `find_repeats` gives them.

    None without a repeat, and for witnesses at another eps than their own.
    """
    runs = [load_outcomes(key) for key in _keys(rows)]
    if len(runs) < 2 or not all(decides_at(run, eps) for run in runs):
        return None
    found = analysis.measure_noise(runs, eps)
    within = None if found.floor is None else analysis.count_within(runs[0], eps, found.floor)
    return NoiseOut(
        side=side,
        evaluation_ids=[row.id for row in rows],
        seeds=[row.seed for row in rows],
        n=len(found.sample_ids),
        floor=found.floor,
        robust=show_counts(analysis.count_flips(runs[0], runs[1], eps)),
        changed=int(found.changed.sum()),
        within=None if within is None else within.count,
        held=int(is_held(runs[0], eps).sum()),
    )


def report_noise(evaluation_id: UUID | str) -> NoiseReport:
    """The spread of every sample's margin over the seeds, by index.

    Raises:
        NotFound: no such evaluation, or none that differs from it in the seed alone.
        Conflict: it has not succeeded.
    """
    with reading() as session:
        row = load_evaluation(session, evaluation_id)
        rows = find_repeats(session, row) if row.state == "succeeded" else []
    if not rows:
        raise Conflict(f"This evaluation is {row.state}; repeats are compared once it has succeeded.", state=row.state)
    if len(rows) < 2:
        raise NotFound(
            "No finished evaluation differs from this one only in the seed. Queue one with another `seed`, or several "
            "with `repeat`.",
            evaluation_id=str(row.id),
        )
    keys = _keys(rows)
    found = analysis.measure_noise([load_outcomes(key) for key in keys], keys[0].eps)
    indices = load_indices(keys[0])
    samples = [
        SpreadRow(
            index=indices[str(sample)],
            sample_id=str(sample),
            low=_finite(found.low[place]),
            high=_finite(found.high[place]),
            ratio=_finite(found.ratio[place]),
            changed=bool(found.changed[place]),
        )
        for place, sample in enumerate(found.sample_ids)
    ]
    return NoiseReport(
        evaluation_ids=[one.id for one in rows],
        seeds=[one.seed for one in rows],
        eps=keys[0].eps,
        n=len(samples),
        floor=found.floor,
        changed=int(found.changed.sum()),
        samples=sorted(samples, key=lambda one: one.index),
    )


def _keys(rows: list[Evaluation]) -> list[Finished]:
    return [key for row in rows if (key := finished(row)) is not None]


def _finite(value: float) -> float | None:
    """A distance or a ratio, None where nothing was found."""
    return float(value) if np.isfinite(value) else None
