"""Compare: which samples a pruned checkpoint loses against its dense parent, and whether thin ice foretold it."""

from frontend.pages.compare.callbacks import register
from frontend.pages.compare.layout import complete, layout

TITLE = "Compare"
KEYS = ("dense", "pruned")

__all__ = ["KEYS", "TITLE", "complete", "layout", "register"]
