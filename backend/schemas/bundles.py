"""Bundles: finished evaluations as one file, and what became of each when the file was imported."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from backend.schemas import Norm, Schema
from backend.schemas.records import RunRecord

VERSION = 1
"""Of the bundles that are written now, and the newest that can be read."""

AdversarialsKept = Literal["all", "none"]


class BundledCheckpoint(Schema):
    """Which network was attacked. Its weights are not in the bundle; the importer must have them."""

    name: str = Field(max_length=120)
    weights_sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="Of the weights as they are used")
    source_sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="Of the file that it came from")
    architecture: str = Field(max_length=80)
    normalization: str = Field(max_length=80)


class BundledDataset(Schema):
    """Which images were attacked. They are not in the bundle; the importer must have them."""

    slug: str = Field(max_length=120)
    shape: tuple[int, int, int] = Field(description="(H, W, C)")
    classes: int = Field(ge=2)
    samples_sha256: str = Field(
        pattern=r"^[0-9a-f]{64}$", description="Of the sample ids in the order of the rows, one a line"
    )


class BundledChunk(Schema):
    """One chunk of the run, as the machine that attacked it wrote it down."""

    number: int = Field(ge=0)
    samples: int = Field(ge=1)
    device: str = Field(max_length=80)
    seconds: float = Field(ge=0)
    forwards: int = Field(ge=0)
    backwards: int = Field(ge=0)
    flags: list[str]


class BundledEvaluation(Schema):
    """Everything about one evaluation but its rows, which are `<folder>/results.parquet` and so on."""

    id: UUID
    folder: str = Field(pattern=r"^[0-9]{3}$")
    checkpoint: BundledCheckpoint
    dataset: BundledDataset
    preset: str = Field(max_length=40)
    norm: Norm
    eps: str | None = Field(None, max_length=40, description="Exact text")
    selection: str = Field(max_length=20, description="How the rows were chosen")
    n: int = Field(ge=1)
    seed: int = Field(ge=0, lt=2**31)
    chunk_size: int = Field(ge=1)
    flags: list[str]
    chunks: list[BundledChunk] = Field(min_length=1)
    record: RunRecord
    adversarials: int = Field(ge=0, description="How many are in the bundle")
    finished_at: datetime


class BundleManifest(Schema):
    """`manifest.json` of a bundle."""

    format: Literal["thinice-bundle"] = "thinice-bundle"
    version: int = Field(VERSION, ge=1, le=VERSION)
    made_at: datetime
    thinice: str = Field(max_length=40, description="Version that wrote it")
    engine: int = Field(ge=1, description="Version of the attack engine")
    evaluations: list[BundledEvaluation] = Field(min_length=1)


class ImportedEvaluation(Schema):
    """What became of one evaluation of a bundle."""

    evaluation_id: UUID
    checkpoint_name: str
    preset: str
    n: int
    adversarials: int = Field(0, description="How many are in the bundle, each to be verified")
    outcome: Literal["queued", "known", "refused"] = Field(
        description="queued: its rows are verified one by one before they count; known: it is here already"
    )
    reason: str | None = Field(None, description="Why it was refused")


class BundlePreview(Schema):
    """What is in a bundle, and what would become of it; its rows are not read yet, and may still be refused."""

    made_at: datetime
    thinice: str
    engine: int
    evaluations: list[ImportedEvaluation]


class BundleForm(Schema):
    """The form fields that come with a bundle: none but the file."""


class BundleOut(Schema):
    evaluations: list[ImportedEvaluation]
