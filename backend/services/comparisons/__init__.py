"""Comparisons of a dense and a pruned evaluation, sample by sample."""

from backend.services.comparisons.columns import columns_version, pair_columns
from backend.services.comparisons.pairs import count_shared, default_pairs, is_pair
from backend.services.comparisons.selection import SampleFilter
from backend.services.comparisons.service import (
    compare,
    is_median_eps,
    paired_samples,
)
from backend.services.comparisons.several import (
    compare_several,
    several_columns,
    several_margins,
    several_version,
)

__all__ = [
    "SampleFilter",
    "columns_version",
    "compare",
    "compare_several",
    "count_shared",
    "default_pairs",
    "is_median_eps",
    "is_pair",
    "pair_columns",
    "paired_samples",
    "several_columns",
    "several_margins",
    "several_version",
]
