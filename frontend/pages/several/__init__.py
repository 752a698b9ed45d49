"""Several: up to eight pruned checkpoints against one dense checkpoint, sample by sample."""

from frontend.pages.several.callbacks import register
from frontend.pages.several.layout import complete, layout

TITLE = "Compare several"
KEYS = ("dense", "pruned")

__all__ = ["KEYS", "TITLE", "complete", "layout", "register"]
