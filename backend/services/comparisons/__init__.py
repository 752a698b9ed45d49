"""Comparisons of a dense and a pruned evaluation, sample by sample."""

from backend.services.comparisons.service import (
    compare,
    default_pairs,
    is_median_eps,
    paired_samples,
)

__all__ = [
    "compare",
    "default_pairs",
    "is_median_eps",
    "paired_samples",
]
