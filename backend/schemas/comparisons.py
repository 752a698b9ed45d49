"""Comparisons of two evaluations."""

from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from backend.schemas import FlipSet, Interval, Schema
from backend.schemas.evaluations import EvaluationOut


class CountsOut(Schema):
    n11: int
    n10: int
    n01: int
    n00: int


class Rate(Schema):
    value: float
    interval: Interval
    count: int
    n: int


class Auroc(Schema):
    value: float
    low: float
    high: float
    positives: int
    n: int


class Predictive(Schema):
    """How well a score known before pruning tells which samples are lost."""

    score: str = Field(description="margin, logit_gap, max_probability or loss")
    auroc: Auroc | None
    reason: str | None = Field(description="Why there is no AUROC")
    average_precision: float | None
    fpr_at_95_tpr: float | None


class BinOut(Schema):
    low: float | None
    high: float | None
    label: str
    n: int
    lost: int
    share: float
    interval: Interval


class MismatchOut(Schema):
    field: str
    dense: Any
    pruned: Any
    severity: Literal["differs", "note"]
    sentence: str


class CorrelationOut(Schema):
    value: float | None
    n: int
    excluded: int
    reason: str | None = None


class RobustStatistics(Schema):
    eps: float
    eps_text: str
    negative_flip_rate: Rate
    mcnemar_p: float
    auroc: Auroc | None
    auroc_reason: str | None
    population: int = Field(description="Samples that the dense model holds at eps")


class CurvePoint(Schema):
    eps: float
    robust_accuracy: float
    low: float
    high: float


class ControlOut(Schema):
    """The same comparison for a control of the same parent: what any change to the model would do."""

    evaluation_id: UUID
    checkpoint_id: UUID
    name: str
    kind: Literal["finetuned", "seed", "noise"]
    n: int
    clean: CountsOut
    robust: CountsOut
    auroc: Auroc | None
    auroc_reason: str | None
    lost_beyond: int = Field(description="Clean samples lost by pruning minus those lost by the control")
    lost_beyond_interval: Interval | None
    auroc_difference: float | None
    auroc_difference_interval: Interval | None


class TextPart(Schema):
    text: str
    emphasis: Literal["lost", "gained", "number"] | None = None


class ClassFlipsOut(Schema):
    label: int
    name: str
    n: int
    lost: int
    rate: float
    interval: Interval
    adjusted_p: float


class AdditionalEvidence(Schema):
    """Evidence beyond the primary run on one side of a comparison; it never moves the sets."""

    side: Literal["dense", "pruned"]
    evaluation_id: UUID
    lowered: int = Field(description="Shared samples whose best-known bound lies below their margin")
    verdicts: int = Field(description="Of these, samples that hold at eps by their margin but not by their bound")
    sources: list[str]


class ReplayDirection(Schema):
    """Adversarials of one network tried on the other."""

    evidence_id: UUID
    source: str = Field(description="The checkpoint that the adversarials come from")
    broken: Rate | None = Field(description="Share that breaks the other network, of the samples that it gets right")
    already_wrong: int = Field(description="Samples not tried, because the other network already gets them wrong")


class ReplayOut(Schema):
    """Replays both ways, and what they say about robust flips at eps: did the boundary move, or is it a new hole?"""

    dense_on_pruned: ReplayDirection = Field(description="Dense adversarials on the pruned network")
    pruned_on_dense: ReplayDirection = Field(description="Pruned adversarials on the dense network")
    lost: int = Field(description="Lost at eps, not already wrong, and the dense adversarial was tried")
    moved: int = Field(description="Of `lost`: the dense adversarial breaks the pruned network too")
    new_holes: int = Field(description="Of `lost`: the dense adversarial does not break the pruned network")
    lost_checked: int = Field(description="Lost at eps, and the pruned adversarial was tried on the dense network")
    lost_refuted: int = Field(description="Of `lost_checked`: it breaks the dense network within eps too")
    gained_checked: int
    gained_refuted: int = Field(
        description="Of `gained_checked`: the dense adversarial breaks the pruned network within eps"
    )


class NoiseOut(Schema):
    """The same checkpoint attacked with other seeds: how much the luck of the attacks changes (robust flips only)."""

    side: Literal["dense", "pruned"]
    evaluation_ids: list[UUID] = Field(description="The evaluation of the comparison comes first")
    seeds: list[int]
    n: int
    floor: float | None = Field(description="95 % of margins moved by less than this share of their size, 0..1")
    robust: CountsOut = Field(description="The evaluation of the comparison against the first other seed, at eps")
    changed: int = Field(description="Samples whose verdict at eps changes with the seed")
    within: int | None = Field(description="Held samples whose margin exceeds eps by less than the floor")
    held: int


class ComparisonOut(Schema):
    dense: EvaluationOut
    pruned: EvaluationOut
    eps: float
    eps_text: str
    n: int
    clean: CountsOut
    robust: CountsOut
    negative_flip_rate: Rate
    positive_flip_rate: Rate
    churn: Rate
    mcnemar_p: float
    auroc: Auroc | None
    auroc_reason: str | None
    predictive: list[Predictive]
    robust_statistics: RobustStatistics
    spearman: CorrelationOut
    bins: list[BinOut]
    curves: dict[str, list[CurvePoint]] = Field(description="One curve each for dense and pruned")
    classes: list[ClassFlipsOut]
    robust_bins: list[BinOut] = Field(description="As `bins`, of the samples that the dense model holds at eps")
    robust_classes: list[ClassFlipsOut] = Field(description="As `classes`, robust losses at eps")
    controls: list[ControlOut]
    controls_reason: str | None = Field(description="Why there is no control, or why some were left out")
    noise: list[NoiseOut] = Field(description="One entry for each side that was attacked with several seeds")
    replay: ReplayOut | None = Field(description="null until both directions have been replayed")
    additional_evidence: list[AdditionalEvidence]
    mismatches: list[MismatchOut]
    equal_effort: bool
    change: str = Field(description="What was done to the dense model, to begin a sentence with")
    headline: list[TextPart]
    robust_headline: list[TextPart] = Field(description="As `headline`, of robust flips at eps")
    notes: list[str] = Field(description="What the reader must know: one seed, censored margins, upper bounds")


class PairedSample(Schema):
    """One sample of a comparison: both margins, both predictions, and the set it belongs to."""

    index: int
    sample_id: str
    label: int
    set: FlipSet
    robust_set: FlipSet
    dense_prediction: int
    pruned_prediction: int
    dense_margin: float | None
    pruned_margin: float | None
    dense_margin_pred: float | None
    pruned_margin_pred: float | None
    dense_found: bool
    pruned_found: bool
    dense_logit_gap: float
    dense_best_known: float | None
    pruned_best_known: float | None
    has_evidence: bool = Field(description="Whether a best-known bound of either side lies below its margin")
    best_known_set: FlipSet = Field(description="As `robust_set`, by the best-known bounds")


class ColumnsOfSide(Schema):
    """What one evaluation found of the shared samples. Columns are the bytes of little-endian numbers in base64."""

    kind: Literal["minimum", "witness"] = Field(description="Margins of an attack, or witnesses at one eps")
    eps: float | None = Field(description="For witnesses, the eps that they were searched at")
    prediction: str = Field(description="int32: the class that the network gives the clean sample")
    margin: str = Field(description="float64: distance until the label is lost; 0: wrong already, inf: not found")


class SharedColumns(Schema):
    """The samples that evaluations share by dense margin, one entry a sample in every column."""

    version: str = Field(description="Another one where an evaluation was made anew or the columns have other types")
    n: int
    norm: str
    dataset_id: UUID
    index: str = Field(description="int32: row of the data set")
    label: str = Field(description="int32: true class")
    dense: ColumnsOfSide
    thinness: str = Field(description="float64: the dense margin; where it is 0, that of the prediction if found")
    logit_gap: str = Field(description="float64: logit of the label minus the best other, dense")


class PairColumns(SharedColumns):
    """The shared samples of two evaluations."""

    pruned: ColumnsOfSide
