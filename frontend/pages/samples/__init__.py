"""Samples: a wall of thumbnails of a pair, cut by set, class and thin ice."""

from frontend.pages.samples.layout import KEYS, complete, layout, register

TITLE = "Samples"

__all__ = ["KEYS", "TITLE", "complete", "layout", "register"]
