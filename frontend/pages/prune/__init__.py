"""Prune: make a pruned checkpoint here from a dense one; and what one such run is, was made of and made."""

from frontend.pages.prune.callbacks import register
from frontend.pages.prune.layout import layout

PATH = "/prune"
TITLE = "Prune"
KEYS = ("parent", "pruning")

__all__ = ["KEYS", "PATH", "TITLE", "layout", "register"]
