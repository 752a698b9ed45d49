"""The calls that Help lists are those of the interface."""

from fastapi import FastAPI

from backend.api.routes import add_api
from frontend.help.calls import CALLS


def test_calls_exist_as_they_are_written() -> None:
    app = FastAPI()
    add_api(app)
    known = {(method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods}
    for call in CALLS:
        assert (call.method, call.path) in known, f"{call.method} {call.path}"


def test_calls_have_one_anchor_each() -> None:
    assert len({call.anchor for call in CALLS}) == len(CALLS)
