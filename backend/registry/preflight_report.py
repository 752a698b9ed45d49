"""What a pre-flight knows about a network. Plain data, no torch."""

from typing import Literal

from pydantic import BaseModel

Outcome = Literal["ok", "warn", "fail"]
PreflightState = Literal["passed", "warned", "failed"]
STATE_BY_OUTCOME: dict[Outcome, PreflightState] = {"ok": "passed", "warn": "warned", "fail": "failed"}


class PreflightCheck(BaseModel):
    """One check and its result in a sentence. `code` never changes; flag codes are used where one fits."""

    code: str
    title: str
    outcome: Outcome
    sentence: str


class PreflightReport(BaseModel):
    """Every check of a network before it is attacked.

    `clean_accuracy` 0..1 over `n` images, None where the outputs are not finite; `accuracy_by_normalization` holds the
    same under every known preset. `state` is the worst outcome.
    """

    state: PreflightState
    n: int
    clean_accuracy: float | None
    accuracy_by_normalization: dict[str, float]
    checks: list[PreflightCheck]


def find_worst(checks: list[PreflightCheck]) -> PreflightState:
    """The worst outcome as a state."""
    for outcome in ("fail", "warn"):
        if any(check.outcome == outcome for check in checks):
            return STATE_BY_OUTCOME[outcome]
    return "passed"
