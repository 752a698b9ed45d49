"""The tables. Attempts, never overwritten (`attempt`), their best verified summary (`result`), and what users made.

Ids of what users make are time-ordered UUIDs. A sample is known by its content (`sample.content_id`, SHA-256 over shape
and pixels), so that rows of two evaluations pair by content, never by row number.

What a foreign key refers to is an attribute next to it (`evaluation.dataset`), read when it is first used and only
inside a session: used later, it raises. Lists of many rows ask for what they show of others in one question instead.
"""

import secrets
import time
import uuid
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

from backend.schemas import Norm, Origin
from backend.schemas.records import EvidenceRecord, PruningRecord, RunRecord
from backend.store.records import RecordColumn

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


FIRST, CONTENT, PICKED = "first", "content", "picked"
"""How an evaluation's rows were chosen: rows 0 to n-1; the n smallest sample ids (before migration 0006); by hand."""


def new_id() -> uuid.UUID:
    """A time-ordered UUID (version 7 of RFC 9562: 48 bits of milliseconds, then randomness)."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | (0x7 << 76) | (secrets.randbits(12) << 64) | (0b10 << 62) | secrets.randbits(62)
    return uuid.UUID(int=value)


def now() -> datetime:
    """The present moment, UTC, with its zone."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment with a zone; SQLite forgets zones, so UTC is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class Table(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON, list[Any]: JSON, uuid.UUID: Uuid}


class Owned:
    """Columns of every row of a user's making."""

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    project: Mapped[str] = mapped_column(String(64), default="default")
    created_by: Mapped[str | None] = mapped_column(String(120))
    created_at: Mapped[datetime] = mapped_column(default=now)


class Job(Owned, Table):
    """Columns of every kind of job: evaluations, evidence and prunings have one life (`backend/jobs/lifecycle.py`)."""

    __abstract__ = True
    long_columns: ClassVar[tuple[str, ...]] = ()
    """What lists of jobs leave in the database."""

    priority: Mapped[int]
    state: Mapped[str] = mapped_column(String(12), default="queued", index=True)
    stage: Mapped[str] = mapped_column(String(80), default="waiting")
    done: Mapped[int] = mapped_column(default=0, comment="samples, rounds of an attack, or optimiser steps")
    run_number: Mapped[int] = mapped_column(default=0, comment="how often it was queued; part of the job's id")
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Dataset(Owned, Table):
    __tablename__ = "dataset"
    slug: Mapped[str] = mapped_column(String(120), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    split: Mapped[str] = mapped_column(String(40))
    size: Mapped[int]
    classes: Mapped[list[Any]]
    shape: Mapped[list[Any]]
    default_norm: Mapped[Norm] = mapped_column(String(8))
    default_eps: Mapped[str] = mapped_column(String(40), comment="exact text, e.g. 8/255")
    source: Mapped[str] = mapped_column(Text)
    builtin: Mapped[bool] = mapped_column(default=False)
    file: Mapped[str] = mapped_column(String(200), comment="artefact name; for built-in sets the catalogue's slug")


class Sample(Table):
    __tablename__ = "sample"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    content_id: Mapped[str] = mapped_column(String(80), unique=True)


class DatasetSample(Table):
    __tablename__ = "dataset_sample"
    __table_args__ = {"sqlite_with_rowid": False}
    dataset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"), primary_key=True)
    index: Mapped[int] = mapped_column(primary_key=True)
    sample_id: Mapped[int] = mapped_column(ForeignKey("sample.id"))
    label: Mapped[int]


class Checkpoint(Owned, Table):
    __tablename__ = "checkpoint"
    __table_args__ = (UniqueConstraint("project", "name"),)
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(10))
    parent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("checkpoint.id"), index=True)
    dataset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dataset.id"))
    source_sha256: Mapped[str] = mapped_column(String(64))
    weights_sha256: Mapped[str] = mapped_column(String(64))
    file: Mapped[str] = mapped_column(String(200), comment="artefact name of the safetensors file")
    architecture: Mapped[str] = mapped_column(String(80))
    layer_list: Mapped[list[Any] | None] = mapped_column(
        JSON(none_as_null=True), comment="the user's own layers of a plain Sequential"
    )
    normalization: Mapped[str] = mapped_column(String(80))
    method: Mapped[str | None] = mapped_column(String(80))
    structure: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    declared_sparsity: Mapped[float | None]
    measured_sparsity: Mapped[float]
    parameters: Mapped[int]
    prunable: Mapped[int]
    layers: Mapped[list[Any]]
    warnings: Mapped[list[Any]]
    claim: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    preflight: Mapped[dict[str, Any]]
    inspection: Mapped[dict[str, Any] | None] = mapped_column(
        JSON(none_as_null=True), comment="structure of the zeros, and the parent"
    )
    origin: Mapped[Origin] = mapped_column(String(10))
    pruning_id: Mapped[uuid.UUID | None] = mapped_column(comment="the run that made it, of origin pruned")

    dataset: Mapped[Dataset] = relationship()


class Evaluation(Job):
    __tablename__ = "evaluation"
    long_columns = ("indices",)
    checkpoint_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("checkpoint.id"), index=True)
    dataset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dataset.id"))
    preset: Mapped[str] = mapped_column(String(40))
    norm: Mapped[str] = mapped_column(String(8))
    eps: Mapped[str | None] = mapped_column(String(40), comment="exact text")
    indices: Mapped[list[Any]] = mapped_column(comment="rows of the data set, in the order of the chunks")
    selection: Mapped[str] = mapped_column(
        String(20), default=FIRST, comment="how the rows were chosen: first, seed S, content or picked"
    )
    n: Mapped[int]
    seed: Mapped[int]
    repeat_of: Mapped[uuid.UUID | None] = mapped_column(
        comment="first of the evaluations that differ in the seed alone"
    )
    purpose: Mapped[str] = mapped_column(String(10), default="user")
    chunk_size: Mapped[int]
    record: Mapped[RunRecord] = mapped_column(RecordColumn(RunRecord), default=RunRecord)
    flags: Mapped[list[Any]] = mapped_column(default=list)
    summary: Mapped[dict[str, Any] | None] = mapped_column(JSON)

    checkpoint: Mapped[Checkpoint] = relationship()
    dataset: Mapped[Dataset] = relationship()

    @property
    def explicit(self) -> bool:
        """Whether somebody picked the rows, so that they say nothing about the others."""
        return self.selection == PICKED


class Chunk(Table):
    """One durable step of an evaluation; its row is written in the same transaction as its samples' rows."""

    __tablename__ = "chunk"
    evaluation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("evaluation.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    samples: Mapped[int]
    worker_id: Mapped[str] = mapped_column(String(80))
    device: Mapped[str] = mapped_column(String(80))
    seconds: Mapped[float]
    forwards: Mapped[int] = mapped_column(BigInteger)
    backwards: Mapped[int] = mapped_column(BigInteger)
    flags: Mapped[list[Any]]
    finished_at: Mapped[datetime] = mapped_column(default=now)


class Evidence(Job):
    """Attempts beyond an evaluation's own run: their source, how far their checking is, what came of it."""

    __tablename__ = "evidence"
    long_columns = ("indices",)
    __table_args__ = (UniqueConstraint("evaluation_id", "series"),)
    evaluation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("evaluation.id", ondelete="CASCADE"), index=True)
    series: Mapped[int] = mapped_column(comment="of its attempts; smaller ones are the evaluation's own run")
    kind: Mapped[str] = mapped_column(String(10))
    source: Mapped[str] = mapped_column(Text, comment="whom its bounds are credited to")
    source_evaluation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("evaluation.id"), index=True)
    indices: Mapped[list[Any]] = mapped_column(comment="rows of the data set, in the order of the work")
    file: Mapped[str | None] = mapped_column(String(80), comment="artefact of the uploaded adversarials")
    preset: Mapped[str | None] = mapped_column(String(40))
    budget: Mapped[float | None] = mapped_column(comment="per sample: gradients; in all: seconds")
    budget_unit: Mapped[str | None] = mapped_column(String(10))
    spent: Mapped[float] = mapped_column(default=0.0, comment="of the budget, in its unit")
    n: Mapped[int]
    seconds: Mapped[float] = mapped_column(default=0.0, comment="of work so far")
    checked: Mapped[int] = mapped_column(default=0)
    held: Mapped[int] = mapped_column(default=0)
    improved: Mapped[int] = mapped_column(default=0)
    record: Mapped[EvidenceRecord] = mapped_column(RecordColumn(EvidenceRecord), default=EvidenceRecord)
    refused: Mapped[dict[str, Any]] = mapped_column(default=dict, comment="how many adversarials, by reason")

    evaluation: Mapped[Evaluation] = relationship(foreign_keys=evaluation_id)

    @property
    def steps(self) -> int:
        """How many steps the work has, as `done` counts them: layers where layers are restored, else samples."""
        return self.n if self.record.layers is None else len(self.record.layers.names)

    @property
    def credit(self) -> str:
        """To whom its bounds are credited, in words."""
        return f"replay of {self.source}" if self.kind == "replay" else self.source

    def credit_of(self, attack: str) -> str:
        """To whom the bound of one attempt is credited: of more effort the name of the attempt ends in the seed."""
        return f"{self.preset}, seed {attack.rpartition('@')[2]}" if self.kind == "harder" else self.credit


class Pruning(Job):
    """A network to be pruned here (or, by the method control, finetuned as long): how, how far it is, what it made.

    `plan` is everything that decides the run, as `models.pruning.plans` writes it, so that a resumed run is the same
    whatever the schedules are by then.
    """

    __tablename__ = "pruning"
    name: Mapped[str] = mapped_column(String(120), comment="of the checkpoint that it makes")
    parent_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("checkpoint.id"), index=True)
    dataset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dataset.id"), comment="the parent's, of the claim")
    training_dataset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dataset.id"))
    method: Mapped[str] = mapped_column(String(80))
    rate: Mapped[float] = mapped_column(comment="share of what the granularity names that goes away")
    granularity: Mapped[str] = mapped_column(String(10))
    schedule: Mapped[str] = mapped_column(String(10))
    plan: Mapped[dict[str, Any]]
    seed: Mapped[int]
    evaluate: Mapped[str | None] = mapped_column(String(40), comment="preset of the evaluation that follows")
    total: Mapped[int]
    record: Mapped[PruningRecord] = mapped_column(RecordColumn(PruningRecord), default=PruningRecord)
    eta_seconds: Mapped[float | None]
    worker_id: Mapped[str | None] = mapped_column(String(80), comment="who works on it; another writes nothing")
    checkpoint_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("checkpoint.id", ondelete="SET NULL"))

    parent: Mapped[Checkpoint] = relationship(foreign_keys=parent_id)
    dataset: Mapped[Dataset] = relationship(foreign_keys=dataset_id)
    training_dataset: Mapped[Dataset] = relationship(foreign_keys=training_dataset_id)
    checkpoint: Mapped[Checkpoint | None] = relationship(foreign_keys=checkpoint_id)


class Attempt(Table):
    """What one attack achieved on one sample; never overwritten.

    Rows go only with what they belong to: the evaluation when it is deleted, or the evidence of their series.
    Series 0 is the primary run of an evaluation's own run, series 1 its fallback attacks; every `evidence` has a series
    of its own.
    """

    __tablename__ = "attempt"
    __table_args__ = {"sqlite_with_rowid": False}
    evaluation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("evaluation.id", ondelete="CASCADE"), primary_key=True)
    sample_id: Mapped[int] = mapped_column(ForeignKey("sample.id"), primary_key=True)
    series: Mapped[int] = mapped_column(primary_key=True, default=0)
    attack: Mapped[str] = mapped_column(String(60), primary_key=True)
    found: Mapped[bool]
    distance: Mapped[float | None] = mapped_column(comment="null where not found")
    kind: Mapped[str] = mapped_column(String(10))
    artefact: Mapped[str | None] = mapped_column(String(80), comment="shard of the best attempt's adversarial")
    shard_row: Mapped[int | None] = mapped_column(comment="null in the primary run, whose result knows it")


class Result(Table):
    """The best verified attempt of a sample's primary run, what the network says about the clean image, and the bound.

    `best_known` is the nearest verified adversarial of all series; the other columns never change.
    """

    __tablename__ = "result"
    __table_args__ = (Index("ix_result_evaluation_id_index", "evaluation_id", "index"), {"sqlite_with_rowid": False})
    evaluation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("evaluation.id", ondelete="CASCADE"), primary_key=True)
    sample_id: Mapped[int] = mapped_column(ForeignKey("sample.id"), primary_key=True)
    index: Mapped[int]
    label: Mapped[int]
    prediction: Mapped[int]
    correct: Mapped[bool]
    found: Mapped[bool]
    margin: Mapped[float | None] = mapped_column(comment="null where not found; 0 where already wrong")
    kind: Mapped[str] = mapped_column(String(10))
    margin_pred: Mapped[float | None]
    attack: Mapped[str] = mapped_column(String(60))
    adversarial_prediction: Mapped[int | None]
    logit_gap: Mapped[float]
    max_probability: Mapped[float]
    loss: Mapped[float]
    survives_8bit: Mapped[bool | None]
    shard: Mapped[str | None] = mapped_column(String(80), comment="artefact with the adversarial, null where none")
    shard_row: Mapped[int | None]
    best_known: Mapped[float | None] = mapped_column(comment="null where not found; at most the margin")
    best_known_found: Mapped[bool] = mapped_column(server_default=false())
    best_known_series: Mapped[int] = mapped_column(server_default="0")
    best_known_source: Mapped[str] = mapped_column(
        String(200), server_default="", comment="attack, or source of the evidence"
    )


class LogLine(Table):
    __tablename__ = "log_line"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    evaluation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("evaluation.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(default=now)
    text: Mapped[str] = mapped_column(Text)


class Discarded(Table):
    """A shipped evaluation or checkpoint that a user deleted."""

    __tablename__ = "discarded"
    key: Mapped[str] = mapped_column(
        String(64), primary_key=True, comment="id of a shipped evaluation, or SHA-256 of a shipped file"
    )


class Worker(Table):
    """A worker process and its heartbeat."""

    __tablename__ = "worker"
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    host: Mapped[str] = mapped_column(String(200))
    pid: Mapped[int]
    device: Mapped[str] = mapped_column(String(80))
    started_at: Mapped[datetime] = mapped_column(default=now)
    last_seen: Mapped[datetime] = mapped_column(default=now)
