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
from backend.schemas.evidence import (
    AttemptOut,
    BudgetUnit,
    EvidenceKind,
    EvidenceOut,
    EvidenceProgress,
    HarderIn,
    PairIn,
    ReplayIn,
)
from backend.schemas.health import Health, WorkerOut
from backend.schemas.terms import FlipSet, Interval, Norm, Page, Role, Schema, Split, State

__all__ = [
    "AttemptOut",
    "Auroc",
    "Bin",
    "BudgetUnit",
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
    "EvidenceKind",
    "EvidenceOut",
    "EvidenceProgress",
    "FlipSet",
    "HarderIn",
    "Health",
    "Interval",
    "LayerOut",
    "MarginRow",
    "Mismatch",
    "Norm",
    "Page",
    "PairIn",
    "PairedSample",
    "Predictive",
    "PreflightCheck",
    "PreflightOut",
    "Progress",
    "Rate",
    "ReplayIn",
    "RobustStatistics",
    "Role",
    "SampleSide",
    "Schema",
    "Split",
    "State",
    "Summary",
    "TextPart",
    "WorkerOut",
]
