"""What travels between services and their callers: REST bodies, CLI output, page data. One shape, one class.

This module holds what all shapes are made of; the shapes of a noun are imported from the module of that noun.

Shares and accuracies are 0..1. Margins are in the norm's unit for pixels in [0, 1]; `None` with `found: false` means
that no adversarial was found (never 0, never a maximum). Times are UTC, ISO 8601.
"""

from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

Role = Literal["dense", "pruned"]
State = Literal["queued", "running", "succeeded", "failed", "cancelled"]
"""Of a job: an evaluation, evidence or a pruning."""

ACTIVE: tuple[State, ...] = ("queued", "running")
RESUMABLE: tuple[State, ...] = ("failed", "cancelled")
ENDED: tuple[State, ...] = ("succeeded", *RESUMABLE)
STATES: tuple[State, ...] = (*ACTIVE, *ENDED)
Norm = Literal["Linf", "L2", "L1"]
Split = Literal["train", "test"]
FlipSet = Literal["S11", "S10", "S01", "S00"]
Answer = Literal["yes", "no", "cannot tell"]
"""To a question about a claim, a family or the descent of a checkpoint."""

Origin = Literal["zoo", "upload", "pruned"]
"""Shipped, sent by a user, or pruned here."""

OURS: tuple[Origin, ...] = ("zoo", "pruned")
"""Made by Thin Ice: what it shows holds for our re-implementation of its method, and its claim is our measurement."""

Item = TypeVar("Item")


class Schema(BaseModel):
    model_config = ConfigDict(extra="forbid", from_attributes=True)


class Page(Schema, Generic[Item]):
    """A slice of a list, newest first."""

    items: list[Item]
    total: int
    limit: int
    offset: int


class Interval(Schema):
    low: float
    high: float
    confidence: float = 0.95
