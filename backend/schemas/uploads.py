"""Files sent before their form."""

from uuid import UUID

from pydantic import Field

from backend.schemas import Schema


class UploadOut(Schema):
    """A file that has arrived whole."""

    upload_id: UUID
    filename: str
    bytes: int = Field(description="Size in bytes")
    sha256: str
