"""Files sent before their form."""

from uuid import UUID

from pydantic import Field

from backend.schemas import Schema
from backend.schemas.inspections import LikelyParent


class UploadOut(Schema):
    """A file that has arrived whole."""

    upload_id: UUID
    filename: str
    bytes: int = Field(description="Size in bytes")
    sha256: str


class UploadPreview(Schema):
    """What a checkpoint file holds, before anybody says what it is."""

    architecture: str
    parameters: int
    measured_sparsity: float
    likely_parent: LikelyParent | None = Field(
        description="The dense checkpoint that a network with zeros was made from, by its weights"
    )
