"""Does thin ice predict? How well a small dense margin tells which samples pruning loses."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from backend.analysis.flips import find_held
from backend.analysis.outcomes import BoolArray, FloatArray, Outcomes
from backend.analysis.pairing import Pair, restrict
from backend.analysis.ranking import auroc, average_precision, draw_weights, fpr_at_tpr, percentile_interval
from backend.analysis.ranking import weighted_aurocs as resample_aurocs
from backend.analysis.statistics import CONFIDENCE, Estimate
from backend.errors import InvalidRequest

Population = Literal["clean", "robust"]

MIN_POSITIVES = 20
WITNESS_REASON = (
    "The dense evaluation used one fixed eps, which only bounds the margins, so it cannot say whether a small dense "
    "margin predicts losses; evaluate the dense model with a preset that measures margins."
)


@dataclass(frozen=True)
class Predictor:
    """How well one score of the dense model ranks lost samples above kept ones.

    value: AUROC in [0, 1] with its 95 % interval; average_precision in [0, 1] (share of positives is its floor);
    fpr_at_95_tpr in [0, 1]. `advantage`: AUROC of the margin minus this one's, paired; None for the margin itself.
    """

    name: str
    value: float
    low: float
    high: float
    average_precision: float
    fpr_at_95_tpr: float
    advantage: Estimate | None


@dataclass(frozen=True)
class Prediction:
    """AUROC of "small dense margin" for S10 among what the dense model holds, next to cheap baselines.

    `value`, `low`, `high`, `average_precision`, `fpr_at_95_tpr` are None where `reason` says why, in one sentence.
    `n`: samples the dense model holds; `positives`: those lost; `censored`: those whose margin was not found (ranked
    as the safest, since each lies beyond every radius tried).
    """

    population: Population
    eps: float | None
    n: int
    positives: int
    censored: int
    value: float | None
    low: float | None
    high: float | None
    average_precision: float | None
    fpr_at_95_tpr: float | None
    baselines: tuple[Predictor, ...]
    reason: str | None


@dataclass(frozen=True)
class AurocDifference:
    """AUROC of a comparison minus that of its control on the samples that both dense models hold.

    `difference.n` counts those samples; its value is None, with a reason, where either side has too few losses.
    """

    pruned: float | None
    control: float | None
    positives: int
    control_positives: int
    difference: Estimate


def predictive(
    pair: Pair, *, population: Population = "clean", eps: float | None = None, bootstrap: int = 1000, seed: int = 0
) -> Prediction:
    """How well a small dense margin predicts S10.

    Args:
        population: "clean": samples the dense model gets right, lost = wrong after pruning. "robust": samples it
            holds at `eps`, lost = not held by the pruned model at `eps`.
        bootstrap: resamples of the percentile interval, stratified by lost or kept.
        seed: of the resampling.

    Returns:
        A Prediction; without numbers, but with a reason, under 20 losses, with nothing kept, or for witnesses.

    Raises:
        InvalidRequest: an unknown population, "robust" without eps, or a negative eps.
    """
    is_held_by_dense, is_lost = select_population(pair, population, eps)
    dense = pair.dense.take(is_held_by_dense)
    is_positive = is_lost[is_held_by_dense]
    n, positives = dense.n, int(is_positive.sum())
    censored = int(np.isinf(dense.margin).sum())
    reason = explain_absence(dense, n, positives)
    if reason is not None:
        return Prediction(population, eps, n, positives, censored, None, None, None, None, None, (), reason)
    first, *baselines = _rank_all(dense, is_positive, bootstrap, seed)
    return Prediction(
        population,
        eps,
        n,
        positives,
        censored,
        first.value,
        first.low,
        first.high,
        first.average_precision,
        first.fpr_at_95_tpr,
        tuple(baselines),
        None,
    )


def compare_auroc(
    pair: Pair,
    control: Pair,
    *,
    population: Population = "clean",
    eps: float | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
) -> AurocDifference:
    """AUROC of `pair` minus AUROC of `control` on shared samples, with a paired bootstrap interval.

    The population is what the dense model of *both* pairs holds (one and the same model, as a rule). Resamples draw
    whole samples, stratified by (lost by pruning, lost by the control), so both AUROCs move together.

    Raises:
        NotComparable: no shared samples.
        InvalidRequest: as `predictive`.
    """
    pair, control = restrict(pair, control)
    held, lost = select_population(pair, population, eps)
    held_control, lost_control = select_population(control, population, eps)
    is_shared = held & held_control
    sides = [
        ("pruned model", pair.dense.take(is_shared), lost[is_shared]),
        ("control", control.dense.take(is_shared), lost_control[is_shared]),
    ]
    counts = [int(is_positive.sum()) for _, _, is_positive in sides]
    n = int(is_shared.sum())
    for (name, dense, _), positives in zip(sides, counts, strict=True):
        reason = explain_absence(dense, n, positives)
        if reason is not None:
            absent = Estimate(None, None, None, n, f"For the {name}, {reason[0].lower()}{reason[1:]}")
            return AurocDifference(None, None, counts[0], counts[1], absent)
    strata = 2 * sides[0][2].astype(np.int64) + sides[1][2]
    values = [auroc(-dense.margin, is_positive) for _, dense, is_positive in sides]
    resampled = np.concatenate(
        [
            resample_aurocs(-sides[0][1].margin, sides[0][2], weights)
            - resample_aurocs(-sides[1][1].margin, sides[1][2], weights)
            for weights in draw_weights(strata, bootstrap, seed)
        ]
    )
    difference = _estimate(values[0] - values[1], resampled, n)
    return AurocDifference(values[0], values[1], counts[0], counts[1], difference)


def select_population(pair: Pair, population: Population, eps: float | None) -> tuple[BoolArray, BoolArray]:
    """(held by the dense model, lost by pruning), bool (N,) each, for clean correctness or at eps."""
    if population not in ("clean", "robust"):
        raise InvalidRequest(f"The population must be clean or robust; got {population!r}.", population=str(population))
    if population == "robust" and eps is None:
        raise InvalidRequest("The robust population needs an eps.")
    dense, pruned = find_held(pair, eps if population == "robust" else None)
    return dense, dense & ~pruned


def explain_absence(dense: Outcomes, n: int, positives: int) -> str | None:
    """Why there can be no AUROC, in one sentence; None where there can."""
    if dense.kind != "minimum":
        return WITNESS_REASON
    if positives < MIN_POSITIVES:
        few = f"Too few lost samples ({positives}, at least {MIN_POSITIVES} needed)"
        return f"{few} to say whether a small dense margin predicts losses." if positives else "No sample is lost."
    if positives == n:
        return "Every sample is lost, so there are no kept samples to compare them with."
    return None


def _rank_all(dense: Outcomes, is_positive: BoolArray, bootstrap: int, seed: int) -> list[Predictor]:
    scores: dict[str, FloatArray] = {
        "margin": -dense.margin,
        "logit_gap": -dense.logit_gap,
        "max_probability": -dense.max_probability,
        "loss": np.asarray(dense.loss),
    }
    blocks: dict[str, list[FloatArray]] = {name: [] for name in scores}
    for weights in draw_weights(is_positive.astype(np.int64), bootstrap, seed):
        for name, score in scores.items():
            blocks[name].append(resample_aurocs(score, is_positive, weights))
    resampled = {name: np.concatenate(parts) for name, parts in blocks.items()}
    values = {name: auroc(score, is_positive) for name, score in scores.items()}
    positives = int(is_positive.sum())
    smaller = min(positives, len(is_positive) - positives)
    predictors = []
    for name, score in scores.items():
        low, high = percentile_interval(values[name], resampled[name], CONFIDENCE, smaller)
        advantage = _estimate(values["margin"] - values[name], resampled["margin"] - resampled[name], len(is_positive))
        predictors.append(
            Predictor(
                name,
                values[name],
                low,
                high,
                average_precision(score, is_positive),
                fpr_at_tpr(score, is_positive),
                None if name == "margin" else advantage,
            )
        )
    return predictors


def _estimate(value: float, resampled: FloatArray, n: int) -> Estimate:
    low, high = np.quantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(value, float(low), float(high), n)
