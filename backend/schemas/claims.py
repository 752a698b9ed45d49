"""Claimed robust accuracy compared with what a re-evaluation leaves of it, and published figures as references."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from backend.schemas import Answer, Interval, Norm, Origin, Role, Schema
from backend.schemas.checkpoints import ClaimOut

Basis = Literal["same samples", "unpaired", "number only"]


class Reevaluation(Schema):
    """The evaluation that a claim is held against."""

    evaluation_id: UUID
    preset: str
    n: int
    robust_accuracy: float
    robust_accuracy_interval: Interval
    flags: list[str]


class ClaimDifference(Schema):
    """A difference in shares; positive where a claim is too high, or higher than another's."""

    value: float
    interval: Interval
    n: int = Field(description="Number of re-evaluated samples")
    basis: Basis = Field(description="How the interval treats the claim's samples; the list's `notes` explain it")
    answer: Answer = Field(description="yes: the interval is above 0; no: it is below 0.01; otherwise cannot tell")


class ClaimAgainst(Schema):
    """The same difference for a relative, on the samples re-evaluated for both, and the excess over it."""

    relation: Literal["parent", "finetuned", "seed"]
    checkpoint_id: UUID
    checkpoint_name: str
    claim: ClaimOut | None
    reevaluation: Reevaluation | None
    gap: ClaimDifference | None = Field(description="The relative's claim minus its re-evaluation")
    excess: ClaimDifference | None = Field(description="This checkpoint's gap minus the relative's, paired")
    reason: str | None = Field(description="Why there is no excess")


class ClaimCheck(Schema):
    """One claim and what became of it."""

    checkpoint_id: UUID
    checkpoint_name: str
    role: Role
    method: str | None
    sparsity: float
    origin: Origin
    dataset_id: UUID
    parent_id: UUID | None
    norm: Norm
    eps: float
    eps_text: str
    is_at_default: bool = Field(description="Whether norm and eps are the data set's own")
    claim: ClaimOut
    reevaluation: Reevaluation | None
    gap: ClaimDifference | None
    reason: str | None = Field(description="Why there is no gap")
    by_fallbacks: int = Field(
        0, description="Samples that only fallback attacks of the run broke; they count in `gap` only"
    )
    against: list[ClaimAgainst]
    notes: list[str]


class ReferenceFigure(Schema):
    """A published figure. Not measured here: never mixed with evaluations, and no claim of a checkpoint."""

    source: str
    url: str
    dataset: str
    method: str
    architecture: str
    structure: str
    sparsity: float
    norm: Norm
    eps_text: str = Field(description="As printed in the source")
    clean_accuracy: float | None
    claimed_robust_accuracy: float | None
    claimed_attack: str | None
    robust_accuracy: float
    attack: str
    note: str | None
