"""Boundary slices: what is asked for, and the classes of both networks on a plane."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from backend.schemas import Norm, Schema
from backend.schemas.records import SliceMark


class SliceIn(Schema):
    dense: UUID = Field(description="Evaluation of the dense checkpoint")
    pruned: UUID = Field(description="Evaluation of the pruned checkpoint")
    index: int = Field(ge=0, le=2**31 - 1, description="Row of the dense evaluation's data set")
    points: int = Field(61, ge=3, le=201, description="Points of the grid along each side; an odd number has a middle")


class SliceOut(Schema):
    """The plane through a clean image and its adversarials, with both networks' classes on a square grid.

    Coordinates are L2 distances from the clean image, which lies in the middle: one scale in every direction.
    """

    evidence_id: UUID
    dense_evaluation_id: UUID
    pruned_evaluation_id: UUID
    index: int = Field(description="Row of the pruned evaluation's data set")
    label: int = Field(description="The true class")
    norm: Norm
    points: int = Field(description="Points of the grid along each side")
    half_width: float = Field(description="From the clean image to each side of the grid")
    gradient_of: Literal["dense", "pruned"] | None = Field(
        description="The network without an adversarial, whose gradient at the clean image spans the plane instead"
    )
    marks: list[SliceMark] = Field(description="The clean image and the adversarials; verified before the rest")
    dense: list[list[int]] = Field(description="Classes of the dense network, rows from the lowest y, x ascending")
    pruned: list[list[int]] = Field(description="Classes of the pruned network, in the same order")
    unit_ball: list[tuple[float, float]] | None = Field(
        description="Corners of the Linf ball of radius 1 on the plane: times eps its own. In L2 null: a circle"
    )
    pixel_box: list[tuple[float, float]] = Field(
        description="Corners of the part of the plane whose pixels all lie in [0, 1]; beyond it there are no images"
    )
    seconds: float | None = Field(description="What it took")
