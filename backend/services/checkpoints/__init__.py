"""Checkpoints: taken in, inspected, changed and deleted."""

from backend.services.checkpoints.service import (
    add_checkpoint,
    delete_checkpoint,
    get_checkpoint,
    list_checkpoints,
    list_parents,
    patch_checkpoint,
    read_claim,
)

__all__ = [
    "add_checkpoint",
    "delete_checkpoint",
    "get_checkpoint",
    "list_checkpoints",
    "list_parents",
    "patch_checkpoint",
    "read_claim",
]
