"""Checkpoints, their pre-flight and their claims."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from backend.schemas import Norm, Origin, Role, Schema
from backend.schemas.inspections import InspectionOut


class LayerOut(Schema):
    name: str
    shape: list[int]
    weights: int
    zeros: int
    sparsity: float


class PreflightCheckOut(Schema):
    code: str
    title: str
    outcome: Literal["ok", "warn", "fail"]
    sentence: str


class PreflightOut(Schema):
    state: Literal["queued", "running", "passed", "warned", "failed", "error"]
    checks: list[PreflightCheckOut] = []
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
    layer_list: list[Any] | None
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
    inspection: InspectionOut | None = Field(description="null if the weights could not be inspected")
    claim: ClaimOut | None
    origin: Origin
    pruning_id: UUID | None = Field(description="The pruning that made it here; null for any other origin")
    created_at: datetime


class CheckpointPatch(Schema):
    """What may be changed after the import; unset fields stay."""

    name: str | None = Field(None, min_length=1, max_length=120)
    parent_id: UUID | None = None
    method: str | None = None
    declared_sparsity: float | None = Field(None, ge=0, le=1)
    claimed_robust_accuracy: float | None = Field(None, ge=0, le=1)
    claimed_attack: str | None = Field(None, max_length=120)
    claimed_norm: Norm | None = Field(None, description="Default: the data set's")
    claimed_eps: str | float | None = Field(None, description='"8/255", "0.031" or a number; default: the data set\'s')
    claimed_n: int | None = Field(None, ge=1)
    claimed_source: str | None = Field(None, max_length=400)


class CheckpointIn(Schema):
    """The form fields sent with an uploaded file."""

    name: str = Field(min_length=1, max_length=120)
    role: Role
    dataset_id: str = Field(description="UUID or slug")
    parent_id: UUID | None = None
    architecture: str | None = Field(None, description="A name, or a JSON list of the layers of a plain nn.Sequential")
    normalization: str | None = None
    method: str | None = None
    declared_sparsity: float | None = Field(None, ge=0, le=1)
    keep_rate: float | None = Field(None, gt=0, le=1, description="Share of weights kept, for files with scores")
    claimed_robust_accuracy: float | None = Field(None, ge=0, le=1)
    claimed_attack: str | None = Field(None, max_length=120)
    claimed_norm: Norm | None = Field(None, description="Default: the data set's")
    claimed_eps: str | float | None = Field(None, description='"8/255", "0.031" or a number; default: the data set\'s')
    claimed_n: int | None = Field(None, ge=1)
    claimed_source: str | None = Field(None, max_length=400)
    evaluate: str | None = Field(None, description="Preset with which to queue an evaluation at once")
    evaluate_samples: int | None = Field(
        None, ge=1, description="Its samples, from row 0 on; default: as many as the parent's newest, else 500"
    )
