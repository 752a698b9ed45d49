"""The response that is not a success."""

from backend.schemas import Schema
from backend.schemas.evaluations import ErrorOut


class ErrorBody(Schema):
    """The shape of every response that is not a success."""

    error: ErrorOut
