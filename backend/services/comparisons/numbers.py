"""The numbers of a comparison, from the analysis to the schema. What does not depend on eps is computed once."""

from dataclasses import dataclass
from functools import lru_cache

from backend.analysis import bins, curves, flips, headline, margins, thin_ice
from backend.analysis.controls import Beyond, FlipExcess, compare_control, compare_losses
from backend.analysis.pairing import Pair, judge_at, pair, restrict
from backend.analysis.statistics import Share
from backend.schemas import Interval
from backend.schemas.comparisons import (
    Auroc,
    BinOut,
    ClassFlipsOut,
    ControlOut,
    CorrelationOut,
    CountsOut,
    CurvePoint,
    Predictive,
    Rate,
    RobustStatistics,
    TextPart,
)
from backend.services.comparisons.controls import WORDS, Control
from backend.services.evaluations.measurements import Finished, load_outcomes, show_interval

KEPT = 256


@dataclass(frozen=True)
class CleanNumbers:
    """What a comparison says at every eps."""

    summary: flips.Flips
    prediction: thin_ice.Prediction
    spearman: CorrelationOut
    bins: list[BinOut]
    curves: dict[str, list[CurvePoint]]
    classes: list[flips.ClassFlips]


@lru_cache(maxsize=KEPT)
def join(dense: Finished, pruned: Finished) -> Pair:
    """The shared samples of two evaluations; NotComparable where there are none."""
    return pair(load_outcomes(dense), load_outcomes(pruned))


@lru_cache(maxsize=KEPT)
def find_clean(dense: Finished, pruned: Finished) -> CleanNumbers:
    """Flips, prediction, correlation, bins and curves of a pair."""
    joined = join(dense, pruned)
    return CleanNumbers(
        summary=flips.summarise(joined),
        prediction=thin_ice.predictive(joined),
        spearman=_show_correlation(margins.correlate(joined)),
        bins=[_show_bin(row) for row in bins.bin_losses(joined).bins if row.kind != "not held"],
        curves=_trace_curves(joined),
        classes=flips.by_class(joined),
    )


@lru_cache(maxsize=4 * KEPT)
def find_robust_losses(dense: Finished, pruned: Finished, eps: float) -> tuple[list[BinOut], list[flips.ClassFlips]]:
    """Robust losses at an eps by dense margin, and by class."""
    joined = judge_at(join(dense, pruned), eps)
    rows = bins.bin_losses(joined, population="robust", eps=eps).bins
    return [_show_bin(row) for row in rows if row.kind != "not held"], flips.by_class(joined, eps)


@lru_cache(maxsize=KEPT)
def find_beyond(dense: Finished, pruned: Finished, control: Finished) -> Beyond:
    """What pruning does beyond a control, clean."""
    return compare_control(join(dense, pruned), join(dense, control))


@lru_cache(maxsize=KEPT)
def predict_control(dense: Finished, pruned: Finished, control: Finished) -> thin_ice.Prediction:
    """How well the dense margin tells what the control loses, on the samples that the pruned side has too."""
    return thin_ice.predictive(restrict(join(dense, pruned), join(dense, control))[1])


@lru_cache(maxsize=4 * KEPT)
def predict_robust(dense: Finished, pruned: Finished, eps: float) -> tuple[flips.Flips, thin_ice.Prediction]:
    """Robust flips at an eps, and how well the dense margin tells them; raises as `find_robust`."""
    joined = judge_at(join(dense, pruned), eps)
    return flips.summarise(joined, eps), thin_ice.predictive(joined, population="robust", eps=eps)


@lru_cache(maxsize=4 * KEPT)
def find_robust(dense: Finished, pruned: Finished, eps: float, eps_text: str) -> tuple[CountsOut, RobustStatistics]:
    """The same at an eps.

    Raises:
        InvalidRequest: one side holds witnesses of another eps, and `eps` is not the other side's own.
    """
    found, prediction = predict_robust(dense, pruned, eps)
    return show_counts(found.counts), RobustStatistics(
        eps=eps,
        eps_text=eps_text,
        negative_flip_rate=show_rate(found.negative_flip_rate),
        mcnemar_p=found.mcnemar_p,
        auroc=show_auroc(prediction),
        auroc_reason=prediction.reason,
        population=found.counts.dense,
    )


def show_control(dense: Finished, pruned: Finished, control: Control, eps: float) -> ControlOut:
    """The same comparison for a control, and what pruning does beyond it."""
    beyond = find_beyond(dense, pruned, control.key)
    lost = beyond.lost
    _, shared = restrict(join(dense, pruned), join(dense, control.key))
    prediction = predict_control(dense, pruned, control.key)
    gap = beyond.auroc.difference
    return ControlOut(
        evaluation_id=control.key.evaluation_id,
        checkpoint_id=control.checkpoint_id,
        name=control.name,
        kind=control.kind,
        n=beyond.shared,
        clean=show_counts(flips.count_sets(shared)),
        robust=show_counts(flips.count_sets(judge_at(shared, eps), eps)),
        auroc=show_auroc(prediction),
        auroc_reason=prediction.reason,
        lost_beyond=lost.only_pruned - lost.only_control,
        lost_beyond_interval=_scale(lost.difference.low, lost.difference.high, lost.n),
        auroc_difference=gap.value,
        auroc_difference_interval=_scale(gap.low, gap.high, 1),
    )


def write_headline(
    change: str, dense: Finished, pruned: Finished, controls: list[Control], eps: tuple[float, str] | None = None
) -> list[TextPart]:
    """The result in plain words, next to the first control. `eps`: of robust flips at it, with its text."""
    first = controls[0] if controls else None
    found: tuple[flips.Flips, thin_ice.Prediction]
    lost: FlipExcess | None = None
    if eps is None:
        clean = find_clean(dense, pruned)
        found = clean.summary, clean.prediction
        lost = None if first is None else find_beyond(dense, pruned, first.key).lost
    else:
        found = predict_robust(dense, pruned, eps[0])
        both = [judge_at(join(dense, one), eps[0]) for one in (pruned, *([] if first is None else [first.key]))]
        lost = None if first is None else compare_losses(both[0], both[1], eps=eps[0])
    parts = headline.write_headline(
        change,
        found[0].counts,
        found[1],
        control=lost,
        control_words="" if first is None else WORDS[first.kind],
        eps_text=None if eps is None else eps[1],
    )
    return [TextPart(text=part.text, emphasis=part.emphasis) for part in parts]


def show_classes(rows: list[flips.ClassFlips], names: list[str]) -> list[ClassFlipsOut]:
    """Losses by class, of the samples that the dense model gets right; classes without any are left out."""
    shown = []
    for row in rows:
        if row.lost.value is None or row.p_holm is None:
            continue
        name = names[row.label] if row.label < len(names) else str(row.label)
        shown.append(
            ClassFlipsOut(
                label=row.label,
                name=name,
                n=row.lost.n,
                lost=row.lost.count,
                rate=row.lost.value,
                interval=show_interval(row.lost),
                adjusted_p=row.p_holm,
            )
        )
    return shown


def show_predictive(prediction: thin_ice.Prediction) -> list[Predictive]:
    """The margin and the cheap baselines; without numbers the margin alone, with the reason."""
    first = Predictive(
        score="margin",
        auroc=show_auroc(prediction),
        reason=prediction.reason,
        average_precision=prediction.average_precision,
        fpr_at_95_tpr=prediction.fpr_at_95_tpr,
    )
    others = [
        Predictive(
            score=row.name,
            auroc=Auroc(value=row.value, low=row.low, high=row.high, positives=prediction.positives, n=prediction.n),
            reason=None,
            average_precision=row.average_precision,
            fpr_at_95_tpr=row.fpr_at_95_tpr,
        )
        for row in prediction.baselines
    ]
    return [first, *others]


def show_auroc(prediction: thin_ice.Prediction) -> Auroc | None:
    """The AUROC, None where there is none."""
    if prediction.value is None or prediction.low is None or prediction.high is None:
        return None
    return Auroc(
        value=prediction.value,
        low=prediction.low,
        high=prediction.high,
        positives=prediction.positives,
        n=prediction.n,
    )


def show_counts(counts: flips.Counts) -> CountsOut:
    return CountsOut(n11=counts.n11, n10=counts.n10, n01=counts.n01, n00=counts.n00)


def show_rate(share: Share) -> Rate:
    """A share of at least one sample."""
    assert share.value is not None
    return Rate(value=share.value, interval=show_interval(share), count=share.count, n=share.n)


def _show_correlation(found: margins.Correlation) -> CorrelationOut:
    spearman = found.spearman
    return CorrelationOut(
        value=spearman.value, n=found.n, excluded=sum(found.excluded.values()), reason=spearman.reason
    )


def _show_bin(row: bins.Bin) -> BinOut:
    assert row.lost.value is not None
    return BinOut(
        low=row.low,
        high=row.high,
        label=row.label,
        n=row.n,
        lost=row.lost.count,
        share=row.lost.value,
        interval=show_interval(row.lost),
    )


def _trace_curves(joined: Pair) -> dict[str, list[CurvePoint]]:
    """Both robustness curves on one grid."""
    grid = curves.default_grid([joined.dense, joined.pruned])
    traced = {side: curves.robustness_curve(getattr(joined, side), grid) for side in ("dense", "pruned")}
    return {
        side: [
            CurvePoint(eps=float(eps), robust_accuracy=float(value), low=float(low), high=float(high))
            for eps, value, low, high in zip(curve.eps, curve.accuracy, curve.low, curve.high, strict=True)
        ]
        for side, curve in traced.items()
    }


def _scale(low: float | None, high: float | None, n: int) -> Interval | None:
    return None if low is None or high is None else Interval(low=low * n, high=high * n)
