"""Compare: which samples a pruned checkpoint loses against its dense parent, and whether thin ice foretold it."""

from frontend.pages.compare.callbacks import register
from frontend.pages.compare.layout import layout
from frontend.review.cut import complete_pair as complete

TITLE = "Compare"
KEYS = ("dense", "pruned")

__all__ = ["KEYS", "TITLE", "complete", "layout", "register"]
