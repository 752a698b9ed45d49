"""What every kind of job does alike: tell how far it is, learn that it is no longer wanted, keep an error."""

import time
from collections.abc import Callable
from typing import Any, ParamSpec

from backend.errors import ThinIceError

P = ParamSpec("P")
STAGE_SECONDS = 1.0  # how often a running job says what it is doing, and asks whether it is still wanted


class Stopped(Exception):
    """The job, or this run of it, is no longer wanted (cancelled, resumed); the work in hand is dropped."""


def now_and_then(write: Callable[P, None]) -> Callable[P, None]:
    """Call `write` at most once in `STAGE_SECONDS`, not in the first ones; what comes between is dropped."""
    last = time.monotonic()

    def perhaps(*args: P.args, **kwargs: P.kwargs) -> None:
        nonlocal last
        if time.monotonic() - last >= STAGE_SECONDS:
            last = time.monotonic()
            write(*args, **kwargs)

    return perhaps


def describe_error(error: BaseException) -> dict[str, Any]:
    """An error as the row of a job keeps it: code, message and details."""
    if isinstance(error, ThinIceError):
        return {"code": error.code, "message": error.message, "details": error.details}
    return {"code": "internal", "message": f"{type(error).__name__}: {error}", "details": {}}
