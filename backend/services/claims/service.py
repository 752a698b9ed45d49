"""What checkpoints claim and what a re-evaluation leaves of it, next to the same for their parents and controls."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np

from backend.analysis.claims import Claim, ClaimExcess, Gap, measure_excess, measure_gap
from backend.analysis.outcomes import Outcomes
from backend.analysis.pairing import pair
from backend.analysis.statistics import Estimate
from backend.attacks.catalogue import get_preset
from backend.counts import count_words
from backend.errors import NotComparable
from backend.jobs.registration.lineage import choose_sparsity
from backend.schemas import OURS, Answer, Interval, Norm, Page
from backend.schemas.checkpoints import CheckpointOut, ClaimOut
from backend.schemas.claims import ClaimAgainst, ClaimCheck, ClaimDifference, Reevaluation
from backend.schemas.datasets import DatasetOut
from backend.schemas.evaluations import EvaluationOut
from backend.services.claims.checks import (
    ClaimStanding,
    Relation,
    Snapshot,
    find_partner,
    find_relatives,
    hold,
    is_of_all_samples,
    make_check,
    read_snapshot,
)
from backend.services.evaluations.measurements import (
    count_broken_by_fallbacks,
    load_outcomes,
    load_verdicts,
    show_interval,
)
from backend.services.shared.arguments import check_page
from backend.store.tables import Checkpoint
from models.pruning.plans import CONTROL

BASIS_NOTES: dict[str, str] = {
    "same samples": "The claim and the re-evaluation are totals over the same images. It is not known which images "
    "the claim counts, so the interval assumes that the re-evaluation breaks every image that the claim's attack "
    "breaks.",
    "unpaired": "The claim and the re-evaluation are about different or unknown images, so the interval treats them "
    "as independent shares of {claimed} and {measured} images, which makes it wider than a paired one.",
    "number only": "The claim does not say how many images it counts. It is treated as exact, so the interval is too "
    "narrow.",
}


def list_claims(
    limit: int = 50, offset: int = 0, *, preset: str | None = None, checkpoint_id: UUID | None = None
) -> Page[ClaimCheck]:
    """A page of claims, that of the newest checkpoint first.

    Args:
        preset: hold claims only against evaluations with this preset; by default that of most samples, and of equally
            many the strongest.
        checkpoint_id: the claim of this checkpoint alone.

    Raises:
        UnknownName: no such preset.
    """
    check_page(limit, offset)
    if preset is not None:
        get_preset(preset)

    def list_claiming(known: Snapshot) -> list[Checkpoint]:
        return [row for row in known.checkpoints.values() if row.claim and checkpoint_id in (None, row.id)]

    def choose(known: Snapshot) -> set[UUID]:
        page = list_claiming(known)[offset : offset + limit]
        relatives = {relative.id for row in page for _, relative in find_relatives(row, known)}
        return relatives | {row.id for row in page}

    snapshot = read_snapshot(choose, preset)
    rows = list_claiming(snapshot)
    shown = [show_check(make_check(row, snapshot), snapshot) for row in rows[offset : offset + limit]]
    return Page(items=shown, total=len(rows), limit=limit, offset=offset)


def answer_claim(checkpoint: CheckpointOut, dataset: DatasetOut, evaluation: EvaluationOut) -> Answer | None:
    """Whether a claim is too high by what an evaluation at its norm and eps sums up to; None where it is no such one.

    The same answer as in `list_claims`, from the totals alone.
    """
    summary, stated = evaluation.summary, checkpoint.claim
    if stated is None or summary is None or summary.robust_accuracy is None:
        return None
    claim = Claim(stated.robust_accuracy, stated.n)
    held = np.arange(summary.n) < round(summary.robust_accuracy * summary.n)  # which ones does not matter for totals
    is_same = is_of_all_samples(checkpoint.origin, stated.model_dump(), dataset.size, evaluation.n)
    return measure_gap(claim, held, is_same_samples=is_same).answer


def show_check(check: ClaimStanding, snapshot: Snapshot) -> ClaimCheck:
    """One claim with its gap, and the gaps of its relatives."""
    row = check.row
    gap = None if check.key is None else measure(check, load_verdicts(check.key))
    by_fallbacks = 0 if check.key is None else count_broken_by_fallbacks(check.key, check.eps)
    relatives = find_relatives(row, snapshot)
    against = [show_against(check, relation, relative, snapshot) for relation, relative in relatives]
    return ClaimCheck(
        checkpoint_id=row.id,
        checkpoint_name=row.name,
        role="pruned" if row.role == "pruned" else "dense",
        method=row.method,
        sparsity=choose_sparsity(row.declared_sparsity, row.measured_sparsity),
        origin=row.origin,
        dataset_id=row.dataset_id,
        parent_id=row.parent_id,
        norm=read_norm(check.norm),
        eps=check.eps,
        eps_text=check.eps_text,
        is_at_default=check.is_at_default(),
        claim=ClaimOut.model_validate(row.claim),
        reevaluation=show_reevaluation(check, gap),
        gap=None if gap is None else show_difference(gap.difference, gap),
        reason=None
        if gap is not None
        else f"No finished evaluation of {row.name} gives the robust accuracy at {check.norm} {check.eps_text}.",
        against=against,
        by_fallbacks=by_fallbacks,
        notes=write_notes(check, gap, by_fallbacks),
    )


def show_against(check: ClaimStanding, relation: Relation, relative: Checkpoint, snapshot: Snapshot) -> ClaimAgainst:
    """The relative's claim held against an evaluation of the same samples and effort, and the excess over it.

    The primary run of both sides is read: fallback attacks run only where early flags were raised.
    """
    other, reason = find_partner(check, relative, snapshot)
    gap: Gap | None = None
    excess: ClaimExcess | None = None
    if other is not None and other.key is not None and check.key is not None:
        try:
            joined = pair(load_outcomes(other.key), load_outcomes(check.key))
        except NotComparable as error:
            reason = error.message
        else:
            held = hold(joined.pruned, check), hold(joined.dense, other)
            is_same = check.is_of_all_samples() and other.is_of_all_samples() and joined.n == check.claim.n
            gap = measure_gap(other.claim, held[1], is_same_samples=is_same)
            excess = measure_excess((check.claim, held[0]), (other.claim, held[1]), is_same_samples=is_same)
    return ClaimAgainst(
        relation=relation,
        checkpoint_id=relative.id,
        checkpoint_name=relative.name,
        claim=None if relative.claim is None else ClaimOut.model_validate(relative.claim),
        reevaluation=None if other is None else show_reevaluation(other, gap),
        gap=None if gap is None else show_difference(gap.difference, gap),
        excess=None if excess is None else show_difference(excess.difference, excess),
        reason=reason,
    )


def measure(check: ClaimStanding, outcomes: Outcomes) -> Gap:
    return measure_gap(check.claim, hold(outcomes, check), is_same_samples=check.is_of_all_samples())


def show_reevaluation(check: ClaimStanding, gap: Gap | None) -> Reevaluation | None:
    """The evaluation with its own share; on shared samples where `gap` is on them."""
    if check.evaluation is None or gap is None or gap.held.value is None:
        return None
    return Reevaluation(
        evaluation_id=check.evaluation.id,
        preset=check.evaluation.preset,
        n=gap.held.n,
        robust_accuracy=gap.held.value,
        robust_accuracy_interval=show_interval(gap.held),
        flags=list(check.evaluation.flags),
    )


def show_difference(difference: Estimate, found: Gap | ClaimExcess) -> ClaimDifference:
    assert difference.value is not None and difference.low is not None and difference.high is not None
    return ClaimDifference(
        value=difference.value,
        interval=Interval(low=difference.low, high=difference.high),
        n=difference.n,
        basis=found.basis,
        answer=found.answer,
    )


def write_notes(check: ClaimStanding, gap: Gap | None, by_fallbacks: int) -> list[str]:
    """What a reader has to know about the numbers, in sentences."""
    notes: list[str] = []
    if gap is not None:
        claimed = "an unknown number of" if check.claim.n is None else f"{check.claim.n:,}"
        notes.append(BASIS_NOTES[gap.basis].format(claimed=claimed, measured=f"{gap.held.n:,}"))
    if by_fallbacks:
        more = count_words(by_fallbacks, "more sample", "more samples")
        notes.append(
            f"Fallback attacks broke {more} than the primary run. These count in this "
            "checkpoint's own figure; comparisons with other networks use the primary run of both."
        )
    if check.row.origin in OURS and check.row.method not in (None, CONTROL):
        notes.append("Thin Ice made this network, so the result is about our re-implementation, not the authors' own.")
    return notes


def read_norm(name: str) -> Norm:
    norms: Sequence[Norm] = ("Linf", "L2", "L1")
    return next(norm for norm in norms if norm == name)
