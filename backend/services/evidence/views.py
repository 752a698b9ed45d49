"""The row of evidence as callers see it."""

from backend.schemas.evaluations import ErrorOut
from backend.schemas.evidence import EvidenceOut, EvidenceProgress
from backend.services.shared.forecasts import Forecast
from backend.store.tables import Evidence


def show_evidence(row: Evidence, *, checkpoint_name: str, forecast: Forecast) -> EvidenceOut:
    """Evidence with its progress and what came of it so far."""
    same = "id evaluation_id kind source source_evaluation_id series preset budget budget_unit n state checked held"
    names = f"{same} improved created_at started_at finished_at".split()
    return EvidenceOut.model_validate(
        {
            **{name: getattr(row, name) for name in names},
            "checkpoint_name": checkpoint_name,
            "progress": show_evidence_progress(row, forecast),
            "starts_in_seconds": forecast.starts,
            "refused": dict(row.refused),
            "record": row.record,
            "error": None if row.error is None else ErrorOut(**row.error),
        }
    )


def show_evidence_progress(row: Evidence, forecast: Forecast) -> EvidenceProgress:
    """How much is done, in its unit; the time left from the speed so far; as expected where it waits."""
    done, total, unit = float(row.done), float(row.steps), "samples" if row.record.layers is None else "layers"
    if row.budget is not None and row.budget_unit is not None:
        done, total, unit = min(row.spent, row.budget), row.budget, row.budget_unit
    eta = row.seconds / done * (total - done) if row.state == "running" and done else forecast.ends
    return EvidenceProgress.model_validate(
        {"done": done, "total": total, "unit": unit, "stage": row.stage, "eta_seconds": eta}
    )
