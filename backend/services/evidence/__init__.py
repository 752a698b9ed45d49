"""Evidence: further adversarials for the samples of an evaluation."""

from backend.services.evidence.service import (
    JOBS,
    add_upload,
    attempts,
    cancel_evidence,
    delete_evidence,
    get_evidence,
    list_evidence,
    list_of_evaluation,
    list_of_sample,
    queue_evidence,
    queue_harder,
    queue_replay,
    replay_pair,
    resume_evidence,
)

__all__ = [
    "JOBS",
    "add_upload",
    "attempts",
    "cancel_evidence",
    "delete_evidence",
    "get_evidence",
    "list_evidence",
    "list_of_evaluation",
    "list_of_sample",
    "queue_evidence",
    "queue_harder",
    "queue_replay",
    "replay_pair",
    "resume_evidence",
]
