"""Rows of the store as the objects that callers see. One function per noun; no questions are asked here."""

from collections.abc import Mapping
from typing import Any

from backend.analysis.outcomes import tolerance_of
from backend.eps import parse_eps
from backend.schemas import (
    CheckpointOut,
    ClaimOut,
    DatasetOut,
    ErrorOut,
    EvaluationOut,
    EvidenceOut,
    EvidenceProgress,
    LayerOut,
    MarginRow,
    PreflightOut,
    Progress,
    Summary,
)
from backend.services.inspections import read_inspection
from backend.store.tables import Checkpoint, Chunk, Dataset, Evaluation, Evidence


def show_dataset(row: Dataset) -> DatasetOut:
    """A data set; the default eps as a number and as its exact text."""
    return DatasetOut(
        id=row.id,
        slug=row.slug,
        name=row.name,
        split=row.split,
        size=row.size,
        classes=[str(name) for name in row.classes],
        shape=[int(size) for size in row.shape],
        default_norm="L2" if row.default_norm == "L2" else "Linf",
        default_eps=float(parse_eps(row.default_eps)),
        default_eps_text=row.default_eps,
        source=row.source,
        created_at=row.created_at,
    )


def show_checkpoint(row: Checkpoint) -> CheckpointOut:
    """A checkpoint with its layers, warnings, pre-flight and claim."""
    return CheckpointOut(
        id=row.id,
        name=row.name,
        role="pruned" if row.role == "pruned" else "dense",
        parent_id=row.parent_id,
        dataset_id=row.dataset_id,
        source_sha256=row.source_sha256,
        weights_sha256=row.weights_sha256,
        architecture=row.architecture,
        layer_list=row.layer_list,
        normalization=row.normalization,
        method=row.method,
        structure=row.structure,
        declared_sparsity=row.declared_sparsity,
        measured_sparsity=row.measured_sparsity,
        parameters=row.parameters,
        prunable=row.prunable,
        layers=[LayerOut(**layer) for layer in row.layers],
        warnings=list(row.warnings),
        preflight=show_preflight(row.preflight),
        inspection=read_inspection(row),
        claim=None if row.claim is None else ClaimOut(**row.claim),
        origin=row.origin,
        pruning_id=row.pruning_id,
        created_at=row.created_at,
    )


def show_preflight(report: Mapping[str, Any]) -> PreflightOut:
    """The pre-flight as far as it is known; what the report holds beyond the schema stays inside."""
    return PreflightOut.model_validate({name: report[name] for name in PreflightOut.model_fields if name in report})


def show_evaluation(
    row: Evaluation,
    *,
    checkpoint_name: str,
    chunks: list[Chunk],
    queue_position: int | None,
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
            "explicit": row.explicit,
            "seed": row.seed,
            "repeat_of": row.repeat_of,
            "priority": row.priority,
            "state": row.state,
            "purpose": row.purpose,
            "progress": show_progress(row, chunks),
            "queue_position": queue_position,
            "summary": summary,
            "flags": list(row.flags),
            "record": dict(row.record),
            "error": None if row.error is None else ErrorOut(**row.error),
            "created_at": row.created_at,
            "started_at": row.started_at,
            "finished_at": row.finished_at,
        }
    )


def show_progress(row: Evaluation, chunks: list[Chunk]) -> Progress:
    """Samples done and in all; the time left from the speed of the finished chunks, None until there is one."""
    samples = sum(chunk.samples for chunk in chunks)
    eta = None
    if row.state == "running" and samples:
        eta = sum(chunk.seconds for chunk in chunks) / samples * max(0, row.n - row.done)
    return Progress(done=row.done, total=row.n, stage=row.stage, eta_seconds=eta)


def show_evidence(row: Evidence, *, checkpoint_name: str) -> EvidenceOut:
    """Evidence with its progress and what came of it so far."""
    same = "id evaluation_id kind source source_evaluation_id stage preset budget budget_unit n state checked held"
    names = f"{same} improved created_at started_at finished_at".split()
    return EvidenceOut.model_validate(
        {
            **{name: getattr(row, name) for name in names},
            "checkpoint_name": checkpoint_name,
            "progress": show_evidence_progress(row),
            "refused": dict(row.refused),
            "record": dict(row.record),
            "error": None if row.error is None else ErrorOut(**row.error),
        }
    )


def show_evidence_progress(row: Evidence) -> EvidenceProgress:
    """How much is done, in what it is counted in; the time left from the speed so far, None until there is one."""
    done, total, unit = float(row.done), float(row.n), "samples"
    if row.budget is not None and row.budget_unit is not None:
        done, total, unit = min(row.spent, row.budget), row.budget, row.budget_unit
    eta = row.seconds / done * (total - done) if row.state == "running" and done else None
    return EvidenceProgress.model_validate(
        {"done": done, "total": total, "unit": unit, "step": row.step, "eta_seconds": eta}
    )


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
        has_evidence=columns["best_known_stage"] > 0,
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
