"""Evaluations and the rows they find."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from backend.schemas import Interval, Norm, Schema, State
from backend.schemas.records import RunRecord

RowRange = Annotated[str, StringConstraints(pattern=r"^\d{1,9}-\d{1,9}$")]
"""Rows of a data set from the first to the last, both included: `0-999`."""


class Draw(Schema):
    """A random draw: rows `numpy.random.default_rng(seed).permutation(size)[:draw]`, so smaller draws are nested."""

    draw: int = Field(description="How many samples")
    seed: int = Field(0, ge=0, lt=2**31)


Samples = int | RowRange | Draw | list[int]


class EvaluationIn(Schema):
    checkpoint_id: UUID
    dataset_id: str = Field(description="UUID or slug")
    samples: Samples = Field(
        description='n: rows 0 to n-1; "100-199": these rows; {"draw": n, "seed": s}: a random draw; or a list of rows'
    )
    norm: Norm | None = None
    eps: str | float | None = Field(None, description='"8/255", "0.1" or a number; optional for `margin`')
    preset: str = "margin"
    seed: int = Field(0, ge=0, lt=2**31)
    repeat: int = Field(1, ge=1, le=10, description="Queue this many, with seed, seed + 1, ..., to see attack noise")
    priority: int = Field(10, ge=1, le=100, description="Smaller numbers go first; demo work uses 50")


class ProgressOut(Schema):
    done: int
    total: int
    stage: str = Field(description="What the job is doing now")
    eta_seconds: float | None = Field(description="Expected time until the end; null where nothing tells")


class Summary(Schema):
    """What a finished evaluation says about its network; robust accuracy is at `eps`.

    Everything that the evaluation's own run verified counts, including fallback attacks. Comparisons use only the
    primary run of both sides.
    """

    n: int
    clean_accuracy: float
    clean_accuracy_interval: Interval
    robust_accuracy: float | None
    robust_accuracy_interval: Interval | None
    median_margin: float | None = Field(description="Over correctly classified samples; null when it is censored")
    zero_margins: int = Field(description="Samples that the model gets wrong without attack")
    not_found: int = Field(description="Samples without any adversarial (censored, never averaged)")
    broken_by_fallbacks: int = Field(
        description="Samples that only fallback attacks break at eps; not robust here, but robust in comparisons"
    )


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
    selection: str = Field(
        description="How the rows were chosen: first, seed S (a random draw), content (in order of the sample ids, by "
        "versions before migration 0006) or picked"
    )
    explicit: bool = Field(description="Whether somebody picked the rows, so that they say nothing about the others")
    seed: int
    repeat_of: UUID | None = Field(description="First of the evaluations that were queued together as repeats")
    priority: int
    state: State
    purpose: Literal["user", "demo"]
    progress: ProgressOut
    queue_position: int | None
    starts_in_seconds: float | None = Field(
        description="Expected time until a job that waits starts; null for any other, and where nothing tells"
    )
    summary: Summary | None
    flags: list[str]
    record: RunRecord = Field(description="What is needed to repeat it; fields that are not known yet are absent")
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
    robust: bool | None = Field(
        description="Correct, and the primary run found nothing within eps; null without an eps. "
        "Comparisons use this; the summary also counts fallback attacks"
    )
    attack: str
    adversarial_prediction: int | None
    logit_gap: float
    max_probability: float
    loss: float
    survives_8bit: bool | None
    slack_to_flip: float | None = Field(
        description="Share by which the margin would have to shrink to flip the verdict at eps; "
        "null if the sample does not hold, or without a margin or an eps"
    )
    best_known: float | None = Field(description="Nearest verified adversarial of all evidence; never above the margin")
    best_known_found: bool
    best_known_robust: bool | None = Field(description="As `robust`, by the best-known bound")
    best_known_source: str = Field(description="The attack that set the bound, or whom its evidence is credited to")
    has_evidence: bool = Field(description="Whether the bound comes from outside the primary run")


class SpreadRow(Schema):
    """How far one sample's margin moves when nothing but the seed changes."""

    index: int
    sample_id: str
    low: float | None = Field(description="Smallest margin; null if no seed found one")
    high: float | None = Field(description="Largest margin; null if any seed found none")
    ratio: float | None = Field(description="high / low; 1 if all seeds agree, null if any seed found none")
    changed: bool = Field(description="Whether the verdict at eps changes with the seed")


class NoiseReport(Schema):
    """Evaluations that differ only in the seed, sample by sample."""

    evaluation_ids: list[UUID]
    seeds: list[int]
    eps: float | None
    n: int
    floor: float | None = Field(description="95 % of margins moved by less than this share of their size, 0..1")
    changed: int
    samples: list[SpreadRow]


class SampleSide(Schema):
    """One checkpoint's view of one sample."""

    evaluation_id: UUID
    checkpoint_name: str
    row: MarginRow
    has_adversarial: bool
    attempts: list[dict[str, Any]] = Field(
        description="attack, series (0 the primary run, 1 fallback attacks, from 2 on evidence), source, found, "
        "distance, kind"
    )
