"""A family: a dense checkpoint, its controls, other seeds and what was pruned from it, one row each; three answers."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from backend.schemas import Answer, Interval, Norm, Origin, Schema
from backend.schemas.checkpoints import ClaimOut
from backend.schemas.comparisons import Auroc, BinOut, CountsOut, Rate

Place = Literal["dense", "finetuned", "seed", "pruned"]
Question = Literal["claims", "thin ice", "rivals"]
Unit = Literal["points", "percent", "auroc", "auroc difference"]


class FamilyRate(Schema):
    """A share of samples and its evaluation; empty with a reason, never 0, where there is none."""

    preset: str
    rate: Rate | None
    evaluation_id: UUID | None
    flags: list[str]
    reason: str | None = Field(description="Why there is no share")
    broken_by_fallbacks: int = Field(
        0, description="Samples that only fallback attacks of the run break; not robust here"
    )
    broken_by_evidence: int = Field(0, description="Of the robust share, samples that later evidence breaks at eps")
    incompatible_evaluation_id: UUID | None = Field(
        None, description="The newest one left out, because it attacked differently from the dense network's"
    )


class FamilyMargin(Schema):
    """The median margin of the samples that are right without attack, in the norm's unit."""

    median: float | None = Field(description="null if it lies beyond every radius tried")
    low: float | None
    high: float | None = Field(description="null if the upper end lies beyond every radius tried")
    n: int
    censored: int = Field(description="Of `n`, samples without an adversarial; they rank above every number")
    reason: str | None


class FamilyDifference(Schema):
    """A difference with its 95 % interval."""

    value: float
    interval: Interval
    n: int


class FamilyBeyond(Schema):
    """What a checkpoint loses beyond the control, as shares of what the dense network holds; positive if more."""

    control_id: UUID
    control_name: str
    evaluation_id: UUID
    clean: FamilyDifference | None
    robust: FamilyDifference | None
    auroc: FamilyDifference | None = Field(description="The checkpoint's AUROC minus the control's, paired")
    auroc_reason: str | None
    incompatible: str | None = Field(
        description="How the control's training differs; null if it is the same or not known"
    )


class FamilyTraining(Schema):
    """The budget of a training: forward and backward passes of single images, the attack's radius, which images."""

    passes: int = Field(description="Including those of the evaluation that measured the dense margins, if one did")
    eps_text: str
    images_sha256: str = Field(description="SHA-256 over the ids and labels of the training set")


class FamilyFlips(Schema):
    """What changed against the dense network, sample by sample, from the margins of both."""

    dense_evaluation_id: UUID
    evaluation_id: UUID
    n: int
    clean: CountsOut
    robust: CountsOut
    negative_flip_rate: Rate
    robust_negative_flip_rate: Rate
    auroc: Auroc | None = Field(description="AUROC with which a small dense margin predicts a clean loss")
    auroc_reason: str | None
    logit_gap_auroc: Auroc | None
    margin_over_logit_gap: FamilyDifference | None = Field(description="AUROC of the margin minus the logit gap's")
    bins: list[BinOut] = Field(description="Share of samples lost, by dense margin")
    beyond: FamilyBeyond | None
    beyond_reason: str | None


class FamilyRow(Schema):
    """One checkpoint. `level` is the pruned share, 0..1, of what `structure` names."""

    checkpoint_id: UUID
    name: str
    place: Place
    method: str | None
    structure: str | None = Field(description="weight, filter, channel, n:m or mixed; null if nothing is pruned")
    level: float | None
    group: str = Field(description="Rows that may be ranked together: the same kind of zeros, the same level")
    declared_sparsity: float | None
    measured_sparsity: float
    origin: Origin
    clean_accuracy: FamilyRate
    claim: ClaimOut | None
    claim_reason: str | None = Field(description="Why there is no claim here")
    verdicts: list[FamilyRate] = Field(description="Robust accuracy at eps, one entry per preset")
    margin: FamilyMargin | None
    flips: FamilyFlips | None
    flips_reason: str | None = Field(description="Why the checkpoint is not compared with the dense network")
    training: FamilyTraining | None = Field(description="null if not known, as for an upload")


class FindingPart(Schema):
    """One interval of a finding, in shares or AUROC; one that decides is widened for all that decide together.

    `unit` says how to read it: a difference of shares in points, a share in percent, an AUROC, or a difference of two.
    """

    name: str
    unit: Unit
    value: float
    interval: Interval
    n: int
    answer: Answer | None = Field(description="null if the part decides nothing and is only shown")
    evaluation_ids: list[UUID]


class FamilyFinding(Schema):
    """A question answered for one checkpoint, or for one and a rival."""

    checkpoint_id: UUID
    checkpoint_name: str
    method: str = Field(description="The method that the finding counts for: the checkpoint's, or the rival's")
    group: str
    rival_id: UUID | None
    rival_name: str | None
    parts: list[FindingPart]
    additional: list[FindingPart]
    answer: Answer
    reason: str | None = Field(description="Why the answer is cannot tell, if something is missing")


class MethodAnswer(Schema):
    """The answer for a method, from its findings."""

    method: str
    answer: Answer
    findings: int


class FamilyAnswer(Schema):
    """One claim of the paper, answered for this family."""

    question: Question
    asks: str
    answer: Answer
    sentence: str = Field(description="The answer and `counts` in one text")
    counts: str = Field(description="How many findings say what, and the answer of each method")
    reimplemented: Literal["all", "some", "none"] = Field(
        description="Whether the networks of the answer are re-implementations made by Thin Ice"
    )
    basis: str = Field(description="What the intervals measure, and how many decide together")
    asked: int = Field(description="Number of intervals that decide together")
    confidence: float = Field(description="Confidence of each interval, so that all hold together in 95 of 100 cases")
    methods: list[MethodAnswer]
    findings: list[FamilyFinding]


class FamilyRoot(Schema):
    """A dense checkpoint that others may have been made from."""

    checkpoint_id: UUID
    name: str
    dataset_id: UUID
    pruned: int = Field(description="Number of checkpoints pruned from it")


class FamilyOut(Schema):
    """The table of one dense checkpoint at a norm and eps, and the three answers."""

    checkpoint_id: UUID
    name: str
    dataset_id: UUID
    dataset_name: str
    norm: Norm
    eps: float
    eps_text: str
    rows: list[FamilyRow] = Field(description="The dense checkpoint, controls, other seeds, then pruned ones by level")
    answers: list[FamilyAnswer]
    rule: str = Field(description="When an answer is yes, no or cannot tell")
    notes: list[str]
