"""Samples: a wall of thumbnails of a pair, cut by set, class and thin ice."""

from frontend.pages.samples.layout import KEYS, layout, register
from frontend.review.cut import complete_pair as complete

TITLE = "Samples"

__all__ = ["KEYS", "TITLE", "complete", "layout", "register"]
