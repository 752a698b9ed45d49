"""What replays say about a comparison: adversarials of one side tried on the other."""

from sqlalchemy.orm import Session

from backend.analysis import replay as analysis
from backend.analysis.pairing import Pair, judge_at
from backend.schemas.comparisons import ReplayDirection, ReplayOut
from backend.services.comparisons.numbers import show_rate
from backend.store import evidence, results
from backend.store.tables import Evaluation, Evidence

Replay = tuple[Evidence, dict[str, bool]]
"""A finished replay, and what it found by sample id."""


def find_replays(session: Session, dense: Evaluation, pruned: Evaluation) -> list[Replay]:
    """The newest finished replay each way, dense adversarials on the pruned network first; empty unless both are."""
    found = []
    for target, source in ((pruned, dense), (dense, pruned)):
        row = evidence.newest_replay(session, target.id, source.id)
        if row is not None:
            found.append((row, results.series_outcomes(session, target.id, row.series)))
    return found if len(found) == 2 else []


def explain(joined: Pair, eps: float, replays: list[Replay]) -> ReplayOut | None:
    """Shares broken each way, and the robust flips at eps by what the replays found; None without replays."""
    if not replays:
        return None
    shared = set(joined.sample_ids.tolist())
    (dense_on_pruned, dense_on_pruned_all), (pruned_on_dense, pruned_on_dense_all) = replays
    dense_tried = {sample: broke for sample, broke in dense_on_pruned_all.items() if sample in shared}
    pruned_tried = {sample: broke for sample, broke in pruned_on_dense_all.items() if sample in shared}
    found = analysis.explain_flips(judge_at(joined, eps), eps, dense_tried, pruned_tried)
    return ReplayOut(
        dense_on_pruned=_show_direction(dense_on_pruned, dense_tried),
        pruned_on_dense=_show_direction(pruned_on_dense, pruned_tried),
        lost=found.lost,
        moved=found.moved,
        new_holes=found.lost - found.moved,
        lost_checked=found.lost_checked,
        lost_refuted=found.lost_refuted,
        gained_checked=found.gained_checked,
        gained_refuted=found.gained_refuted,
    )


def _show_direction(row: Evidence, tried: dict[str, bool]) -> ReplayDirection:
    return ReplayDirection(
        evidence_id=row.id,
        source=row.source,
        broken=show_rate(analysis.count_broken(tried)) if tried else None,
        already_wrong=row.refused.get("already-wrong", 0),
    )
