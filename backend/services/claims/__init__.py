"""Claimed robust accuracies compared with what the evaluations found."""

from backend.services.claims.service import (
    answer_claim,
    list_claims,
)

__all__ = [
    "answer_claim",
    "list_claims",
]
