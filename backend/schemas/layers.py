"""Layers of the parent restored into a pruned network, one at a time: what is asked for, and what was measured."""

from uuid import UUID

from pydantic import Field

from backend.schemas import Schema, State
from backend.schemas.comparisons import Rate


class LayersIn(Schema):
    dense: UUID = Field(description="Evaluation of the dense checkpoint")
    pruned: UUID = Field(description="Evaluation of the pruned checkpoint")
    eps: str | None = Field(None, max_length=40, description='"8/255" or a decimal; default: as comparisons choose it')
    index: int | None = Field(
        None, ge=0, le=2**31 - 1, description="A lost sample, by its row, that must be among those measured"
    )


class RestoredLayerOut(Schema):
    """The pruned network with one layer of its parent. Rates are null where there is no sample to count."""

    name: str
    parts: list[str] = Field(description="What was restored: the layer, and the normalisation after it")
    weights: int = Field(description="Weights of the layer")
    clean_back: Rate | None = Field(description="Of the samples lost clean: right again without any attack")
    robust_back: Rate | None = Field(description="Of the samples lost at eps: right again, and not broken within eps")
    kept_held: Rate | None = Field(description="Of the kept samples that were measured: still right and not broken")
    clean_accuracy: Rate = Field(description="Of all samples of the evaluation: right without any attack")
    margins: list[float | None] = Field(
        description="Of the samples in `indices`: 0 where wrong without any attack, null where none was found"
    )
    seconds: float


class LayersOut(Schema):
    """What each layer of the parent gives back, the one that gives back most first; only measured layers."""

    evidence_id: UUID
    dense_evaluation_id: UUID
    pruned_evaluation_id: UUID
    state: State
    eps: float
    eps_text: str
    preset: str
    indices: list[int] = Field(description="Rows that were measured again: lost ones first, then kept ones")
    lost: int = Field(description="How many of them are lost, clean or at eps")
    lost_in_all: int = Field(description="How many samples pruning lost, measured or not")
    kept: int = Field(description="How many of them are kept at eps, for control")
    layers: list[RestoredLayerOut]
    names: list[str] = Field(description="All layers, in the order of the network")
