"""Several pruned checkpoints against one dense checkpoint."""

from uuid import UUID

from pydantic import Field

from backend.schemas import Schema
from backend.schemas.comparisons import ColumnsOfSide, CountsOut, CurvePoint, MismatchOut, Rate, SharedColumns


class SeveralRow(Schema):
    """One checkpoint among several, on the samples that all of them share. Of the dense one, nothing is lost."""

    evaluation_id: UUID
    checkpoint_id: UUID
    name: str
    role: str
    method: str | None
    sparsity: float = Field(description="Declared, or measured where nothing is declared, 0..1")
    n: int = Field(description="Samples of the evaluation; the figures rest on those that all share")
    clean_accuracy: Rate
    robust_accuracy: Rate
    clean: CountsOut = Field(description="Against the dense checkpoint")
    robust: CountsOut = Field(description="Against the dense checkpoint, at eps")
    lost: Rate = Field(description="Share of all samples that are lost, clean")
    robust_lost: Rate = Field(description="Share of all samples that are lost at eps")
    mcnemar_p: float = Field(description="Clean, of lost against gained")
    robust_mcnemar_p: float = Field(description="At eps, of lost against gained")
    not_found: int = Field(description="Samples without any adversarial")
    flags: list[str] = Field(description="Reliability flags of the evaluation")
    curve: list[CurvePoint]
    mismatches: list[MismatchOut] = Field(description="How the attack differs from the dense checkpoint's")


class LossOverlap(Schema):
    """The losses of two pruned checkpoints, by the ids of their evaluations."""

    first: UUID
    second: UUID
    both: int
    only_first: int
    only_second: int
    jaccard: Rate | None = Field(description="`both` of the samples that either loses; null if neither loses any")
    by_chance: float | None = Field(
        description="The same share if each lost as many samples at random, of those that the dense checkpoint holds"
    )
    mcnemar_p: float = Field(description="Does one of them lose more samples?")


class SharedLosses(Schema):
    """Which losses the pruned checkpoints have in common."""

    held: int = Field(description="Samples that the dense checkpoint holds")
    only: list[int] = Field(description="Samples that one checkpoint alone loses, in the order of `pruned`")
    lost_by: list[int] = Field(description="Samples that exactly k checkpoints lose, k = 0, 1, ...; sums up to `held`")
    at_least: list[Rate] = Field(description="Share of all samples that at least k checkpoints lose, k = 1, 2, ...")
    overlaps: list[LossOverlap]


class SeveralOut(Schema):
    """Several pruned checkpoints against one dense checkpoint, on the samples that all of them share."""

    dense: SeveralRow
    pruned: list[SeveralRow]
    dataset_id: UUID
    norm: str
    eps: float
    eps_text: str
    n: int = Field(description="Samples that all evaluations share")
    clean: SharedLosses
    robust: SharedLosses
    notes: list[str]


class SeveralColumns(SharedColumns):
    """The samples that the dense and all pruned evaluations share."""

    pruned: list[ColumnsOfSide]
