"""Data sets."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from backend.schemas import Norm, Schema, Split


class DatasetOut(Schema):
    id: UUID
    slug: str = Field(description="Name for programs, such as fashion-mnist-test; accepted wherever an id is")
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


class DatasetPatch(Schema):
    """What may be changed after the import; the slug stays, because addresses and programs name the data set by it."""

    name: str = Field(min_length=1, max_length=120)


class DatasetForm(Schema):
    """The form fields sent with an uploaded .npz (`x` uint8 N,H,W,C or N,H,W; `y` integer labels) or archive."""

    name: str = Field(min_length=1, max_length=120)
    default_norm: Norm = "Linf"
    default_eps: str = Field("8/255", max_length=40, description='"8/255" or a decimal')
    classes: str | None = Field(None, description="Class names, as a JSON list or separated by commas")
    split: Split | None = Field(None, description="Which split of a CIFAR or SVHN archive; default: test")
