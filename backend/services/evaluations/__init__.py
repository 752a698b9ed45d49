"""Evaluations: attacks on the samples of one checkpoint, queued, followed and read."""

from backend.services.evaluations.service import (
    JOBS,
    MARGIN_TYPES,
    cancel_evaluation,
    delete_evaluation,
    get_evaluation,
    list_evaluations,
    load_evaluation,
    log_tail,
    margins,
    margins_table,
    queue_evaluation,
    resume_evaluation,
)

__all__ = [
    "JOBS",
    "MARGIN_TYPES",
    "cancel_evaluation",
    "delete_evaluation",
    "get_evaluation",
    "list_evaluations",
    "load_evaluation",
    "log_tail",
    "margins",
    "margins_table",
    "queue_evaluation",
    "resume_evaluation",
]
