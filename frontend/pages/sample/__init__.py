"""Sample: one image through both networks, what turns each of them, and how far away that is."""

from frontend.pages.sample.layout import KEYS, complete, layout, register

TITLE = "Sample"

__all__ = ["KEYS", "TITLE", "complete", "layout", "register"]
