"""One row of a family's table from its chosen evaluations. What is missing is empty, with a reason."""

from functools import lru_cache
from typing import Any

from backend.analysis.controls import compare_losses
from backend.analysis.curves import MedianMargin, accuracy, median_margin
from backend.analysis.outcomes import is_held
from backend.analysis.statistics import Estimate
from backend.analysis.thin_ice import Prediction
from backend.attacks.catalogue import promises_margins
from backend.eps import parse_eps
from backend.errors import NotComparable
from backend.schemas import Interval
from backend.schemas.checkpoints import ClaimOut
from backend.schemas.comparisons import Auroc, Rate
from backend.schemas.families import (
    FamilyBeyond,
    FamilyDifference,
    FamilyFlips,
    FamilyMargin,
    FamilyRate,
    FamilyRow,
)
from backend.services.comparisons import numbers
from backend.services.comparisons.controls import covers
from backend.services.evaluations.measurements import Finished, count_broken_by_fallbacks, load_verdicts, summarise
from backend.services.families.members import MARGINS, Choice, Family, Member, Terms
from backend.store import results
from backend.store.database import reading
from backend.store.tables import Evaluation

KEPT = 256
ITSELF = "This is the dense network itself."
UNPRUNED = "Only pruned checkpoints are compared with the control."


def show_row(family: Family, member: Member) -> FamilyRow:
    """Everything that the table says about a member."""
    row = member.row
    claim, claim_reason = show_claim(member, family.terms)
    flips, flips_reason = show_flips(family, member)
    return FamilyRow(
        checkpoint_id=row.id,
        name=row.name,
        place=member.place,
        method=row.method,
        structure=member.kind,
        level=member.level,
        group=member.group,
        declared_sparsity=row.declared_sparsity,
        measured_sparsity=row.measured_sparsity,
        origin=row.origin,
        clean_accuracy=show_clean(member),
        claim=claim,
        claim_reason=claim_reason,
        verdicts=[show_verdict(choice, preset, family.terms) for preset, choice in member.chosen.items()],
        margin=show_margin(member.chosen[MARGINS].key),
        flips=flips,
        flips_reason=flips_reason,
        training=family.snapshot.trainings.get(row.id),
    )


def show_claim(member: Member, terms: Terms) -> tuple[ClaimOut | None, str | None]:
    """The claim where it speaks of this norm and eps, or why none stands here."""
    stated = member.row.claim
    if stated is None:
        return None, "No robust accuracy is claimed."
    claim = ClaimOut.model_validate(stated)
    eps_text = claim.eps_text or terms.dataset.default_eps
    if (claim.norm or terms.dataset.default_norm) != terms.norm or parse_eps(eps_text) != parse_eps(terms.eps_text):
        return None, f"The claim is at {claim.norm or terms.dataset.default_norm} {eps_text}."
    return claim, None


def show_clean(member: Member) -> FamilyRate:
    """Clean accuracy of the margins' evaluation, or of that of most samples."""
    choices = [choice for choice in member.chosen.values() if choice.evaluation is not None]
    if member.chosen[MARGINS].evaluation is not None:
        choices = [member.chosen[MARGINS]]
    best = max((choice.evaluation for choice in choices if choice.evaluation), key=lambda one: one.n, default=None)
    if best is None:
        return missing_rate(MARGINS, member.chosen[MARGINS])
    summary = summarise(best)
    assert summary is not None
    return show_rate(best, read_rate(summary.clean_accuracy, summary.clean_accuracy_interval, summary.n))


def show_verdict(choice: Choice, preset: str, terms: Terms) -> FamilyRate:
    """Robust accuracy at eps by everything that the evaluation's own run verified.

    Of margins at any eps; of a verdict from its summary, which is at its own, so that its rows need not be read.
    """
    evaluation, key = choice.evaluation, choice.key
    if evaluation is None or key is None:
        return missing_rate(preset, choice)
    additional = count_broken_by_evidence(key, terms.eps)
    if promises_margins(preset):
        shown = show_rate(evaluation, numbers.show_rate(accuracy(load_verdicts(key), terms.eps)))
        by_fallbacks = count_broken_by_fallbacks(key, terms.eps)
    else:
        summary = summarise(evaluation)
        assert summary is not None
        if summary.robust_accuracy is None or summary.robust_accuracy_interval is None:
            return missing_rate(preset, Choice(None, f"The evaluation with {preset} reports no robust accuracy."))
        share = read_rate(summary.robust_accuracy, summary.robust_accuracy_interval, summary.n)
        shown, by_fallbacks = show_rate(evaluation, share), summary.broken_by_fallbacks
    return shown.model_copy(update={"broken_by_fallbacks": by_fallbacks, "broken_by_evidence": additional})


def count_broken_by_evidence(key: Finished, eps: float) -> int:
    """Samples that the evaluation's own run leaves robust at eps and evidence that came later breaks."""
    with reading() as session:
        lowered = results.lowered_bounds(session, key.evaluation_id)
    known = {sample for sample, (bound, series, _) in lowered.items() if series > results.FALLBACKS and bound <= eps}
    if not known:
        return 0
    verdicts = load_verdicts(key)
    return sum(str(sample) in known for sample in verdicts.sample_ids[is_held(verdicts, eps)])


def show_rate(evaluation: Evaluation, rate: Rate) -> FamilyRate:
    fields: dict[str, Any] = {"preset": evaluation.preset, "rate": rate, "evaluation_id": evaluation.id}
    return FamilyRate(**fields, flags=list(evaluation.flags), reason=None)


def missing_rate(preset: str, choice: Choice) -> FamilyRate:
    incompatible = None if choice.incompatible is None else choice.incompatible.id
    empty: dict[str, Any] = {"rate": None, "evaluation_id": None, "flags": []}
    return FamilyRate(preset=preset, **empty, reason=choice.reason, incompatible_evaluation_id=incompatible)


def read_rate(share: float, interval: Interval, n: int) -> Rate:
    """A share of a summary with the count it came from."""
    return Rate(value=share, interval=interval, count=round(share * n), n=n)


def show_margin(key: Finished | None) -> FamilyMargin | None:
    """The median margin with its bootstrap interval; None without margins, as the verdict's reason says."""
    if key is None:
        return None
    found = measure_median(key)
    median = found.median
    return FamilyMargin(
        median=median.value,
        low=median.low,
        high=median.high,
        n=found.n,
        censored=found.censored,
        reason=median.reason,
    )


@lru_cache(maxsize=KEPT)
def measure_median(key: Finished) -> MedianMargin:
    return median_margin(load_verdicts(key))


def show_flips(family: Family, member: Member) -> tuple[FamilyFlips | None, str | None]:
    """What changed against the dense network by the margins of both, or why that cannot be said."""
    if member is family.dense:
        return None, ITSELF
    dense, own = family.dense.chosen[MARGINS], member.chosen[MARGINS]
    if dense.key is None or own.key is None or own.evaluation is None:
        return None, own.reason or dense.reason
    try:
        clean = numbers.find_clean(dense.key, own.key)
    except NotComparable as error:
        return None, error.message
    terms = family.terms
    robust, statistics = numbers.find_robust(dense.key, own.key, terms.eps, terms.eps_text)
    beyond, beyond_reason = show_beyond(family, member, dense.key, own.evaluation)
    counts = clean.summary.counts
    flips = FamilyFlips(
        dense_evaluation_id=dense.key.evaluation_id,
        evaluation_id=own.key.evaluation_id,
        n=counts.n,
        clean=numbers.show_counts(counts),
        robust=robust,
        negative_flip_rate=numbers.show_rate(clean.summary.negative_flip_rate),
        robust_negative_flip_rate=statistics.negative_flip_rate,
        auroc=numbers.show_auroc(clean.prediction),
        auroc_reason=clean.prediction.reason,
        logit_gap_auroc=show_logit_gap(clean.prediction)[0],
        margin_over_logit_gap=show_logit_gap(clean.prediction)[1],
        bins=clean.bins,
        beyond=beyond,
        beyond_reason=beyond_reason,
    )
    return flips, None


def show_logit_gap(prediction: Prediction) -> tuple[Auroc | None, FamilyDifference | None]:
    """AUROC of the cheap baseline, and how much better the margin is, paired; None where there is no AUROC."""
    for row in prediction.baselines:
        if row.name == "logit_gap":
            auroc = Auroc(value=row.value, low=row.low, high=row.high, positives=prediction.positives, n=prediction.n)
            return auroc, None if row.advantage is None else show_difference(row.advantage)
    return None, None


def show_beyond(
    family: Family, member: Member, dense: Finished, own: Evaluation
) -> tuple[FamilyBeyond | None, str | None]:
    """Losses beyond those of a control that covers the same samples, if possible one trained as the member was.

    A control has none beyond itself.
    """
    if member.place != "pruned":
        return None, UNPRUNED
    controls = family.list_controls(member)
    for control in controls:
        choice = control.chosen[MARGINS]
        if choice.key is None or choice.evaluation is None or not covers(choice.evaluation, own):
            continue
        key = member.chosen[MARGINS].key
        assert key is not None
        clean = numbers.find_beyond(dense, key, choice.key)
        auroc = clean.auroc.difference
        return FamilyBeyond(
            control_id=control.row.id,
            control_name=control.row.name,
            evaluation_id=choice.key.evaluation_id,
            clean=show_difference(clean.lost.difference),
            robust=show_difference(lose_beyond(dense, key, choice.key, family.terms.eps)),
            auroc=show_difference(auroc),
            auroc_reason=auroc.reason,
            incompatible=family.snapshot.describe_training_difference(member.row, control.row),
        ), None
    if not controls:
        return None, f"{family.dense.row.name} has no control (finetuned for as long, nothing pruned)."
    return None, "No control has been evaluated on these samples in the same way as the dense network."


@lru_cache(maxsize=KEPT)
def lose_beyond(dense: Finished, pruned: Finished, other: Finished, eps: float | None) -> Estimate:
    """Share of what the dense network holds that `pruned` loses, minus the share that `other` loses, paired."""
    joined = numbers.join(dense, pruned), numbers.join(dense, other)
    return compare_losses(*joined, eps=eps).difference


def show_difference(found: Estimate) -> FamilyDifference | None:
    if found.value is None or found.low is None or found.high is None:
        return None
    return FamilyDifference(value=found.value, interval=Interval(low=found.low, high=found.high), n=found.n)
