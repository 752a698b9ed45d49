"""Data sets."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from backend.schemas.terms import Norm, Schema


class DatasetOut(Schema):
    id: UUID
    slug: str = Field(description="Name for programs, e.g. fashion-mnist-test; accepted wherever an id is")
    name: str
    split: str
    size: int
    classes: list[str]
    shape: list[int] = Field(description="[height, width, channels]")
    default_norm: Norm
    default_eps: float
    default_eps_text: str
    source: str
    created_at: datetime
