"""Additional evidence: what is asked for, and what came of it."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from backend.schemas import Schema, State
from backend.schemas.evaluations import ErrorOut
from backend.schemas.records import EvidenceRecord

EvidenceKind = Literal["upload", "replay", "harder", "slice", "layers"]
LOOKS: tuple[EvidenceKind, ...] = ("slice", "layers")
"""Kinds that look closer at a pair and set no bound: a boundary slice, and layers of the parent restored one at a time.

Their evaluation is that of the pruned network; `source_evaluation_id` is that of the dense one."""


BudgetUnit = Literal["gradients", "seconds"]


class HarderIn(Schema):
    samples: list[int] = Field(min_length=1, max_length=1000, description="Data set rows that are classified correctly")
    budget: float = Field(
        gt=0,
        le=10_000_000,
        description="Gradients per sample (three passes without one count as one), or seconds for all of them",
    )
    budget_unit: BudgetUnit = "gradients"
    preset: str = Field("margin", description="Preset to run again and again, each time with a new seed")
    priority: int = Field(10, ge=1, le=100, description="Smaller numbers go first")


class ReplayIn(Schema):
    source_evaluation_id: UUID = Field(description="Evaluation whose adversarials are tried on this one's checkpoint")


class PairIn(Schema):
    dense: UUID = Field(description="Evaluation of the dense checkpoint")
    pruned: UUID = Field(description="Evaluation of the pruned checkpoint")


class EvidenceProgress(Schema):
    """`done` of `total` in `unit`: samples, layers, gradients per sample, or seconds."""

    done: float
    total: float
    unit: Literal["samples", "layers", "gradients", "seconds"]
    stage: str = Field(description="What the job is doing now")
    eta_seconds: float | None = Field(description="Expected time until the end; null where nothing tells")


class EvidenceOut(Schema):
    """Work beyond an evaluation's own run; it may lower best-known bounds and leaves the primary run as it is."""

    id: UUID
    evaluation_id: UUID
    checkpoint_name: str
    kind: EvidenceKind
    source: str = Field(description="Whom the bounds are credited to; for a replay, the other checkpoint")
    source_evaluation_id: UUID | None
    series: int = Field(description="Series of its attempts, unique within the evaluation")
    preset: str | None
    budget: float | None
    budget_unit: BudgetUnit | None
    n: int
    state: State
    progress: EvidenceProgress
    starts_in_seconds: float | None = Field(
        description="Expected time until a job that waits starts; null for any other, and where nothing tells"
    )
    checked: int = Field(description="Adversarials checked, or runs of an attack")
    held: int = Field(description="Verified adversarials among them")
    improved: int = Field(description="Samples whose best-known bound this evidence set")
    refused: dict[str, int] = Field(description="Number of adversarials that do not hold, by reason")
    record: EvidenceRecord = Field(description="What is needed to repeat it; fields that are not known yet are absent")
    error: ErrorOut | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class AttemptOut(Schema):
    """What evidence achieved on one sample."""

    index: int
    sample_id: str
    attack: str
    found: bool
    distance: float | None
    distance_kind: Literal["minimum", "witness"]


class UploadForm(Schema):
    """The form fields that come with an .npy of adversarials, float32 (n, C, H, W) in [0, 1]."""

    source: str = Field(min_length=1, max_length=500, description="Whom to credit: attack, tool, author")
    indices: str | None = Field(
        None, description="Data set row of each adversarial, as a JSON list; default: the evaluation's rows, ascending"
    )
