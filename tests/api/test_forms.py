"""Forms with a file, as the OpenAPI document describes them."""

from backend.api.forms import SENT_ALONG, SENT_BEFORE, describe_form
from backend.schemas.checkpoints import CheckpointIn


def test_describe_form_has_the_fields_of_the_schema_and_those_of_the_file() -> None:
    content = describe_form(CheckpointIn, SENT_BEFORE, ["name"])["requestBody"]["content"]
    schema = content["multipart/form-data"]["schema"]
    assert set(schema["properties"]) == {*CheckpointIn.model_fields, "file", "upload_id"}
    assert schema["required"] == ["name"]


def test_describe_form_of_a_file_sent_along_takes_no_upload_id() -> None:
    content = describe_form(CheckpointIn, SENT_ALONG, ["file"])["requestBody"]["content"]
    assert "upload_id" not in content["multipart/form-data"]["schema"]["properties"]
