"""Prunings: made here, from plan to checkpoint."""

from backend.services.prunings.service import (
    JOBS,
    cancel_pruning,
    delete_pruning,
    get_pruning,
    list_prunings,
    queue_pruning,
    resume_pruning,
    suggest_name,
)

__all__ = [
    "JOBS",
    "cancel_pruning",
    "delete_pruning",
    "get_pruning",
    "list_prunings",
    "queue_pruning",
    "resume_pruning",
    "suggest_name",
]
