"""Comparisons of two evaluations."""

from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from backend.schemas.evaluations import EvaluationOut
from backend.schemas.terms import FlipSet, Interval, Schema


class Counts(Schema):
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


class Bin(Schema):
    low: float | None
    high: float | None
    label: str
    n: int
    lost: int
    share: float
    interval: Interval


class Mismatch(Schema):
    field: str
    dense: Any
    pruned: Any
    severity: Literal["differs", "note"]
    sentence: str


class Correlation(Schema):
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
    population: int = Field(description="Samples the dense model holds at eps")


class CurvePoint(Schema):
    eps: float
    robust_accuracy: float
    low: float
    high: float


class ControlOut(Schema):
    """The same comparison for a control of the same parent: what any change to the model does."""

    evaluation_id: UUID
    checkpoint_id: UUID
    name: str
    kind: Literal["finetuned", "seed", "noise"]
    n: int
    clean: Counts
    robust: Counts
    auroc: Auroc | None
    auroc_reason: str | None
    lost_beyond: int = Field(description="Clean samples lost by pruning minus those lost by the control")
    lost_beyond_interval: Interval | None
    auroc_difference: float | None
    auroc_difference_interval: Interval | None


class TextPart(Schema):
    text: str
    emphasis: Literal["lost", "gained", "number"] | None = None


class ClassFlips(Schema):
    label: int
    name: str
    n: int
    lost: int
    rate: float
    interval: Interval
    adjusted_p: float


class ComparisonOut(Schema):
    dense: EvaluationOut
    pruned: EvaluationOut
    eps: float
    eps_text: str
    n: int
    clean: Counts
    robust: Counts
    negative_flip_rate: Rate
    positive_flip_rate: Rate
    churn: Rate
    mcnemar_p: float
    auroc: Auroc | None
    auroc_reason: str | None
    predictive: list[Predictive]
    robust_statistics: RobustStatistics
    spearman: Correlation
    bins: list[Bin]
    curves: dict[str, list[CurvePoint]] = Field(description="dense and pruned")
    classes: list[ClassFlips]
    controls: list[ControlOut]
    controls_reason: str | None = Field(description="Why no control stands beside it")
    mismatches: list[Mismatch]
    equal_effort: bool
    headline: list[TextPart]
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
