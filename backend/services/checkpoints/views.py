"""The row of a checkpoint as callers see it."""

from collections.abc import Mapping
from typing import Any

from backend.jobs.registration.inspections import read_inspection
from backend.schemas.checkpoints import CheckpointOut, ClaimOut, LayerOut, PreflightOut
from backend.store.tables import Checkpoint


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
