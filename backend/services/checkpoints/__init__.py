"""Checkpoints: taken in, inspected, changed and deleted."""

from backend.jobs.registration.lineage import choose_sparsity, find_uneven_layers
from backend.services.checkpoints.previews import preview_upload
from backend.services.checkpoints.service import (
    add_checkpoint,
    delete_checkpoint,
    get_checkpoint,
    list_checkpoints,
    list_children,
    list_parents,
    list_samples_at_defaults,
    patch_checkpoint,
    read_claim,
)

__all__ = [
    "add_checkpoint",
    "choose_sparsity",
    "delete_checkpoint",
    "find_uneven_layers",
    "get_checkpoint",
    "list_checkpoints",
    "list_children",
    "list_parents",
    "list_samples_at_defaults",
    "patch_checkpoint",
    "preview_upload",
    "read_claim",
]
