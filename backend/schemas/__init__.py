"""What travels between services and their callers: REST bodies, CLI output, page data. One shape, one class.

Shares and accuracies are 0..1. Margins are in the norm's unit for pixels in [0, 1]; `None` with `found: false` means
that no adversarial was found (never 0, never a maximum). Times are UTC, ISO 8601.
"""

from backend.schemas.checkpoints import (
    CheckpointIn,
    CheckpointOut,
    CheckpointPatch,
    ClaimOut,
    LayerOut,
    PreflightCheck,
    PreflightOut,
)
from backend.schemas.comparisons import (
    Auroc,
    Bin,
    ClassFlips,
    ComparisonOut,
    ControlOut,
    Correlation,
    Counts,
    CurvePoint,
    Mismatch,
    PairedSample,
    Predictive,
    Rate,
    RobustStatistics,
    TextPart,
)
from backend.schemas.datasets import DatasetOut
from backend.schemas.evaluations import ErrorOut, EvaluationIn, EvaluationOut, MarginRow, Progress, SampleSide, Summary
from backend.schemas.health import Health, WorkerOut
from backend.schemas.terms import FlipSet, Interval, Norm, Page, Role, Schema, State

__all__ = [
    "Auroc",
    "Bin",
    "CheckpointIn",
    "CheckpointOut",
    "CheckpointPatch",
    "ClaimOut",
    "ClassFlips",
    "ComparisonOut",
    "ControlOut",
    "Correlation",
    "Counts",
    "CurvePoint",
    "DatasetOut",
    "ErrorOut",
    "EvaluationIn",
    "EvaluationOut",
    "FlipSet",
    "Health",
    "Interval",
    "LayerOut",
    "MarginRow",
    "Mismatch",
    "Norm",
    "Page",
    "PairedSample",
    "Predictive",
    "PreflightCheck",
    "PreflightOut",
    "Progress",
    "Rate",
    "RobustStatistics",
    "Role",
    "SampleSide",
    "Schema",
    "State",
    "Summary",
    "TextPart",
    "WorkerOut",
]
