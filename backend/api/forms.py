"""How a form with a file is described in the OpenAPI document; `incoming` receives it."""

from collections.abc import Sequence
from typing import Any

from backend.schemas import Schema

SENT_ALONG = {"file": {"type": "string", "format": "binary"}}
SENT_BEFORE = {
    "file": {"type": "string", "format": "binary", "description": "Or `upload_id`"},
    "upload_id": {"type": "string", "format": "uuid", "description": "Id of a file sent earlier"},
}


def describe_form(fields: type[Schema], file: dict[str, Any], required: Sequence[str]) -> dict[str, Any]:
    """A route's `openapi_extra`: the fields of a schema for a file that is sent along, or was sent before."""
    properties = {**file, **fields.model_json_schema()["properties"]}
    schema = {"type": "object", "required": list(required), "properties": properties}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}
