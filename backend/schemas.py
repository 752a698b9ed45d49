"""What travels between services and their callers: REST bodies, CLI output, page data. One shape, one class.

Shares and accuracies are 0..1. Margins are in the norm's unit for pixels in [0, 1]; `None` with `found: false` means
that no adversarial was found (never 0, never a maximum). Times are UTC, ISO 8601.
"""

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Role = Literal["dense", "pruned"]
State = Literal["queued", "running", "succeeded", "failed", "cancelled"]
Norm = Literal["Linf", "L2"]
FlipSet = Literal["S11", "S10", "S01", "S00"]
Item = TypeVar("Item")


class Schema(BaseModel):
    model_config = ConfigDict(extra="forbid", from_attributes=True)


class Page(Schema, Generic[Item]):
    """A slice of a list, newest first."""

    items: list[Item]
    total: int
    limit: int
    offset: int


class Interval(Schema):
    low: float
    high: float
    confidence: float = 0.95


# --- health ----------------------------------------------------------------------------------------------------------
class WorkerOut(Schema):
    id: str
    host: str
    pid: int
    device: str
    last_seen: datetime


class Health(Schema):
    status: Literal["ok", "degraded"]
    version: str
    database: str = Field(description="sqlite or postgresql")
    workers: list[WorkerOut] = Field(description="The living ones")
    queue_depth: int = Field(description="Evaluations queued or running")
    open_access: bool = Field(description="True while no token is set (loopback only)")


# --- data sets -------------------------------------------------------------------------------------------------------
class DatasetOut(Schema):
    id: UUID
    slug: str = Field(description="Name for programs, e.g. fashion-mnist-test; accepted wherever an id is")
    name: str
    split: str
    size: int
    classes: list[str]
    shape: list[int] = Field(description="[height, width, channels]")
    default_norm: Norm
    default_eps: float
    default_eps_text: str
    source: str
    created_at: datetime


# --- checkpoints -----------------------------------------------------------------------------------------------------
class LayerOut(Schema):
    name: str
    shape: list[int]
    weights: int
    zeros: int
    sparsity: float


class PreflightCheck(Schema):
    code: str
    title: str
    outcome: Literal["ok", "warn", "fail"]
    sentence: str


class PreflightOut(Schema):
    state: Literal["queued", "running", "passed", "warned", "failed", "error"]
    checks: list[PreflightCheck] = []
    clean_accuracy: float | None = None
    n: int | None = None


class ClaimOut(Schema):
    robust_accuracy: float
    attack: str | None
    norm: str | None
    eps_text: str | None
    n: int | None
    source: str | None


class CheckpointOut(Schema):
    id: UUID
    name: str
    role: Role
    parent_id: UUID | None
    dataset_id: UUID
    source_sha256: str
    weights_sha256: str
    architecture: str
    normalization: str
    method: str | None
    structure: dict[str, Any] | None
    declared_sparsity: float | None
    measured_sparsity: float
    parameters: int
    prunable: int
    layers: list[LayerOut]
    warnings: list[str]
    preflight: PreflightOut
    claim: ClaimOut | None
    origin: Literal["zoo", "upload"]
    created_at: datetime


class CheckpointPatch(Schema):
    """What may be changed after the import; unset fields stay."""

    name: str | None = Field(None, min_length=1, max_length=120)
    parent_id: UUID | None = None
    method: str | None = None
    declared_sparsity: float | None = Field(None, ge=0, le=1)
    claimed_robust_accuracy: float | None = Field(None, ge=0, le=1)
    claimed_attack: str | None = None
    claimed_n: int | None = Field(None, ge=1)
    claimed_source: str | None = None


class CheckpointIn(Schema):
    """The form fields beside an uploaded file."""

    name: str = Field(min_length=1, max_length=120)
    role: Role
    dataset_id: str = Field(description="UUID or slug")
    parent_id: UUID | None = None
    architecture: str | None = None
    normalization: str | None = None
    method: str | None = None
    declared_sparsity: float | None = Field(None, ge=0, le=1)
    keep_rate: float | None = Field(None, gt=0, le=1)
    claimed_robust_accuracy: float | None = Field(None, ge=0, le=1)
    claimed_attack: str | None = None
    claimed_n: int | None = Field(None, ge=1)
    claimed_source: str | None = None
    evaluate: str | None = Field(None, description="A preset: queue an evaluation at once")


# --- evaluations -----------------------------------------------------------------------------------------------------
class EvaluationIn(Schema):
    checkpoint_id: UUID
    dataset_id: str = Field(description="UUID or slug")
    samples: int | list[int] = Field(description="The first n in id order, or explicit row indices")
    norm: Norm | None = None
    eps: str | float | None = Field(None, description='"8/255", "0.1" or a number; optional for `margin`')
    preset: str = "margin"
    seed: int = Field(0, ge=0, lt=2**31)
    priority: int = Field(10, ge=1, le=100, description="Smaller goes first; demo work uses 50")


class Progress(Schema):
    done: int
    total: int
    stage: str
    eta_seconds: float | None


class Summary(Schema):
    """Of the rows stored so far that belong to a finished evaluation; robust accuracy is at `eps`."""

    n: int
    clean_accuracy: float
    clean_accuracy_interval: Interval
    robust_accuracy: float | None
    robust_accuracy_interval: Interval | None
    median_margin: float | None = Field(description="Over samples classified right; None when it is censored")
    zero_margins: int = Field(description="Samples the model already gets wrong")
    not_found: int = Field(description="Samples without any adversarial (censored, never averaged)")


class ErrorOut(Schema):
    code: str
    message: str
    details: dict[str, Any] = {}
    request_id: str | None = None


class EvaluationOut(Schema):
    id: UUID
    checkpoint_id: UUID
    checkpoint_name: str
    dataset_id: UUID
    preset: str
    norm: Norm
    eps: float | None
    eps_text: str | None
    n: int
    seed: int
    priority: int
    state: State
    purpose: Literal["user", "demo"]
    progress: Progress
    queue_position: int | None
    summary: Summary | None
    flags: list[str]
    record: dict[str, Any]
    error: ErrorOut | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class MarginRow(Schema):
    index: int
    sample_id: str
    label: int
    prediction: int
    correct: bool
    margin: float | None
    margin_pred: float | None
    distance_kind: Literal["minimum", "witness"]
    found: bool
    robust: bool | None = Field(description="Right, and no perturbation found within eps; None without an eps")
    attack: str
    adversarial_prediction: int | None
    logit_gap: float
    max_probability: float
    loss: float
    survives_8bit: bool | None


# --- comparisons -----------------------------------------------------------------------------------------------------
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


class SampleSide(Schema):
    """One checkpoint's view of one sample."""

    evaluation_id: UUID
    checkpoint_name: str
    row: MarginRow
    has_adversarial: bool
    attempts: list[dict[str, Any]] = Field(description="attack, stage, found, distance, kind")
