"""Sample: one image through both networks, what turns each of them, and how far away that is."""

from frontend.pages.sample.layout import KEYS, complete, layout, register

PATH = "/sample"
TITLE = "Sample"

__all__ = ["KEYS", "PATH", "TITLE", "complete", "layout", "register"]
