"""Best-known bounds of a comparison's samples: what evidence beyond the primary run found on either side.

They are read anew each time, because evidence may come at any moment; the primary run is kept in memory.
"""

from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy.orm import Session

from backend.analysis import flips
from backend.analysis.outcomes import BoolArray, Outcomes, TextArray
from backend.analysis.pairing import Pair, judge_at
from backend.schemas.comparisons import AdditionalEvidence, MismatchOut
from backend.store import evidence, results
from backend.store.tables import Evaluation

FIELD = "additional-evidence"
SHOWN_SOURCES = 6
Known = dict[str, tuple[float, str]]


@dataclass(frozen=True)
class Bounds:
    """By content id, (best-known bound, whom it is credited to) of the samples where it is below the margin."""

    dense: Known
    pruned: Known


def load_bounds(session: Session, dense: Evaluation, pruned: Evaluation) -> Bounds:
    return Bounds(_load_side(session, dense), _load_side(session, pruned))


def _load_side(session: Session, row: Evaluation) -> Known:
    """Of evidence its credit, without the seed that each bound names; of a fallback attack in the run its attack."""
    lowered = results.lowered_bounds(session, row.id)
    credits = {series: one.credit for series, one in evidence.sources_of(session, row.id).items()} if lowered else {}
    return {sample: (bound, credits.get(series, source)) for sample, (bound, series, source) in lowered.items()}


def lower(joined: Pair, bounds: Bounds) -> Pair:
    """The pair with best-known bounds in the place of margins."""
    return replace(joined, dense=_lower(joined.dense, bounds.dense), pruned=_lower(joined.pruned, bounds.pruned))


def name_best_known_sets(joined: Pair, bounds: Bounds, eps: float) -> TextArray:
    """The robust set of every sample at eps by its best-known bounds, text (N,)."""
    return flips.name_sets(judge_at(lower(joined, bounds), eps), eps)


def sum_up(joined: Pair, bounds: Bounds, eps: float, dense: Evaluation, pruned: Evaluation) -> list[AdditionalEvidence]:
    """What evidence there is, one entry for each side that has any among the shared samples."""
    before = flips.find_held(judge_at(joined, eps), eps)
    after = flips.find_held(judge_at(lower(joined, bounds), eps), eps)
    sides = (("dense", bounds.dense, dense), ("pruned", bounds.pruned, pruned))
    found = []
    for (side, known, row), held, still in zip(sides, before, after, strict=True):
        is_lower = _find(joined.sample_ids, known)
        if is_lower.any():
            sources = sorted({known[str(sample)][1] for sample in joined.sample_ids[is_lower]})
            found.append(
                AdditionalEvidence.model_validate(
                    {
                        "side": side,
                        "evaluation_id": row.id,
                        "lowered": int(is_lower.sum()),
                        "verdicts": int((held & ~still).sum()),
                        "sources": sources,
                    }
                )
            )
    return found


def warn_of_one_side(found: list[AdditionalEvidence], eps_text: str) -> list[MismatchOut]:
    """A mismatch where one side alone has evidence beyond the primary run; it never touches the sets."""
    if len(found) != 1:
        return []
    one = found[0]
    other = "pruned" if one.side == "dense" else "dense"
    shown = ", ".join(one.sources[:SHOWN_SOURCES]) + (" and others" if len(one.sources) > SHOWN_SOURCES else "")
    noun = "sample" if one.lowered == 1 else "samples"
    verdicts = f"{one.verdicts:,}" if one.verdicts else "none"
    counts = f"{one.lowered:,} lower"
    sentence = (
        f"Only the {one.side} side has additional evidence: the best-known bounds of {one.lowered:,} {noun} lie below "
        f"the margins ({shown}). These bounds would break {verdicts} of the samples at {eps_text}. The {other} side "
        "was not attacked as hard, so sets, curves and tests use only the primary run of both sides."
    )
    return [
        MismatchOut(
            field=FIELD,
            dense=counts if one.side == "dense" else "-",
            pruned=counts if one.side == "pruned" else "-",
            severity="differs",
            sentence=sentence,
        )
    ]


def _lower(outcomes: Outcomes, known: Known) -> Outcomes:
    if not known:
        return outcomes
    found = [known.get(str(sample), (np.inf, ""))[0] for sample in outcomes.sample_ids]
    margin = np.minimum(outcomes.margin, np.array(found, dtype=np.float64))
    return replace(outcomes, margin=margin, found=np.isfinite(margin))


def _find(sample_ids: TextArray, known: Known) -> BoolArray:
    return np.array([str(sample) in known for sample in sample_ids], dtype=np.bool_)
