"""The row of an evaluation, and of one of its samples, as callers see them."""

from collections.abc import Mapping
from typing import Any

from backend.analysis.outcomes import tolerance_of
from backend.eps import parse_eps
from backend.schemas.evaluations import ErrorOut, EvaluationOut, MarginRow, ProgressOut, Summary
from backend.services.shared.forecasts import Forecast
from backend.store.evaluations import IMPORTED
from backend.store.tables import Chunk, Evaluation


def show_evaluation(
    row: Evaluation,
    *,
    checkpoint_name: str,
    chunks: list[Chunk],
    queue_position: int | None,
    forecast: Forecast,
    summary: Summary | None,
) -> EvaluationOut:
    """An evaluation with its progress; `chunks` are the finished ones, from which the time left is told."""
    return EvaluationOut.model_validate(
        {
            "id": row.id,
            "checkpoint_id": row.checkpoint_id,
            "checkpoint_name": checkpoint_name,
            "dataset_id": row.dataset_id,
            "preset": row.preset,
            "norm": row.norm,
            "eps": None if row.eps is None else float(parse_eps(row.eps)),
            "eps_text": row.eps,
            "n": row.n,
            "selection": row.selection,
            "explicit": row.explicit,
            "seed": row.seed,
            "repeat_of": row.repeat_of,
            "priority": row.priority,
            "state": row.state,
            "purpose": row.purpose,
            "progress": show_progress(row, chunks, forecast),
            "queue_position": queue_position,
            "starts_in_seconds": forecast.starts,
            "summary": summary,
            "flags": list(row.flags),
            "record": row.record,
            "error": None if row.error is None else ErrorOut(**row.error),
            "created_at": row.created_at,
            "started_at": row.started_at,
            "finished_at": row.finished_at,
        }
    )


def show_progress(row: Evaluation, chunks: list[Chunk], forecast: Forecast) -> ProgressOut:
    """Samples done and in all; the time left of a running one from the speed of its own chunks, None until there is
    one, and of a waiting one as expected."""
    chunks = [chunk for chunk in chunks if chunk.worker_id != IMPORTED]
    samples = sum(chunk.samples for chunk in chunks)
    eta = forecast.ends
    if row.state == "running" and samples:
        eta = sum(chunk.seconds for chunk in chunks) / samples * max(0, row.n - row.done)
    return ProgressOut(done=row.done, total=row.n, stage=row.stage, eta_seconds=eta)


def show_margin(columns: Mapping[str, Any], eps: float | None) -> MarginRow:
    """One sample's row from its stored values by name (`store.results.COLUMNS` and `sample_id`)."""
    correct, margin = bool(columns["correct"]), columns["margin"]
    return MarginRow(
        index=columns["index"],
        sample_id=columns["sample_id"],
        label=columns["label"],
        prediction=columns["prediction"],
        correct=correct,
        margin=margin,
        margin_pred=columns["margin_pred"],
        distance_kind="witness" if columns["kind"] == "witness" else "minimum",
        found=bool(columns["found"]),
        robust=is_robust(correct, margin, eps, columns["kind"]),
        attack=columns["attack"],
        adversarial_prediction=columns["adversarial_prediction"],
        logit_gap=columns["logit_gap"],
        max_probability=columns["max_probability"],
        loss=columns["loss"],
        survives_8bit=columns["survives_8bit"],
        slack_to_flip=measure_slack(correct, margin, eps, columns["kind"]),
        best_known=columns["best_known"],
        best_known_found=bool(columns["best_known_found"]),
        best_known_robust=is_robust(correct, columns["best_known"], eps, columns["kind"]),
        best_known_source=columns["best_known_source"],
        has_evidence=columns["best_known_series"] > 0,
    )


def measure_slack(correct: bool, margin: float | None, eps: float | None, kind: str) -> float | None:
    """(margin - eps) / margin of a sample that holds at eps, 0..1; None for any other, and for witnesses."""
    if margin is None or eps is None or kind == "witness" or not is_robust(correct, margin, eps, kind):
        return None
    return (margin - eps) / margin


def is_robust(correct: bool, margin: float | None, eps: float | None, kind: str = "minimum") -> bool | None:
    """Right, and no perturbation found within eps; None without an eps. The tolerance is that of the analysis."""
    if eps is None:
        return None
    return correct and (margin is None or margin > eps * (1.0 + tolerance_of(kind)))
