"""Prunings made here: what is asked for, how far it is, and the methods there are."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from backend.schemas import Schema, State
from backend.schemas.evaluations import ErrorOut
from backend.schemas.records import PruningRecord
from models.pruning.plans import CONTROL, METHODS

Granularity = Literal["weight", "filter", "channel"]
Schedule = Literal["short", "paper"]
TrainingLoss = Literal["PGD-AT", "TRADES", "MART"]


class PruningIn(Schema):
    """What decides a run; the schedule fills in every number that is left out."""

    parent_id: UUID = Field(description="A dense checkpoint")
    training_dataset_id: str = Field(
        max_length=200, description="UUID or slug; not the parent's data set, which judges the result"
    )
    method: str = Field(max_length=80, description=f"{', '.join(METHODS)}; or {CONTROL}: nothing is pruned")
    sparsity: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Share of the weights, filters or channels to remove (for HARP's channels: of multiplications); "
        "none for a control",
    )
    granularity: Granularity = "weight"
    schedule: Schedule = Field("short", description="short: a few epochs, the same cost for every method")
    loss: TrainingLoss | None = Field(None, description="Default: the method's; thin-ice has its own")
    epochs: int | None = Field(None, ge=1, le=1000, description="Epochs of the whole run, mask search included")
    eps: str | float | None = Field(
        None, description='Linf, "8/255" or a number; default: that of the parent\'s data set'
    )
    pgd_steps: int | None = Field(None, ge=1, le=100, description="Steps of the attack in training")
    learning_rate: float | None = Field(None, gt=0, le=10, description="Learning rate of the finetuning")
    epoch_images: int | None = Field(None, ge=1, le=100_000_000, description="Images drawn for each epoch")
    validation_samples: int | None = Field(
        None, ge=1, le=1_000_000, description="Training images kept back to pick the epoch; by default at most a tenth"
    )
    augments: bool | None = Field(
        None, description="Random crops and mirror images; the paper schedule uses them; wrong for digits (SVHN)"
    )
    precision: Literal["float32", "bfloat16"] | None = Field(
        None, description="Precision of the passes in training; weights stay float32. bfloat16 is for a GPU"
    )
    settings: dict[str, float] = Field({}, max_length=20, description="Settings of the method, by name")
    seed: int = Field(0, ge=0, lt=2**31)
    name: str | None = Field(None, min_length=1, max_length=120, description="Name of the result; optional")
    evaluate: str | None = Field(None, description="Preset with which to queue an evaluation of the result")
    priority: int = Field(10, ge=1, le=100, description="Smaller numbers go first")


class PruningProgress(Schema):
    """`done` of `total` optimiser steps; validation is inside the pace."""

    done: int
    total: int
    stage: str = Field(description="What the job is doing now")
    eta_seconds: float | None = Field(description="Expected time until the end; null where nothing tells")


class PruningOut(Schema):
    """One run; `record` holds the recipe and, at the end, the card of what it made."""

    id: UUID
    name: str = Field(description="Name of the checkpoint that it makes")
    parent_id: UUID
    parent_name: str
    dataset_id: UUID = Field(description="The parent's data set, which the claim is about")
    training_dataset_id: UUID
    training_dataset: str = Field(description="Slug of the training data set")
    method: str
    sparsity: float
    granularity: Granularity
    schedule: Schedule
    loss: TrainingLoss
    epochs: int
    eps: float
    eps_text: str
    seed: int
    passes: int = Field(description="Forward and backward passes of single images, validation aside")
    evaluate: str | None
    priority: int
    state: State
    progress: PruningProgress
    starts_in_seconds: float | None = Field(
        description="Expected time until a job that waits starts; null for any other, and where nothing tells"
    )
    warnings: list[str]
    record: PruningRecord = Field(description="Fields that are not known yet are absent")
    error: ErrorOut | None
    checkpoint_id: UUID | None = Field(description="The checkpoint it made; null before the end and after its deletion")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class ScheduleOut(Schema):
    """A method's run under a schedule, for a large training set."""

    name: Schedule
    epochs: int
    search_epochs: int
    loss: TrainingLoss
    learning_rate: float
    pgd_steps: int


class SettingOut(Schema):
    """A setting of a method; `default` is that of the short schedule, null if the method has its own."""

    name: str
    low: float
    high: float
    default: float | None
    whole: bool = Field(description="Only whole numbers are accepted; a setting from 0 to 1 is then a switch")
    meaning: str


class MethodOut(Schema):
    """A pruning method, or the control."""

    name: str
    title: str
    summary: str
    granularities: list[Granularity]
    losses: list[TrainingLoss]
    settings: list[SettingOut]
    schedules: list[ScheduleOut]


class PassesOut(Schema):
    """What a run would cost: forward and backward passes of single images, and the optimiser's steps."""

    forward: int
    backward: int
    total: int
    steps: int
    epochs: int
