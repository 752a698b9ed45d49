"""What is known about a checkpoint: after import, and after the pre-flight. Plain data, no torch."""

from typing import Any, Literal

from pydantic import BaseModel, Field

Outcome = Literal["ok", "warn", "fail"]
State = Literal["passed", "warned", "failed"]
STATES: dict[Outcome, State] = {"ok": "passed", "warn": "warned", "fail": "failed"}


class LayerFacts(BaseModel):
    """One prunable tensor: its key, shape, number of weights, how many are zero, and their share 0..1."""

    name: str
    shape: list[int]
    weights: int
    zeros: int
    sparsity: float


class ImportedCheckpoint(BaseModel):
    """An uploaded checkpoint, kept as `file_name` (safetensors, float32) in the folder that the caller named.

    `source_sha256` is the hash of the uploaded file, `file_sha256` of the kept one, `weights_sha256` of the effective
    state (masks applied, names without wrappers, float32, without batch counters): equal networks have equal ones.
    `prunable` counts convolution and linear weights, `measured_sparsity` is the share of them that is zero, 0..1.
    `format` says how the file was written: "zip", "legacy" or "safetensors". `layer_list` is the user's own list of
    layers, None for a registered architecture.
    """

    source_sha256: str
    file_sha256: str
    weights_sha256: str
    file_name: str
    format: str
    architecture: str
    layer_list: list[Any] | None = None
    normalization: str
    classes: int
    channels: int
    parameters: int
    prunable: int
    measured_sparsity: float
    layers: list[LayerFacts]
    warnings: list[str] = Field(default_factory=list)


class PreflightCheck(BaseModel):
    """One question and its answer in a sentence. `code` never changes; flag codes are used where one fits."""

    code: str
    title: str
    outcome: Outcome
    sentence: str


class PreflightReport(BaseModel):
    """Every question that was asked of a network before it is attacked.

    `clean_accuracy` 0..1 over `n` images, None where the outputs are not finite; `accuracy_by_normalization` holds the
    same under every known preset. `state` is the worst outcome.
    """

    state: State
    n: int
    clean_accuracy: float | None
    accuracy_by_normalization: dict[str, float]
    checks: list[PreflightCheck]


def find_state(checks: list[PreflightCheck]) -> State:
    """The worst outcome as a state."""
    for outcome in ("fail", "warn"):
        if any(check.outcome == outcome for check in checks):
            return STATES[outcome]
    return "passed"


def compare_sparsity(measured: float, declared: float | None, *, tolerance: float = 0.005) -> str | None:
    """Say in a sentence how a measured sparsity misses the declared one (both 0..1); None where they agree."""
    if declared is None or abs(measured - declared) <= tolerance:
        return None
    sentence = f"Declared sparsity {declared:.2%}, measured {measured:.2%}"
    if measured == 0:
        return f"{sentence}: no weight is zero. Was the mask left out when the file was saved?"
    return f"{sentence}."
