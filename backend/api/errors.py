"""The one error handler: every error is written as `{"error": {"code", "message", "details", "request_id"}}`.

The request id is also in the X-Request-ID header and in the log, so that a user can quote it.
"""

import json
import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from backend.api.request_log import current_request_id
from backend.errors import InvalidRequest, ThinIceError
from backend.schemas import Schema

log = logging.getLogger("thinice.api")

CODES = {400: "invalid_request", 401: "access_denied", 403: "forbidden_origin", 404: "not_found"}
CODES |= {405: "method_not_allowed", 409: "conflict", 413: "too_large", 422: "invalid_request"}
SHOWN_INPUT = 80  # characters of a refused value that a message repeats


def error_response(
    code: str,
    status: int,
    message: str,
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The JSON response of one error; details that JSON cannot carry are written as text."""
    error = {"code": code, "message": message, "details": dict(details or {}), "request_id": current_request_id()}
    body = json.dumps({"error": finite(error)}, default=str, ensure_ascii=False, allow_nan=False)
    body_bytes = body.encode("utf-8", errors="replace")  # a lone surrogate in an echoed value must not break this
    return Response(body_bytes, status, dict(headers or {}), media_type="application/json")


def finite(value: Any) -> Any:
    """The value with every NaN and infinity as text and every key a string, because JSON has neither."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [finite(item) for item in value]
    return value


def render(error: ThinIceError) -> Response:
    """One of our errors as a response."""
    if error.status >= 500:
        log.error("%s: %s", error.code, error.message)
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
    return error_response(error.code, error.status, error.message, error.details, headers)


def explain(problems: Sequence[Any]) -> InvalidRequest:
    """pydantic's list of problems as one error with a sentence that a person can act on."""
    sentences: dict[str, str] = {}
    for problem in problems:
        field = field_of(problem)
        sentences.setdefault(field.split(".")[0], sentence_of(field, problem))
    listed = [{"field": field_of(problem), "message": str(problem["msg"])} for problem in problems]
    return InvalidRequest(" ".join(sentences.values()), problems=listed)


def field_of(problem: Mapping[str, Any]) -> str:
    """Where the problem is: `samples.3`, or empty when it is the body as a whole."""
    place = [str(part) for part in problem["loc"]]
    if place and place[0] in {"body", "query", "path", "header", "cookie"}:
        place = place[1:]
    return ".".join(place)


def sentence_of(field: str, problem: Mapping[str, Any]) -> str:
    """One problem in words, with what came where that helps."""
    kind, text = problem["type"], str(problem["msg"]).rstrip(".")
    if kind == "json_invalid":
        return f"The body is not valid JSON: {(problem.get('ctx') or {}).get('error', text)}."
    if kind == "missing":
        return f"`{field}` is missing." if field else "The request has no body; send JSON."
    if kind == "extra_forbidden":
        return f"`{field}` is not a field of this request."
    came = repr(problem.get("input"))
    shown = f"; got {came}" if len(came) <= SHOWN_INPUT else ""
    return f"`{field}`: {text}{shown}." if field else f"{text}{shown}."


def checked(schema: type[Schema], values: Mapping[str, Any]) -> Any:
    """The values as the schema; raises InvalidRequest with a readable sentence where they do not fit."""
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise explain(error.errors(include_url=False)) from error


async def respond_to_our_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ThinIceError)
    return render(error)


async def respond_to_validation_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return render(explain(error.errors()))


async def respond_to_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = CODES.get(error.status_code, "internal" if error.status_code >= 500 else "invalid_request")
    message = f"{request.method} {request.url.path}: {error.detail}."
    return error_response(code, error.status_code, message, headers=error.headers)


def add_error_handlers(app: FastAPI) -> None:
    """Render every error that a route raises; what no handler knows is caught by the request log as `internal`."""
    app.add_exception_handler(ThinIceError, respond_to_our_error)
    app.add_exception_handler(RequestValidationError, respond_to_validation_error)
    app.add_exception_handler(HTTPException, respond_to_http_error)
